"""Who has to be on call at a moment? The rules of docs/schedules.md, one by one.

Asked for single moments only, so nothing here is as quick or as short as the product's
spans of time, and nothing is shared with it.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, time, timedelta
from functools import cache

import holidays as library

from tests.timemachine.wall import days_around, first, last, whole_day
from tests.timemachine.world import END, WEEK, Layer, Person, Schedule

DAY = timedelta(days=1)
AFTER = END + timedelta(days=40)


class Cover:
    """One tenant's people and one of its schedules."""

    def __init__(self, schedule: Schedule, people: dict[str, Person]) -> None:
        self.schedule, self.people = schedule, people
        self._begins: dict[int, tuple[list[datetime], list[datetime]]] = {}

    def who(self, at: datetime) -> frozenset[str]:
        """Return the keys of those on call."""
        for temporary in self.schedule.temporaries:
            if temporary.starts <= at < temporary.ends:
                return self._active(
                    who for who, begin, end in temporary.shifts if begin <= at < end
                )
        return self._active(self._overridden(self._swapped(self.by_layers(at), at), at))

    def _active(self, found: object) -> frozenset[str]:
        return frozenset(k for k in found if self.people[k].active)  # type: ignore[attr-defined]

    def by_layers(self, at: datetime) -> set[str]:
        """Return whom the highest layers and calendars that have somebody say."""
        said: dict[int, set[str]] = {}
        for number, layer in enumerate(self.schedule.layers):
            found = self.by_layer(number, layer, at)
            if found:
                said.setdefault(layer.level, set()).update(found)
        for one in self.schedule.imported:
            # Who wrote the calendar knew of absences: nobody stands in.
            there = not one.overrides and self.people[one.member].active
            if there and one.starts <= at < one.ends:
                said.setdefault(one.level, set()).add(one.member)
        return said[max(said)] if said else set()

    def _swapped(self, found: set[str], at: datetime) -> set[str]:
        for swap in self.schedule.swaps:
            taken = swap.benefactor and swap.starts <= at < swap.ends
            if taken and swap.beneficiary in found:
                found = (found - {swap.beneficiary}) | {swap.benefactor}
        return found

    def _overridden(self, found: set[str], at: datetime) -> set[str]:
        now = [o for o in self.schedule.overrides if o.starts <= at < o.ends]
        alone = {o.member for o in now if o.kind == "only"} | {
            one.member
            for one in self.schedule.imported
            if one.overrides and one.starts <= at < one.ends
        }
        if alone:
            found = alone
        for one in now:
            if one.kind == "replace" and one.instead in found:
                found = (found - {one.instead}) | {one.member}
        found = found - {o.instead for o in now if o.kind == "remove"}
        return found | {o.member for o in now if o.kind == "add"}

    # --- one layer ---

    def by_layer(self, number: int, layer: Layer, at: datetime) -> set[str]:
        """Return whom one layer says; nobody outside its hours, days and turns."""
        zone = layer.zone or self.schedule.zone
        if number not in self._begins:
            self._begins[number] = begins(layer, zone)
        moments, walls = self._begins[number]
        turn = bisect_right(moments, at) - 1
        if turn < 0:
            return set()
        ends = []
        if layer.lasts is not None:
            ends.append(walls[turn] + timedelta(minutes=layer.lasts))
        if layer.ends_on is not None:
            ends.append(datetime.combine(layer.ends_on, layer.handoff))
        if any(at >= last(zone, end) for end in ends):
            return set()
        if not listed(layer, zone, at) or not within(layer, zone, at):
            return set()
        if layer.holidays != "any":
            feast = is_feast(zone, at, self.schedule.country, self.schedule.subdivision)
            if feast != (layer.holidays == "only"):
                return set()
        return self._present(layer, turn + layer.first_turn, at)

    def _present(self, layer: Layer, turn: int, at: datetime) -> set[str]:
        """Return who is there of this turn, or else of the next that has somebody.

        Whoever is inactive is absent in every schedule, so he is stood in for too.
        """
        for further in range(len(layer.turns)):
            members = layer.turns[(turn + further) % len(layer.turns)]
            there = {key for key in members if not self._absent(key, at)}
            if there:
                return there
        return set()

    def _absent(self, key: str, at: datetime) -> bool:
        person = self.people[key]
        if not person.active:
            return True
        if not self.schedule.stand_in:
            return False
        if any(begin <= at < end for begin, end in person.absences):
            return True
        return bool(person.country) and is_feast(person.zone, at, person.country, "")


