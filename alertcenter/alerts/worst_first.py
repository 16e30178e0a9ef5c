"""In which order are open groups read? What is heard first, then what is
quiet; each by priority, severity, then the newest.

One query a state, in the order of the index `group_state`: with IN the index no longer
gives the order, and a tenant with 100,000 open groups would be sorted at each look.
Quiet groups are read only when those that are heard do not fill the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.dateparse import parse_datetime

from alertcenter.alerts.models import Group

OPEN_STATES = ("firing", "acknowledged", "snoozed")
ORDER = ("priority", "-severity", "-opened_at", "-id")

# Each alert that fires in it is marked: nobody is told.
QUIET = Q(firing_count__gt=0, quiet_count__gte=F("firing_count"))
QUIET_CURSOR = "quiet"
COLUMNS = (
    "id",
    "priority",
    "severity",
    "opened_at",
    "firing_count",
    "quiet_count",
)

Row = Mapping[str, Any]


class Place(NamedTuple):
    """Where a group stands in the order; greater comes first."""

    heard: bool
    urgency: int  # the priority, negative
    severity: int
    opened_at: datetime
    id: UUID


def read(
    groups: QuerySet[Group],
    rows_of: Callable[[QuerySet[Group]], Iterable[Row]],
    *,
    limit: int,
    after: Place | None = None,
    states: Iterable[str] = OPEN_STATES,
) -> list[Row]:
    """Return up to `limit` rows in order, those behind `after`.

    `rows_of` turns an ordered queryset into rows with at least COLUMNS.
    """
    wanted, found = list(states), list[Row]()
    if after is None or after.heard:
        found = _read(groups.exclude(QUIET), rows_of, limit, after, wanted)
        after = None
    if len(found) < limit:
        rest = limit - len(found)
        found += _read(groups.filter(QUIET), rows_of, rest, after, wanted)
    return found


def _read(
    groups: QuerySet[Group],
    rows_of: Callable[[QuerySet[Group]], Iterable[Row]],
    limit: int,
    after: Place | None,
    states: Iterable[str],
) -> list[Row]:
    found: list[Row] = []
    for state in states:
        mine = groups.filter(state=state)
        if after is not None:
            mine = mine.filter(_behind(after))
        found += rows_of(mine.order_by(*ORDER)[:limit])
    found.sort(key=place, reverse=True)
    return found[:limit]


def is_quiet(row: Row) -> bool:
    """Whether nobody is told of a group because each alert that fires is marked."""
    return bool(0 < row["firing_count"] <= row["quiet_count"])


def place(row: Row) -> Place:
    heard = not is_quiet(row)
    return Place(heard, -row["priority"], row["severity"], row["opened_at"], row["id"])


def cursor(row: Row) -> str:
    """Return the text that continues behind `row`."""
    moment = row["opened_at"].isoformat()
    text = f"{row['priority']}~{row['severity']}~{moment}~{row['id']}"
    return f"{QUIET_CURSOR}~{text}" if is_quiet(row) else text


def parsed(cursor: str) -> Place:
    """Return the place that `cursor` names. Raises ValueError."""
    heard = not cursor.startswith(f"{QUIET_CURSOR}~")
    text = cursor if heard else cursor.removeprefix(f"{QUIET_CURSOR}~")
    priority, severity, opened_at, pk = text.split("~")
    moment = parse_datetime(opened_at)
    if moment is None or moment.tzinfo is None:
        raise ValueError("no moment in the cursor")
    numbers = int(priority), int(severity)
    if not all(0 <= number <= 9 for number in numbers):
        raise ValueError("no level in the cursor")
    return Place(heard, -numbers[0], numbers[1], moment, UUID(pk))


def _behind(after: Place) -> Q:
    priority = -after.urgency
    level = Q(priority=priority)
    same = level & Q(severity=after.severity)
    behind = (
        Q(priority__gt=priority)
        | level & Q(severity__lt=after.severity)
        | same & Q(opened_at__lt=after.opened_at)
        | same & Q(opened_at=after.opened_at, pk__lt=after.id)
    )
    # Says nothing new, but lets the index begin at the level instead of at its head.
    return Q(priority__gte=priority) & behind
