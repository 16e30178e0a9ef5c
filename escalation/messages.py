"""What is said about a group? Builds the Message that every channel renders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection

from alertcenter.alerts import storms
from alertcenter.alerts.models import Group, Service, Storm
from escalation.charts import chart_of
from notifications.message import AlertLine, Funnel, Message, Note
from tenants.models import Tenant

# When the next step is due, and whom it tells.
Upcoming = tuple[datetime, str]
MOST_ALERTS = 10
# What our sources call it, and what Grafana's rules do:
# https://grafana.com/docs/grafana/latest/alerting/configure-notifications/template-notifications/images-in-notifications/
PICTURES = ("image_url", "__imageURL__", "imageURL")
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "firing": ("acknowledge", "resolve", "snooze"),
    "acknowledged": ("resolve", "unacknowledge"),
    "snoozed": ("acknowledge", "resolve", "unacknowledge"),
    "resolved": (),
}


def message_for(group: Group, *, note: Note | None = None) -> Message:
    """Return the message about one group as it stands."""
    return messages_for(group.tenant_id, [group], notes={group.pk: note})[group.pk]


def messages_for(
    tenant_id: UUID,
    groups: Sequence[Group],
    *,
    notes: Mapping[UUID, Note | None] | None = None,
    upcoming: Mapping[UUID, Upcoming] | None = None,
) -> dict[UUID, Message]:
    """Return the messages about groups, with few queries for all of them.

    Whoever has just written what is `upcoming` says so; the others are looked up.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    services = _services(tenant_id, groups)
    lines = _alert_lines(tenant_id, [g.pk for g in groups])
    coming = dict(upcoming or {})
    unknown = [g.pk for g in groups if g.pk not in coming]
    coming |= next_steps(tenant_id, unknown) if unknown else {}
    notes = notes or {}
    funnels = _funnels(tenant_id, groups, lines)
    messages = {
        g.pk: _message(
            tenant,
            g,
            lines[g.pk],
            coming.get(g.pk),
            notes.get(g.pk),
            services.get(g.service_id) if g.service_id else None,
        )
        for g in groups
    }
    return messages | {
        pk: _of_storm(messages[pk], tenant, funnel) for pk, funnel in funnels.items()
    }


def _message(
    tenant: Tenant,
    group: Group,
    lines: list[AlertLine],
    coming: Upcoming | None,
    note: Note | None,
    service: Service | None,
) -> Message:
    return Message(
        kind=group.state,
        tenant=tenant.name,
        title=group.title,
        severity=group.severity,
        state=group.state,
        number=group.number,
        group_id=str(group.pk),
        url=f"{settings.BASE_URL}/t/{tenant.slug}/groups/{group.number}",
        labels=dict(group.labels),
        opened_at=group.opened_at.isoformat(),
        changed_at=group.changed_at.isoformat(),
        resolved_at=iso(group.resolved_at),
        snooze_until=iso(group.snooze_until),
        actor=group.acked_by,
        firing_count=group.firing_count,
        alert_count=group.alert_count,
        alerts=tuple(lines),
        actions=ACTIONS[group.state],
        thread_key=str(group.pk),
        dedup_key=group.key,
        next_at=iso(coming[0]) if coming else None,
        next_who=coming[1] if coming else "",
        flapping_since=iso(group.flapping_since),
        priority=group.priority,
        chart=chart_of(lines),
        note=note,
        **_service_facts(service),
    )


def _funnels(
    tenant_id: UUID, groups: Sequence[Group], lines: dict[UUID, list[AlertLine]]
) -> dict[UUID, Funnel]:
    """Return what there is to say of those groups that stand for a storm.

    As the alerts of such a group its worst groups are told.
    """
    ids = [g.pk for g in groups if g.storm_id]
    if not ids:
        return {}
    found = {}
    rows = Storm.objects.filter(tenant_id=tenant_id, group_id__in=ids)
    for storm in rows.select_related("route"):
        pk = storm.group_id
        if pk is None:
            continue
        lines[pk] = [_group_line(*row) for row in storms.worst(storm)]
        found[pk] = Funnel(
            route=storm.route.name,
            alerts=storm.alerts,
            groups=storm.groups,
            open_groups=storm.open_groups,
            top=tuple(storms.top_labels(storm)),
        )
    return found


