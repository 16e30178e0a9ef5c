"""Whose turn is it in a layer, and from when until when?

A layer is a list of turns that follow each other for ever. Turns change by the wall
clock of the layer's zone, at the first of two equal times, and at the next instant
where the time is left out (reference/wire-protocols.md 3.10): a turn may be an hour
longer or shorter, and hourly ones stay on their hours. Turns are counted, never run
through, so that the thousandth year costs as much as the first day.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from alertcenter.common.clocks import as_utc
from escalation import hours
from escalation.hours import EVERY_DAY, Hours, Span

UNITS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1)}
UNITS["weekly"] = timedelta(days=7)
FREQUENCIES = (*UNITS, "monthly")
HOLIDAYS = ("any", "never", "only")
# A turn whose people are all away is taken by the next that has somebody; further
# than this nobody looks.
MOST_STAND_INS = 200

People = tuple[UUID, ...]
NOBODY: People = ()
Away = Mapping[UUID, Sequence[Span]]


class Shift(NamedTuple):
    """Who has the turn from when until when (UTC)."""

    starts_at: datetime
    ends_at: datetime
    people: People


@dataclass(frozen=True, slots=True)
class Layer:
    """A rotation: each turn lasts `every` units of its frequency.

    `starts` is the local time of the first turn; nobody is on call before. `turns`
    holds who is on call together, turn by turn, and `first` which of them begins.
    With `weekdays` only those days are covered, each from the hand-over's clock time
    for a day, and daily turns count those days only. `lasts` ends a turn early.
    `hours` and `holidays` cut further. `level`: the highest wins where layers overlap.
    """

    zone: ZoneInfo
    starts: datetime
    turns: Sequence[People]
    frequency: str = "weekly"
    every: int = 1
    first: int = 0
    until: datetime | None = None
    lasts: timedelta | None = None
    weekdays: frozenset[int] = EVERY_DAY
    hours: Sequence[Hours] = ()
    holidays: str = "any"
    level: int = 0
    name: str = ""
    key: UUID | None = field(default=None, compare=False)

    def people(self, index: int) -> People:
        """Return whose turn number `index` is."""
        if not self.turns:
            return NOBODY
        return self.turns[(index + self.first) % len(self.turns)]

    def begins(self, index: int) -> datetime:
        """Return when turn number `index` begins (UTC)."""
        return as_utc(self.local(index), self.zone, last=False)

    def local(self, index: int) -> datetime:
        """Return the wall-clock time at which turn number `index` begins."""
        count = index * self.every
        if self.frequency == "monthly":
            return _months_later(self.starts, count)
        if self.frequency == "daily" and self.weekdays != EVERY_DAY:
            return self._listed_day(count)
        return self.starts + UNITS[self.frequency] * count

    def index(self, at: datetime) -> int:
        """Return the number of the turn at `at`; below 0 before the first."""
        found = self._guess(at.astimezone(self.zone).replace(tzinfo=None))
        while self.begins(found) > at:
            found -= 1
        # A turn that a gap has left without time is passed over.
        while self.begins(found + 1) <= at:
            found += 1
        return found

    def _guess(self, local: datetime) -> int:
        """Return the number of the turn by the wall clock alone."""
        if self.frequency == "monthly":
            since = self.starts
            months = (local.year - since.year) * 12 + local.month - since.month
            return months // self.every
        if self.frequency == "daily" and self.weekdays != EVERY_DAY:
            return self._listed_before(local.date()) // self.every
        return (local - self.starts) // (UNITS[self.frequency] * self.every)

    def _listed_before(self, day: date) -> int:
        """Return how many listed days lie between the first day and `day`."""
        first = self.starts.date()
        weeks, rest = divmod((day - first).days, 7)
        weekday = first.weekday()
        return weeks * len(self.weekdays) + sum(
            (weekday + n) % 7 in self.weekdays for n in range(rest)
        )

    def _listed_day(self, count: int) -> datetime:
        """Return the hand-over of the listed day number `count`."""
        weeks, rest = divmod(count, len(self.weekdays))
        weekday = self.starts.weekday()
        offsets = [n for n in range(7) if (weekday + n) % 7 in self.weekdays]
        return self.starts + timedelta(days=weeks * 7 + offsets[rest])


def _months_later(start: datetime, months: int) -> datetime:
    """Return the same day some months on; the month's last where it has none such."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


# --- what a layer covers ---


