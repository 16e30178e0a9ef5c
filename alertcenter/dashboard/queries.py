"""What do screens show? Rows of groups, one group's story, numbers.

All of it runs inside a tenant's context, and stays quick on 100,000 groups: see
alertcenter.alerts.worst_first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Now

from alertcenter.alerts import silence_presets, worst_first
from alertcenter.alerts.models import Group, Heartbeat, Storm, Transition
from alertcenter.alerts.models.transition import Kind
from alertcenter.alerts.worst_first import Place
from alertcenter.dashboard.models import LiveHead
from escalation import sla
from escalation.messages import next_steps
from tenants.actors import ENGINE

SNAPSHOT_OPEN = 500
SNAPSHOT_RESOLVED = 50
RECENT = timedelta(hours=1)
FIELDS = (
    "id",
    "number",
    "title",
    "severity",
    "state",
    "labels",
    "opened_at",
    "changed_at",
    "resolved_at",
    "acked_by",
    "acked_at",
    "snooze_until",
    "firing_count",
    "alert_count",
    "quiet_count",
    "flapping_since",
    "storm_id",
    "version",
    "priority",
    "priority_reason",
)
NAMES = (
    "route_name",
    "policy_name",
    "assignee_name",
    "service_name",
    "service_slug",
)
MOST_STORMS = 10
MOST_TITLE = 300
MOST_HEARTBEATS = 40
# What needs somebody comes first.
HEARTBEAT_ORDER = ("down", "late", "started", "up", "new", "paused")
MOST_LABELS = 12
MOST_LABEL_VALUE = 120

Row = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """All that a screen needs to begin: `more` continues the open groups."""

    seq: int
    groups: list[Row]
    more: str


def group_rows(
    tenant_id: UUID, ids: Iterable[UUID] | None = None, limit: int = SNAPSHOT_OPEN
) -> list[Row]:
    """Return rows of the groups `ids`, or of the most urgent open ones, for frames."""
    if ids is None:
        return _finished(tenant_id, _open_groups(tenant_id, limit, None))
    wanted = list(ids)
    if not wanted:
        return []
    found = _groups(tenant_id).filter(pk__in=wanted)
    return _finished(tenant_id, _values(found, len(wanted)))


def snapshot(tenant_id: UUID) -> Snapshot:
    """Return the open groups, most urgent first, and what was resolved of late.

    The sequence number is read first: whatever changes while we read comes again
    as a delta, and rows carry versions.
    """
    seq = head(tenant_id)
    opened = _open_groups(tenant_id, SNAPSHOT_OPEN + 1, None)
    more = (
        worst_first.cursor(opened[SNAPSHOT_OPEN - 1])
        if len(opened) > SNAPSHOT_OPEN
        else ""
    )
    rows = opened[:SNAPSHOT_OPEN] + _recently_resolved(tenant_id)
    return Snapshot(seq, _finished(tenant_id, rows), more)


def more_groups(tenant_id: UUID, after: str) -> tuple[list[Row], str]:
    """Return (rows, next cursor) that follow `after`. Raises ValueError."""
    rows = _open_groups(tenant_id, SNAPSHOT_OPEN + 1, worst_first.parsed(after))
    more = (
        worst_first.cursor(rows[SNAPSHOT_OPEN - 1]) if len(rows) > SNAPSHOT_OPEN else ""
    )
    return _finished(tenant_id, rows[:SNAPSHOT_OPEN]), more


def head(tenant_id: UUID) -> int:
    """Return the number of the tenant's last frame, 0 before the first."""
    found = LiveHead.objects.filter(tenant_id=tenant_id).values_list("seq", flat=True)
    return found.first() or 0


def heartbeats(tenant_id: UUID) -> list[Heartbeat]:
    """Return the tenant's heartbeats, the worst first."""
    ranks = [When(state=state, then=n) for n, state in enumerate(HEARTBEAT_ORDER)]
    rows = Heartbeat.objects.filter(tenant_id=tenant_id)
    ordered = rows.order_by(Case(*ranks, default=len(ranks)), "name")
    return list(ordered.only("name", "state", "last_ping_at")[:MOST_HEARTBEATS])


def _groups(tenant_id: UUID) -> QuerySet[Group]:
    return Group.objects.filter(tenant_id=tenant_id)


def _open_groups(tenant_id: UUID, limit: int, after: Place | None) -> list[Row]:
    """Return up to `limit` open groups, the most urgent first."""

    def rows_of(groups: QuerySet[Group]) -> list[Row]:
        return _values(groups, limit)

    found = worst_first.read(_groups(tenant_id), rows_of, limit=limit, after=after)
    return [dict(row) for row in found]


