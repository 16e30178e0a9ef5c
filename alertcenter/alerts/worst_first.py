"""In which order are open groups read? By priority, severity, then the newest.

One query a state, in the order of the index `group_state`: with IN the index no longer
gives the order, and a tenant with 100,000 open groups would be sorted at each look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from alertcenter.alerts.models import Group

OPEN_STATES = ("firing", "acknowledged", "snoozed")
ORDER = ("priority", "-severity", "-opened_at", "-id")

Row = Mapping[str, Any]


class Place(NamedTuple):
    """Where a group stands in the order; greater comes first."""

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

    `rows_of` turns an ordered queryset into rows with at least the columns of ORDER.
    """
    found: list[Row] = []
    for state in states:
        mine = groups.filter(state=state)
        if after is not None:
            mine = mine.filter(_behind(after))
        found += rows_of(mine.order_by(*ORDER)[:limit])
    found.sort(key=place, reverse=True)
    return found[:limit]


def place(row: Row) -> Place:
    return Place(-row["priority"], row["severity"], row["opened_at"], row["id"])


def cursor(row: Row) -> str:
    """Return the text that continues behind `row`."""
    moment = row["opened_at"].isoformat()
    return f"{row['priority']}~{row['severity']}~{moment}~{row['id']}"


def parsed(cursor: str) -> Place:
    """Return the place that `cursor` names. Raises ValueError."""
    priority, severity, opened_at, pk = cursor.split("~")
    moment = parse_datetime(opened_at)
    if moment is None or moment.tzinfo is None:
        raise ValueError("no moment in the cursor")
    numbers = int(priority), int(severity)
    if not all(0 <= number <= 9 for number in numbers):
        raise ValueError("no level in the cursor")
    return Place(-numbers[0], numbers[1], moment, UUID(pk))


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
