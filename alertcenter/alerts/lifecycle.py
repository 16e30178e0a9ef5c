"""Who writes an alert's or a group's state? This module, and `upsert` for intake.

Every function writes what changed, its transitions and the feed rows that carry it
on, in the caller's transaction and tenant context. All are set-based; the database's
clock is the only one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts.models import Alert
from alertcenter.alerts.upsert import SHARDS
from alertcenter.common import tracing
from tenants.actors import THE_ENGINE, Actor

WAKE = "NOTIFY ac_feed"


@dataclass(frozen=True)
class Change:
    """One change of state, as it will stand in `transition`."""

    tenant_id: UUID
    kind: str
    alert_id: UUID | None = None
    group_id: UUID | None = None
    from_state: str = ""
    to_state: str = ""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""


INSERT = """
INSERT INTO transition (tenant_id, at, alert_id, group_id, kind, from_state, to_state,
  actor_kind, actor_id, actor_label, reason, data, correlation_id)
SELECT tenant_id, now(), alert_id, group_id, kind, coalesce(from_state, ''),
  coalesce(to_state, ''), %(kind)s, %(id)s, %(label)s, coalesce(reason, ''),
  coalesce(data, '{}'), coalesce(correlation_id, '')
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x(
  tenant_id uuid, alert_id uuid, group_id uuid, kind text, from_state text,
  to_state text, reason text, data jsonb, correlation_id text)
RETURNING id, tenant_id, alert_id, group_id, at
"""
FEED = f"""
WITH told AS ({INSERT})
INSERT INTO feed (tenant_id, transition_id, alert_id, group_id, shard, at)
SELECT tenant_id, id, alert_id, group_id,
  coalesce(%(shard)s,
    abs(mod(hashtext(coalesce(alert_id, group_id)::text), {SHARDS}))), at
FROM told
"""


def tell(
    changes: Sequence[Change],
    *,
    actor: Actor = THE_ENGINE,
    feed: bool = True,
    shard: int | None = None,
) -> None:
    """Write transitions; with `feed` the flow looks at them (and screens change).

    `flow` itself passes feed=False, for it already shows what it did; growth it
    keeps for later in a `shard` of its own.
    """
    if not changes:
        return
    correlation = tracing.current()
    rows = [
        {
            "tenant_id": str(c.tenant_id),
            "alert_id": c.alert_id and str(c.alert_id),
            "group_id": c.group_id and str(c.group_id),
            "kind": c.kind,
            "from_state": c.from_state,
            "to_state": c.to_state,
            "reason": c.reason,
            "data": dict(c.data),
            "correlation_id": c.correlation_id or correlation,
        }
        for c in changes
    ]
    values = {
        "rows": json.dumps(rows, default=str),
        "kind": actor.kind,
        "id": actor.id,
        "label": actor.label[:200],
        "shard": shard,
    }
    with connection.cursor() as cursor:
        cursor.execute(FEED if feed else INSERT, values)
        if feed and shard is None:
            cursor.execute(WAKE)


RESOLVE = """
UPDATE alert SET state = 'resolved', ends_at = now(), expires_at = NULL,
  closed_by = %(by)s, version = version + 1
