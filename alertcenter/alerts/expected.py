"""When should a heartbeat be heard of next? By a period, or by cron in a time zone.

A day on which clocks change is as Debian's cron has it (cron(8)): what falls into the
hour that is left out is expected right after it, what falls into the hour that comes
twice is expected once; expressions for every hour or minute follow the real time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

# Any moment will do: whether an expression ever comes true does not hang on it.
SOME_DAY = datetime(2026, 1, 1)  # noqa: DTZ001
FIELDS = 5


class BadCron(ValueError):
    """The expression cannot be read, or never comes true."""


class Expected(Protocol):
    """What says when something is expected."""

    period_seconds: int | None
    cron: str
    time_zone: str
    grace_seconds: int


def check_cron(text: str) -> None:
    """Raise BadCron unless `text` has five fields and comes true at some time."""
    next_of(text, SOME_DAY)


def next_of(text: str, after: datetime) -> datetime:
    """Return the first moment later than `after`, in its zone. Raises BadCron."""
    if len(text.split()) != FIELDS:
        raise BadCron(text)
    try:
        return next(CronSim(text, after))
    except (CronSimError, StopIteration) as error:
        raise BadCron(text) from error


def next_expected(heartbeat: Expected, after: datetime) -> datetime:
    """Return when a ping should come that follows one at `after`. Raises BadCron."""
    if heartbeat.period_seconds:
        return after + timedelta(seconds=heartbeat.period_seconds)
    zone = zone_of(heartbeat.time_zone)
    return next_of(heartbeat.cron, after.astimezone(zone))


def next_due(heartbeat: Expected, after: datetime) -> datetime:
    """Return when the absence of that ping becomes an alert. Raises BadCron."""
    # In UTC: adding to a local time would step over a change of clocks.
    expected = next_expected(heartbeat, after).astimezone(ZoneInfo("UTC"))
    return expected + timedelta(seconds=heartbeat.grace_seconds)


def zone_of(name: str) -> ZoneInfo:
    """Return the zone; UTC for one that the database of zones no longer has."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