def _of_storm(message: Message, tenant: Tenant, funnel: Funnel) -> Message:
    """Return the message of a storm: its link leads to all groups of the route."""
    shown = urlencode({"q": f"route={funnel.route}"})
    return replace(
        message,
        kind="storm" if message.state == "firing" else message.state,
        url=f"{settings.BASE_URL}/t/{tenant.slug}/?{shown}",
        storm=funnel,
        actions=tuple(act for act in message.actions if act != "resolve"),
    )


def _group_line(
    title: str, severity: int, state: str, labels: str, opened_at: datetime, alerts: int
) -> AlertLine:
    return AlertLine(
        title=title,
        severity=severity,
        state="resolved" if state == "resolved" else "firing",
        labels=json.loads(labels),
        summary=" ".join(f"{k}={v}" for k, v in sorted(json.loads(labels).items())),
        starts_at=opened_at.isoformat(),
    )


def _services(tenant_id: UUID, groups: Sequence[Group]) -> dict[UUID, Service]:
    """Return the services of these groups; no query where there are none."""
    wanted = {g.service_id for g in groups if g.service_id}
    if not wanted:
        return {}
    rows = Service.objects.filter(tenant_id=tenant_id).select_related("owner")
    return rows.in_bulk(list(wanted))


def _service_facts(service: Service | None) -> dict[str, Any]:
    if service is None:
        return {}
    return {
        "service": service.name,
        "service_owner": service.said_owner,
        "runbook": service.runbook_url,
    }


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# OFFSET 0: each member's alert is looked up by itself. Without it and without fresh
# statistics, as in a storm, the planner reads all alerts for each group.
WORST = """
SELECT g.id, w.title, w.severity, w.state, w.labels::text, w.annotations::text, w.link,
  w.starts_at
FROM unnest(%s::uuid[]) AS g(id) CROSS JOIN LATERAL (
  SELECT a.* FROM group_alert m CROSS JOIN LATERAL (
    SELECT * FROM alert WHERE tenant_id = m.tenant_id AND id = m.alert_id OFFSET 0) a
  WHERE m.tenant_id = %s AND m.group_id = g.id
  ORDER BY m.left_at IS NOT NULL, a.severity DESC, m.joined_at
  LIMIT %s) w
"""


def _alert_lines(
    tenant_id: UUID, group_ids: Sequence[UUID]
) -> dict[UUID, list[AlertLine]]:
    """Return the worst MOST_ALERTS alerts of each group, firing ones first."""
    lines: dict[UUID, list[AlertLine]] = {pk: [] for pk in group_ids}
    with connection.cursor() as cursor:
        cursor.execute(WORST, [[str(pk) for pk in lines], tenant_id, MOST_ALERTS])
        for group_id, *values in cursor.fetchall():
            lines[group_id].append(_line(*values))
    return lines


def _line(
    title: str,
    severity: int,
    state: str,
    labels: str,
    annotations: str,
    link: str,
    starts_at: datetime,
) -> AlertLine:
    said = json.loads(annotations) or {}
    return AlertLine(
        title=title,
        severity=severity,
        state=state,
        labels=json.loads(labels),
        summary=str(said.get("summary", "")),
        description=str(said.get("description", "")),
        link=link,
        starts_at=starts_at.isoformat(),
        image=picture_of(said),
    )


def picture_of(annotations: Mapping[str, Any]) -> str:
    """Return the address of the picture that the source made, "" for none."""
    found = (str(annotations.get(name) or "") for name in PICTURES)
    return next((one for one in found if one.startswith("https://")), "")


COMING = """
SELECT d.group_id, d.due_at, (
  SELECT step ->> 'who'
  FROM jsonb_array_elements(r.snapshot -> 'steps') WITH ORDINALITY x(step, number)
  WHERE number > d.position AND step ->> 'who' <> '' ORDER BY number LIMIT 1)
FROM due_step d CROSS JOIN LATERAL (
  SELECT snapshot FROM run WHERE run.tenant_id = d.tenant_id AND run.id = d.run_id
  OFFSET 0) r
WHERE d.tenant_id = %s AND d.group_id = ANY (%s::uuid[]) AND d.state = 'due'
"""


def next_steps(tenant_id: UUID, group_ids: Sequence[UUID]) -> dict[UUID, Upcoming]:
    """Return when each group's next step is due, and whom it tells, or the first after
    it that tells somebody."""
    with connection.cursor() as cursor:
        cursor.execute(COMING, [tenant_id, [str(pk) for pk in group_ids]])
        return {pk: (due, who or "") for pk, due, who in cursor.fetchall()}
