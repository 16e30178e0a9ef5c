"""What was a group before a person's last act, so that he may take it back?

Remembered in the act's own transaction, one row a group. Taken back within seconds, the
run goes on where it stood: the step that was due is due at its time, pages that waited
to be sent are sent. What was sent stays sent. A resolve remembers also which alerts it
closed (alertcenter.alerts.reopening).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime

from alertcenter.alerts import reopening
from alertcenter.alerts.models import Group
from escalation.messages import iso
from escalation.models import LastAct
from tenants.actors import MEMBER, OPERATOR, Actor

# The button is shown for ten; the way to the server takes its time.
SECONDS = 12
PEOPLE = (MEMBER, OPERATOR)
COLUMNS = ("state", "acked_by", "acked_severity")
MOMENTS = ("acked_at", "snooze_until")

REMEMBER = """
INSERT INTO last_act (tenant_id, group_id, kind, actor_kind, actor_id, at, before)
SELECT %(tenant)s, g.id, %(kind)s, %(actor_kind)s, %(actor_id)s, now(),
  g.before || jsonb_build_object(
    'run', (SELECT r.id FROM run r WHERE r.tenant_id = %(tenant)s
      AND r.group_id = g.id AND r.state = 'active'),
    'step', (SELECT d.id FROM due_step d WHERE d.tenant_id = %(tenant)s
      AND d.group_id = g.id AND d.state = 'due' ORDER BY d.id DESC LIMIT 1),
    'pages', (SELECT coalesce(jsonb_agg(p.id), '[]') FROM delivery p
      WHERE p.tenant_id = %(tenant)s AND p.group_id = g.id AND p.kind = 'page'
        AND p.state = 'pending'))
FROM jsonb_to_recordset(%(rows)s::jsonb) AS g(id uuid, before jsonb)
ON CONFLICT (tenant_id, group_id) DO UPDATE SET kind = excluded.kind,
  actor_kind = excluded.actor_kind, actor_id = excluded.actor_id, at = excluded.at,
  before = excluded.before
"""
# What changed a group after it (a source, another person) stands above it.
ACTS = """
SELECT a.group_id, a.kind, a.before::text, a.at FROM last_act a
WHERE a.tenant_id = %(tenant)s AND a.group_id = ANY (%(ids)s::uuid[])
  AND a.actor_kind = %(kind)s AND a.actor_id = %(actor)s
  AND a.at > now() - %(seconds)s * interval '1 second'
  AND NOT EXISTS (SELECT FROM transition t WHERE t.tenant_id = a.tenant_id
    AND t.group_id = a.group_id AND t.at > a.at
    AND t.kind IN ('acknowledged', 'unacknowledged', 'snoozed', 'woken', 'resolved',
      'assigned', 'escalated'))
