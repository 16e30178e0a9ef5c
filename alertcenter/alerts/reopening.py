"""What did a person's resolve close, and how is it opened again?

The other half of lifecycle.resolve_alerts, for the seconds in which a person may take
it back. An alert is opened again as it was, the same episode, unless something has been
heard of it since: what its source says is over stays over, and what it says anew is an
episode of its own. Callers lock in the order of all acts: alerts, the flow, groups.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts import quiet
from alertcenter.alerts.lifecycle import Change, tell
from tenants.actors import Actor

# More at once are resolved for good: what they were would have to be kept aside.
MOST_ALERTS = 5_000

Kept = list[dict[str, Any]]

# No stronger lock: the flow, whom `lock` waits for, lets alerts join groups.
LOOK = """
SELECT m.group_id, m.id, a.id, a.episode_id, a.version, a.state_at, a.expires_at
FROM group_alert m JOIN alert a ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
WHERE m.tenant_id = %s AND m.group_id = ANY (%s::uuid[]) AND m.left_at IS NULL
  AND a.state = 'firing'
ORDER BY a.tenant_id, a.dedup_key LIMIT %s FOR NO KEY UPDATE OF a
"""
LOCK = """
SELECT FROM alert WHERE tenant_id = %s AND id = ANY (%s::uuid[])
ORDER BY tenant_id, dedup_key FOR NO KEY UPDATE
"""
# A later group has the place of this one, or an alert of it has left another group
# since, which would not hear of it again.
TAKEN = """
SELECT g.id FROM alert_group g
WHERE g.tenant_id = %(tenant)s AND g.id = ANY (%(ids)s::uuid[]) AND EXISTS (
  SELECT FROM alert_group o WHERE o.tenant_id = g.tenant_id AND o.key = g.key
    AND o.id <> g.id AND (o.state <> 'resolved' OR o.number > g.number))
UNION
SELECT x.of_group FROM jsonb_to_recordset(%(rows)s::jsonb) AS x(
  of_group uuid, alert uuid, since timestamptz)
JOIN group_alert m ON m.tenant_id = %(tenant)s AND m.alert_id = x.alert
WHERE m.group_id <> ALL (%(ids)s::uuid[]) AND m.left_at > x.since
"""
OPEN = """
UPDATE alert a SET state = 'firing', ends_at = NULL, closed_by = '',
  expires_at = x.expires_at, version = a.version + 1
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x(alert uuid, episode uuid, version int,
  state_at timestamptz, expires_at timestamptz)
WHERE a.tenant_id = %(tenant)s AND a.id = x.alert AND a.state = 'resolved'
  AND a.closed_by = 'person' AND a.version = x.version + 1
  AND a.episode_id = x.episode AND a.state_at = x.state_at
RETURNING a.id, a.episode_id
"""
EPISODES = """
UPDATE episode SET ends_at = NULL, closed_by = ''
WHERE tenant_id = %s AND id = ANY (%s::uuid[])
"""
REJOIN = """
UPDATE group_alert SET left_at = NULL
WHERE tenant_id = %s AND id = ANY (%s::bigint[]) AND alert_id = ANY (%s::uuid[])
  AND episode_id = ANY (%s::uuid[])
RETURNING group_id
"""


def look(tenant_id: UUID, group_ids: Sequence[UUID]) -> Mapping[UUID, Kept] | None:
    """Lock the alerts that fire in groups, and return by group what they are; None
    where they are too many."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [tenant_id, list(group_ids), MOST_ALERTS + 1])
        rows = cursor.fetchall()
    if len(rows) > MOST_ALERTS:
        return None
    found: dict[UUID, Kept] = defaultdict(list)
    for group_id, member, alert, episode, version, state_at, expires_at in rows:
        found[group_id].append(
            {
                "member": member,
                "alert": str(alert),
                "episode": str(episode),
                "version": version,
                "state_at": state_at.isoformat(),
                "expires_at": expires_at.isoformat() if expires_at else None,
            }
        )
    return found


def lock(tenant_id: UUID, alert_ids: Iterable[str]) -> None:
    """Lock alerts that may be opened again, and wait for the flow: no group opens in
    the place of theirs."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [tenant_id, sorted(set(alert_ids))])
    quiet.lock(tenant_id)


def reopen(
    tenant_id: UUID, kept: Mapping[UUID, tuple[datetime, Kept]], *, actor: Actor
) -> dict[UUID, int]:
    """Open what was closed with these groups at a time; return how many alerts fire in
    each group that can be opened again."""
    taken = _taken(tenant_id, kept)
    rows = [row for pk, (_, own) in kept.items() if pk not in taken for row in own]
    opened = _open(tenant_id, rows, actor)
    counts = dict.fromkeys((pk for pk in kept if pk not in taken), 0)
    with connection.cursor() as cursor:
        members = [row["member"] for row in rows]
        values: list[Any] = [tenant_id, members, list(opened), list(opened.values())]
        cursor.execute(REJOIN, values)
        for (group_id,) in cursor.fetchall():
            counts[group_id] += 1
    # One that held no alert (it waited for calm) is open again without any.
    return {pk: n for pk, n in counts.items() if n or not kept[pk][1]}


def _taken(
    tenant_id: UUID, kept: Mapping[UUID, tuple[datetime, Kept]]
) -> frozenset[UUID]:
    rows = [
        {"of_group": str(pk), "alert": row["alert"], "since": at.isoformat()}
        for pk, (at, own) in kept.items()
        for row in own
    ]
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "ids": list(kept),
        "rows": json.dumps(rows),
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, values)
        return frozenset(row[0] for row in cursor.fetchall())


def _open(tenant_id: UUID, rows: Kept, actor: Actor) -> dict[UUID, UUID]:
    """Let alerts fire again; return their episodes."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"tenant": tenant_id, "rows": json.dumps(rows)})
        opened = dict(cursor.fetchall())
        cursor.execute(EPISODES, [tenant_id, list(opened.values())])
    tell(
        [
            Change(
                tenant_id,
                "noted",
                alert_id=alert_id,
                from_state="resolved",
                to_state="firing",
                reason="undone",
                data={"episode": str(episode_id)},
            )
            for alert_id, episode_id in opened.items()
        ],
        actor=actor,
    )
    return opened
