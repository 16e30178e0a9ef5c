"""When does a wall clock show a time? Found by looking, not by reckoning.

The checker's own, which shares nothing with the product but Python's zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# No zone is further from UTC.
FURTHEST = timedelta(hours=30)


def shown(zone: str, moment: datetime) -> datetime:
    """Return what the zone's clocks show."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def moments(zone: str, wall: datetime) -> tuple[datetime, ...]:
    """Return all moments at which clocks show `wall`, or the one after the gap."""
    looked = wall.replace(tzinfo=UTC) - FURTHEST
    offsets = set()
    for _hour in range(61):
        offsets.add(shown(zone, looked) - looked.replace(tzinfo=None))
        looked += HOUR
    found = {(wall - offset).replace(tzinfo=UTC) for offset in offsets}
    found = {moment for moment in found if shown(zone, moment) == wall}
    return tuple(sorted(found)) or (after_gap(zone, wall),)


def after_gap(zone: str, wall: datetime) -> datetime:
    """Return the first second at which clocks show more than `wall`."""
    moment = wall.replace(tzinfo=UTC) - FURTHEST
    for pace in (HOUR, timedelta(minutes=1), timedelta(seconds=1)):
        while shown(zone, moment) <= wall:
            moment += pace
        moment -= pace
    return moment + timedelta(seconds=1)


def first(zone: str, wall: datetime) -> datetime:
    """Return when what begins at `wall` begins."""
    return moments(zone, wall)[0]


def last(zone: str, wall: datetime) -> datetime:
    """Return when what ends at `wall` ends."""
    return moments(zone, wall)[-1]


def whole_day(zone: str, day: date) -> tuple[datetime, datetime]:
    """Return a local day from its first midnight to the last of the next."""
    return (
        first(zone, datetime.combine(day, time())),
        last(zone, datetime.combine(day + DAY, time())),
    )


def days_around(zone: str, moment: datetime) -> list[date]:
    """Return the local day of a moment, the two before and the one after."""
    today = shown(zone, moment).date()
    return [today + timedelta(days=n) for n in (-2, -1, 0, 1)]


@cache
def changes(zone: str, begin: datetime, end: datetime) -> tuple[datetime, ...]:
    """Return the moments at which the zone's clocks change, to the second."""
    return tuple(_changes(zone, begin, end))


def _changes(zone: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    moment = begin
    while moment < end:
        following = moment + HOUR
        if offset(zone, moment) != offset(zone, following):
            low, high = moment, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                if offset(zone, middle) == offset(zone, low):
                    low = middle
                else:
                    high = middle
            yield high
        moment = following


def offset(zone: str, moment: datetime) -> timedelta:
    """Return how far the zone's clocks are from UTC."""
    return shown(zone, moment) - moment.astimezone(UTC).replace(tzinfo=None)