def shifts(
    layer: Layer,
    within: Span,
    *,
    holidays: Collection[date] = (),
    away: Away | None = None,
) -> list[Shift]:
    """Return the layer's shifts inside `within`, in order.

    Whoever is `away` is left out; a turn of which everybody is away is taken by the
    next that has somebody. What is left to nobody is no shift.
    """
    open_times = _open(layer, within, holidays)
    own = {person for turn in layer.turns for person in turn}
    mine = {person: spans for person, spans in (away or {}).items() if person in own}
    result: list[Shift] = []
    for turn in _turns(layer, within):
        for span in hours.part(open_times, Span(turn.starts_at, turn.ends_at)):
            result += _present(layer, turn, span, mine)
    return result


class Turn(NamedTuple):
    """One turn before anything is cut from it."""

    number: int
    starts_at: datetime
    ends_at: datetime


def _turns(layer: Layer, within: Span) -> Iterator[Turn]:
    """Yield the turns that touch `within`."""
    if not layer.turns or not layer.weekdays:
        return
    index = max(layer.index(within.starts_at), 0)
    begin = layer.begins(index)
    while begin < within.ends_at:
        end = over = layer.begins(index + 1)
        if layer.lasts is not None:
            wall = layer.local(index) + layer.lasts
            end = min(over, as_utc(wall, layer.zone, last=True))
        if end > begin and end > within.starts_at:
            yield Turn(index, begin, end)
        index, begin = index + 1, over


def _open(layer: Layer, within: Span, holidays: Collection[date]) -> list[Span]:
    """Return the stretches in which the layer covers at all."""
    found = [within]
    if layer.until is not None:
        over = as_utc(layer.until, layer.zone, last=True)
        found = hours.cut(found, Span(min(within.starts_at, over), over))
    if layer.weekdays != EVERY_DAY:
        clock = layer.starts.time()
        days = Hours(layer.weekdays, clock, clock)
        found = hours.both(found, hours.covered([days], layer.zone, within))
    if layer.hours:
        found = hours.both(found, hours.covered(layer.hours, layer.zone, within))
    if layer.holidays != "any":
        festive = hours.whole_days(holidays, layer.zone, within)
        cut = hours.without if layer.holidays == "never" else hours.both
        found = cut(found, festive)
    return found


def _present(layer: Layer, turn: Turn, span: Span, away: Away) -> Iterator[Shift]:
    """Yield who of a turn is there in `span`, cut where that changes."""
    cuts = {span.starts_at, span.ends_at}
    for spans in away.values():
        for one in hours.part(spans, span):
            cuts.update(one)
    edges = sorted(cuts)
    for begin, end in pairwise(edges):
        people = at_turn(layer, turn.number, begin, away)
        if people:
            yield Shift(begin, end, people)


def at_turn(layer: Layer, index: int, at: datetime, away: Away) -> People:
    """Return who takes turn number `index` at `at`."""
    for ahead in range(min(len(layer.turns), MOST_STAND_INS)):
        people = tuple(
            person
            for person in layer.people(index + ahead)
            if person not in away or not hours.lies_in(at, away[person])
        )
        if people:
            return people
    return NOBODY


def on_call(
    layer: Layer,
    at: datetime,
    *,
    holidays: Collection[date] = (),
    away: Away | None = None,
) -> People:
    """Return who has the layer at `at`: `shifts` for one moment."""
    if not layer.turns or not layer.weekdays:
        return NOBODY
    index = layer.index(at)
    if index < 0:
        return NOBODY
    if layer.lasts is not None:
        wall = layer.local(index) + layer.lasts
        if at >= as_utc(wall, layer.zone, last=True):
            return NOBODY
    if not _is_open(layer, at, holidays):
        return NOBODY
    return at_turn(layer, index, at, away or {})


def _is_open(layer: Layer, at: datetime, holidays: Collection[date]) -> bool:
    if layer.until is not None and at >= as_utc(layer.until, layer.zone, last=True):
        return False
    if layer.weekdays != EVERY_DAY:
        clock = layer.starts.time()
        days = Hours(layer.weekdays, clock, clock)
        if not hours.holds([days], layer.zone, at):
            return False
    if layer.hours and not hours.holds(layer.hours, layer.zone, at):
        return False
    if layer.holidays == "any":
        return True
    # A day that begins or ends in a change of clocks overlaps its neighbour.
    festive = any(
        Hours().on(day, layer.zone).starts_at
        <= at
        < Hours().on(day, layer.zone).ends_at
        for day in _days_around(at, layer.zone)
        if day in holidays
    )
    return festive == (layer.holidays == "only")


def _days_around(at: datetime, zone: ZoneInfo) -> tuple[date, ...]:
    today = at.astimezone(zone).date()
    return (today - hours.ONE_DAY, today)