def begins(layer: Layer, zone: str) -> tuple[list[datetime], list[datetime]]:
    """Return when each turn begins, and the wall time at which it should."""
    moments: list[datetime] = []
    walls: list[datetime] = []
    turn = 0
    while not moments or moments[-1] < AFTER:
        wall = wall_begin(layer, turn)
        moments.append(first(zone, wall))
        walls.append(wall)
        turn += 1
    return moments, walls


def wall_begin(layer: Layer, turn: int) -> datetime:
    """Return the wall time of a turn's begin."""
    start = datetime.combine(layer.starts_on, layer.handoff)
    units = turn * layer.every
    if layer.frequency == "hourly":
        return start + timedelta(hours=units)
    if layer.frequency == "weekly":
        return start + timedelta(weeks=units)
    if layer.frequency == "monthly":
        return datetime.combine(months_later(layer.starts_on, units), layer.handoff)
    if len(set(layer.weekdays)) == len(WEEK):
        return start + timedelta(days=units)
    return datetime.combine(listed_day(layer, units), layer.handoff)


def months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 0, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError


@cache
def listed_day(layer: Layer, number: int) -> date:
    """Return the listed day of this number, on or after the first day."""
    day = listed_day(layer, number - 1) + DAY if number else layer.starts_on
    while WEEK[day.weekday()] not in layer.weekdays:
        day += DAY
    return day


def listed(layer: Layer, zone: str, at: datetime) -> bool:
    """Whether `at` lies in a stretch that begins on a listed weekday."""
    if len(set(layer.weekdays)) == len(WEEK):
        return True
    return any(
        first(zone, datetime.combine(day, layer.handoff))
        <= at
        < last(zone, datetime.combine(day + DAY, layer.handoff))
        for day in days_around(zone, at)
        if WEEK[day.weekday()] in layer.weekdays
    )


def within(layer: Layer, zone: str, at: datetime) -> bool:
    """Whether `at` lies in the layer's weekly hours, if it has any."""
    if not layer.hours:
        return True
    return any(
        in_hours(zone, at, one.days, one.begins, one.ends) for one in layer.hours
    )


def in_hours(
    zone: str, at: datetime, days: tuple[str, ...], begins: time, ends: time
) -> bool:
    """Whether `at` lies in hours that begin on one of these days."""
    return any(
        begin <= at < end for begin, end in hours_near(zone, at, days, begins, ends)
    )


def hours_near(
    zone: str, at: datetime, days: tuple[str, ...], begins: time, ends: time
) -> list[tuple[datetime, datetime]]:
    """Return begin and end of the weekly hours on the days around `at`."""
    return [
        (
            first(zone, datetime.combine(day, begins)),
            last(zone, datetime.combine(day if ends > begins else day + DAY, ends)),
        )
        for day in days_around(zone, at)
        if WEEK[day.weekday()] in days
    ]


def is_feast(zone: str, at: datetime, country: str, subdivision: str) -> bool:
    """Whether `at` lies in a public holiday, a whole day of the zone."""
    for day in days_around(zone, at):
        if day in feasts(country, subdivision):
            begin, end = whole_day(zone, day)
            if begin <= at < end:
                return True
    return False


@cache
def feasts(country: str, subdivision: str) -> frozenset[date]:
    """Return the public holidays of all years in question."""
    if not country:
        return frozenset()
    found = library.country_holidays(
        country, subdiv=subdivision or None, years=range(2027, 2030)
    )
    return frozenset(found)