WHERE {where} AND state = 'firing'
RETURNING tenant_id, id, episode_id
"""
CLOSE_EPISODES = """
UPDATE episode SET ends_at = now(), closed_by = %s
WHERE (tenant_id, id) IN (
  SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""
EXPIRED = (
    "id IN (SELECT id FROM alert WHERE state = 'firing' AND expires_at < now() "
    "ORDER BY tenant_id, dedup_key LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"
)
CHOSEN = (
    "id IN (SELECT id FROM alert WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) "
    "AND state = 'firing' ORDER BY tenant_id, dedup_key FOR UPDATE)"
)


def resolve_alerts(
    tenant_id: UUID, alert_ids: Iterable[UUID], *, actor: Actor
) -> list[UUID]:
    """Close firing alerts for a person; return the ids of those it closed.

    `state_at` stays: an unchanged firing that the source repeats is not later than
    it, and so does not page again.
    """
    return [
        row[1]
        for row in _resolve(
            CHOSEN,
            {"by": "person", "tenant": tenant_id, "ids": list(alert_ids)},
            kind="resolved",
            actor=actor,
        )
    ]


def edit_alert(
    alert: Alert,
    *,
    actor: Actor,
    title: str | None = None,
    severity: int | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    note: str = "",
) -> None:
    """Change what a locked alert says; a note alone changes nothing but its story."""
    given: dict[str, Any] = {
        "title": title,
        "severity": severity,
        "labels": labels and dict(labels),
        "annotations": annotations and dict(annotations),
    }
    values = {
        name: value
        for name, value in given.items()
        if value is not None and value != getattr(alert, name)
    }
    before = alert.severity
    if values:
        for name, value in values.items():
            setattr(alert, name, value)
        alert.version += 1
        alert.save(update_fields=[*values, "version"])
    changed = "severity" in values
    data: dict[str, Any] = {"episode": alert.episode_id, "severity": alert.severity}
    if changed:
        data["severity_before"] = before
    if note:
        data["text"] = note
    tell(
        [
            Change(
                alert.tenant_id,
                "repeated_severity" if changed else "noted",
                alert_id=alert.pk,
                from_state=alert.state,
                to_state=alert.state,
                reason=", ".join(sorted(values)) or "note",
                data=data,
            )
        ],
        actor=actor,
    )


def expire_alerts(limit: int = 1_000) -> int:
    """Close what was not seen by its time, over the tenants of the context."""
    return len(
        _resolve(
            EXPIRED,
            {"by": "timeout", "limit": limit},
            kind="expired",
            actor=THE_ENGINE,
        )
    )


def _resolve(
    where: str, values: dict[str, Any], *, kind: str, actor: Actor
) -> list[tuple[UUID, UUID, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute(RESOLVE.format(where=where), values)
        rows: list[tuple[UUID, UUID, UUID]] = cursor.fetchall()
        if rows:
            tenants, _, episodes = zip(*rows, strict=True)
            cursor.execute(
                CLOSE_EPISODES, [values["by"], list(tenants), list(episodes)]
            )
    tell(
        [
            Change(
                tenant_id,
                kind,
                alert_id=alert_id,
                from_state="firing",
                to_state="resolved",
                reason=values["by"],
                data={"episode": str(episode_id)},
            )
            for tenant_id, alert_id, episode_id in rows
        ],
        actor=actor,
    )
    return rows


GROUP_COLUMNS = {
    "state": "text",
    "severity": "smallint",
    "raised_to": "smallint",
    "title": "text",
    "acked_at": "timestamptz",
    "acked_by": "text",
    "acked_severity": "smallint",
    "snooze_until": "timestamptz",
    "resolved_at": "timestamptz",
    "assignee_id": "uuid",
    "firing_count": "int",
    "alert_count": "int",
    "flapping_since": "timestamptz",
    "storm_id": "uuid",
    "quiet_count": "int",
    "service_id": "uuid",
    "priority": "smallint",
    "priority_reason": "jsonb",
}


@dataclass(frozen=True)
class After:
    """A moment, so many seconds after the database's now."""

    seconds: float = 0


NOW = After()


@dataclass(frozen=True)
class GroupChange:
    """New values for one group and what to tell about it.

    `values` maps columns of GROUP_COLUMNS to values, or to `NOW` and `After`.
    """

    tenant_id: UUID
    group_id: UUID
    values: Mapping[str, Any]
    kind: str = ""
    from_state: str = ""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""


def change_groups(
    changes: Sequence[GroupChange], *, actor: Actor = THE_ENGINE, feed: bool = True
) -> None:
    """Write new values of locked groups, one version each, and tell what happened."""
    alike: dict[tuple[tuple[str, bool], ...], list[GroupChange]] = defaultdict(list)
    for change in changes:
        shape = [(name, isinstance(v, After)) for name, v in change.values.items()]
        alike[tuple(shape)].append(change)
    with connection.cursor() as cursor:
        for given, same in alike.items():
            cursor.execute(_update(given), [json.dumps(_rows(same), default=str)])
    tell(
        [
            Change(
                c.tenant_id,
                c.kind,
                group_id=c.group_id,
                from_state=c.from_state,
                to_state=str(c.values.get("state", c.from_state)),
                reason=c.reason,
                data=c.data,
                correlation_id=c.correlation_id,
            )
            for c in changes
            if c.kind
        ],
        actor=actor,
        feed=feed,
    )


def _update(given: Sequence[tuple[str, bool]]) -> str:
    """Return the statement that sets these columns; True: to now and so long."""
    sets, columns = ["changed_at = now()", "version = g.version + 1"], []
    for name, is_moment in given:
        if name not in GROUP_COLUMNS:
            raise ValueError(f"{name} is not a column of a group")
        moment = f"now() + x.{name} * interval '1 second'"
        sets.append(f"{name} = {moment if is_moment else f'x.{name}'}")
        columns.append(f"{name} {'float8' if is_moment else GROUP_COLUMNS[name]}")
    return (
        f"UPDATE alert_group g SET {', '.join(sets)} FROM jsonb_to_recordset(%s) AS "
        f"x({', '.join(['pk uuid', 'of_tenant uuid', *columns])}) "
        "WHERE g.tenant_id = x.of_tenant AND g.id = x.pk"
    )


def _rows(changes: Sequence[GroupChange]) -> list[dict[str, Any]]:
    return [
        {"pk": str(c.group_id), "of_tenant": str(c.tenant_id)}
        | {
            name: value.seconds if isinstance(value, After) else value
            for name, value in c.values.items()
        }
        for c in changes
    ]


def database_time() -> datetime:
    """Return the time of this transaction by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
        return moment