def _recently_resolved(tenant_id: UUID) -> list[Row]:
    groups = _groups(tenant_id).filter(state="resolved", resolved_at__gt=Now() - RECENT)
    return _values(groups.order_by("-resolved_at"), SNAPSHOT_RESOLVED)


def _values(groups: QuerySet[Group], limit: int) -> list[Row]:
    return list(
        groups.annotate(
            route_name=F("route__name"),
            policy_name=F("route__policy__name"),
            assignee_name=F("assignee__name"),
            service_name=F("service__name"),
            service_slug=F("service__slug"),
        ).values(*FIELDS, *NAMES)[:limit]
    )


def _finished(tenant_id: UUID, rows: list[Row]) -> list[Row]:
    """Add what comes next to each row, or who ended it; make it fit for JSON."""
    enders = _resolvers(
        tenant_id, [row["id"] for row in rows if row["state"] == "resolved"]
    )
    upcoming = next_steps(
        tenant_id, [row["id"] for row in rows if row["state"] == "firing"]
    )
    own = _own_groups(tenant_id, [row["id"] for row in rows if row["storm_id"]])
    quiet = silence_presets.kept_quiet_by(
        tenant_id, [row["id"] for row in rows if worst_first.is_quiet(row)]
    )
    levels = sla.targets(tenant_id) if rows else {}
    return [
        _framed(row, upcoming.get(row["id"]))
        | _level(sla.deadline(levels.get(row["severity"]), row))
        | {
            "resolved_by": enders.get(row["id"], ""),
            "storm": in_storm(row, own),
            "quiet": quiet.get(row["id"], ""),
        }
        for row in rows
    ]


def _level(deadline: sla.Deadline | None) -> Row:
    """Return which service level is to be met next, and until when."""
    if deadline is None:
        return {"sla": "", "sla_at": None}
    return {"sla": deadline.what, "sla_at": _iso(deadline.at)}


def in_storm(row: Row, own: set[UUID]) -> str:
    """Return `own` for a group that stands for a storm, `held` for what it holds."""
    return "own" if row["id"] in own else "held" if row["storm_id"] else ""


def _own_groups(tenant_id: UUID, ids: list[UUID]) -> set[UUID]:
    if not ids:
        return set()
    rows = Storm.objects.filter(tenant_id=tenant_id, group_id__in=ids)
    return {pk for pk in rows.values_list("group_id", flat=True) if pk}


def storms(tenant_id: UUID) -> list[tuple[Storm, int]]:
    """Return the storms that are not resolved yet, each with its group's number."""
    rows = Storm.objects.filter(tenant_id=tenant_id, closed_at=None)
    found = list(rows.exclude(group_id=None).select_related("route")[:MOST_STORMS])
    numbers = dict(
        _groups(tenant_id)
        .filter(pk__in=[storm.group_id for storm in found if storm.group_id])
        .exclude(state="resolved")
        .values_list("pk", "number")
    )
    return [
        (storm, numbers[storm.group_id]) for storm in found if storm.group_id in numbers
    ]


def _resolvers(tenant_id: UUID, ids: list[UUID]) -> dict[UUID, str]:
    """Return who resolved each group last, where that was not its alerts' end."""
    if not ids:
        return {}
    ends = Transition.objects.filter(
        tenant_id=tenant_id, group_id__in=ids, alert_id=None, kind=Kind.RESOLVED
    ).order_by("id")
    told = ends.values_list("group_id", "actor_kind", "actor_label")
    return {pk: "" if kind == ENGINE else label for pk, kind, label in told if pk}


def _framed(row: Row, upcoming: tuple[datetime, str] | None) -> Row:
    labels = sorted(row["labels"].items())[:MOST_LABELS]
    return {
        "id": str(row["id"]),
        "number": row["number"],
        "title": row["title"][:MOST_TITLE],
        "severity": row["severity"],
        "state": row["state"],
        "labels": {str(k): str(v)[:MOST_LABEL_VALUE] for k, v in labels},
        "opened_at": _iso(row["opened_at"]),
        "changed_at": _iso(row["changed_at"]),
        "resolved_at": _iso(row["resolved_at"]),
        "acked_by": row["acked_by"],
        "acked_at": _iso(row["acked_at"]),
        "snooze_until": _iso(row["snooze_until"]),
        "firing_count": row["firing_count"],
        "alert_count": row["alert_count"],
        "quiet_count": row["quiet_count"],
        "flapping_since": _iso(row["flapping_since"]),
        "version": row["version"],
        "priority": row["priority"],
        "why": row["priority_reason"],
        "service": row["service_name"] or "",
        "service_slug": row["service_slug"] or "",
        "route": row["route_name"] or "",
        "policy": row["policy_name"] or "",
        "assignee": row["assignee_name"] or "",
        "next_at": _iso(upcoming[0]) if upcoming else None,
        "next_who": upcoming[1] if upcoming else "",
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
