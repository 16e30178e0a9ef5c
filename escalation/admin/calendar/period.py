"""Which week or month does a calendar show, by whose clock?"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alertcenter.common.clocks import as_utc
from escalation.hours import ONE_DAY, Span

WEEK, MONTH, WEEKS = "week", "month", "weeks"
VIEWS = (WEEK, MONTH)
# The zones a calendar is shown in: the schedule's, the reader's, and the world's.
SCHEDULE, MINE, WORLD = "schedule", "mine", "utc"
ZONES = (SCHEDULE, MINE, WORLD)
DAYS_OF_WEEK = 7
USUAL_DAY = timedelta(hours=24)
FIRST_YEAR, LAST_YEAR = 1980, 2100


class Day(NamedTuple):
    """One column: a day from midnight to midnight of the zone."""

    on: date
    span: Span

    @property
    def hours(self) -> float:
        """How long it is: 23 or 25 where clocks change."""
        return (self.span.ends_at - self.span.starts_at) / timedelta(hours=1)

    @property
    def is_odd(self) -> bool:
        """Whether the clocks change on it."""
        return self.span.ends_at - self.span.starts_at != USUAL_DAY


@dataclass(frozen=True)
class Period:
    """What is shown: a week from Monday, a month, or four weeks."""

    view: str
    first: date
    zone: ZoneInfo

    @property
    def over(self) -> date:
        """The first day after it."""
        return following(self.view, self.first)

    @property
    def before(self) -> date:
        """The first day of the one before."""
        return first_of(self.view, self.first - ONE_DAY)

    @cached_property
    def within(self) -> Span:
        return Span(midnight(self.first, self.zone), midnight(self.over, self.zone))

    @cached_property
    def days(self) -> list[Day]:
        found = []
        for number in range((self.over - self.first).days):
            on = self.first + number * ONE_DAY
            end = midnight(on + ONE_DAY, self.zone)
            found.append(Day(on, Span(midnight(on, self.zone), end)))
        return found

    def share(self, at: datetime) -> float:
        """Return where a moment lies: 0 at the begin, 1 at the end."""
        begin, end = self.within
        return (min(max(at, begin), end) - begin) / (end - begin)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins."""
    return as_utc(datetime.combine(day, time()), zone, last=False)


def first_of(view: str, day: date) -> date:
    """Return the first day of the week or month in which `day` lies."""
    if view != MONTH:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def following(view: str, first: date) -> date:
    """Return the first day of the next week or month."""
    if view != MONTH:
        return first + timedelta(days=DAYS_OF_WEEK * (1 if view == WEEK else 4))
    return first + timedelta(days=calendar.monthrange(first.year, first.month)[1])


def read(
    asked: Mapping[str, str], zones: Mapping[str, ZoneInfo], now: datetime
) -> tuple[Period, str]:
    """Return the period that an address asks for (?view=&from=&zone=), and the name of
    its zone. What cannot be read is this week by the schedule's clock."""
    name = asked.get("zone", SCHEDULE)
    name = name if name in zones else SCHEDULE
    zone = zones[name]
    view = asked.get("view", WEEK)
    view = view if view in VIEWS else WEEK
    return Period(
        view, first_of(view, _day(asked.get("from", ""), zone, now)), zone
    ), name


def _day(text: str, zone: ZoneInfo, now: datetime) -> date:
    try:
        given = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return now.astimezone(zone).date()
    if FIRST_YEAR <= given.year <= LAST_YEAR:
        return given
    return now.astimezone(zone).date()