"""
FORGET = "DELETE FROM last_act WHERE tenant_id = %s AND group_id = %s"
STOP = """
UPDATE run SET state = 'stopped', ended_at = now()
WHERE tenant_id = %s AND group_id = %s AND state = 'active' AND id IS DISTINCT FROM %s
"""
CANCEL = """
UPDATE due_step SET state = 'cancelled' WHERE tenant_id = %s AND group_id = %s
AND (state = 'ack' OR state = 'due' AND run_id IS DISTINCT FROM %s)
"""
RUN = """
UPDATE run SET state = 'active', ended_at = NULL WHERE tenant_id = %s AND id = %s
"""
STEP = """
UPDATE due_step SET state = 'due' WHERE tenant_id = %s AND id = %s
AND state = 'cancelled'
"""
PAGES = """
UPDATE delivery SET state = 'pending' WHERE tenant_id = %s AND id = ANY (%s::uuid[])
AND state = 'cancelled' AND attempts = 0
"""


def remember(
    tenant_id: UUID,
    groups: Sequence[Group],
    kind: str,
    actor: Actor,
    alerts: Mapping[UUID, reopening.Kept] | None = None,
) -> None:
    """Note how locked groups stand before a person's act, and the alerts of each that
    it closes."""
    if not is_person(actor) or not groups:
        return
    closes = alerts or {}
    rows = [
        {"id": str(g.pk), "before": _before(g) | {"alerts": closes.get(g.pk, [])}}
        for g in groups
    ]
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "kind": kind,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "rows": json.dumps(rows),
    }
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER, values)


def is_person(actor: Actor) -> bool:
    """Whether there is somebody who may take it back."""
    return actor.kind in PEOPLE


def _before(group: Group) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(group, name) for name in COLUMNS}
    found |= {name: iso(getattr(group, name)) for name in MOMENTS}
    found["assignee_id"] = group.assignee_id and str(group.assignee_id)
    return found


def acts_of(
    tenant_id: UUID, group_ids: Sequence[UUID], actor: Actor
) -> dict[UUID, dict[str, Any]]:
    """Return what the person's acts of the last seconds were done to, by group; none
    where something was done since."""
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "ids": list(group_ids),
        "kind": actor.kind,
        "actor": actor.id,
        "seconds": SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(ACTS, values)
        return {
            pk: json.loads(before) | {"kind": kind, "at": at}
            for pk, kind, before, at in cursor.fetchall()
        }


def values_before(act: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the group before an act."""
    if act["kind"] == "assigned":
        return {"assignee_id": act["assignee_id"]}
    moments = {n: act[n] and parse_datetime(act[n]) for n in MOMENTS}
    values = {name: act[name] for name in COLUMNS} | moments
    if act["kind"] == "resolved":
        values |= {"resolved_at": None, "firing_count": act["firing_count"]}
    return values


def lock_alerts(tenant_id: UUID, acts: Mapping[UUID, Mapping[str, Any]]) -> set[UUID]:
    """Lock what resolves closed, before their groups; return those groups."""
    closed = {pk: act for pk, act in acts.items() if act["kind"] == "resolved"}
    if closed:
        alerts = (one["alert"] for act in closed.values() for one in act["alerts"])
        reopening.lock(tenant_id, alerts)
    return set(closed)


def reopen(
    tenant_id: UUID, acts: Mapping[UUID, dict[str, Any]], actor: Actor
) -> dict[UUID, dict[str, Any]]:
    """Open the alerts again that resolves closed; return the acts to be undone."""
    closed = {
        pk: (act["at"], act["alerts"])
        for pk, act in acts.items()
        if act["kind"] == "resolved"
    }
    fires = reopening.reopen(tenant_id, closed, actor=actor) if closed else {}
    return {
        pk: act | {"firing_count": fires.get(pk, 0)}
        for pk, act in acts.items()
        if pk not in closed or pk in fires
    }


def revive(tenant_id: UUID, group_id: UUID, act: Mapping[str, Any]) -> None:
    """Let the run of before go on where it stood, in place of one begun since."""
    with connection.cursor() as cursor:
        if act["kind"] != "assigned":
            cursor.execute(STOP, [tenant_id, group_id, act["run"]])
            cursor.execute(CANCEL, [tenant_id, group_id, act["run"]])
            if act["run"]:
                cursor.execute(RUN, [tenant_id, act["run"]])
            if act["step"]:
                cursor.execute(STEP, [tenant_id, act["step"]])
            if act["pages"]:
                cursor.execute(PAGES, [tenant_id, act["pages"]])
        cursor.execute(FORGET, [tenant_id, group_id])


def is_recent(group: Group) -> bool:
    """Whether somebody did something to the group in the last seconds."""
    since = Now() - timedelta(seconds=SECONDS)
    mine = {"tenant_id": group.tenant_id, "group_id": group.pk}
    return LastAct.objects.filter(**mine, at__gt=since).exists()


def forget_old() -> None:
    """Forget what nobody can undo any more, in the tenants of the context."""
    LastAct.objects.filter(at__lt=Now() - timedelta(minutes=1)).delete()
