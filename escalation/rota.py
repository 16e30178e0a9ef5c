"""Who is on call at last: layers, swaps, overrides and temporary schedules together?

In this order, each over the former: the highest level of the layers that has somebody
(several layers of one level together); shift swaps that somebody took; overrides, of
which `only` puts all others aside, `replace` puts one person in another's place,
`remove` and `add` do what they say; and temporary schedules, which alone count in
their range.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from escalation import hours
from escalation.hours import DAY_NAMES, Span
from escalation.shifts import NOBODY, UNITS, Layer, People, Shift, on_call, shifts

ONLY, REPLACE, REMOVE, ADD = "only", "replace", "remove", "add"
OVERRIDES = (ONLY, REPLACE, REMOVE, ADD)


class Change(NamedTuple):
    """An override or a taken swap: what it does, from when until when (UTC)."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    person: UUID | None = None  # who comes in
    instead: UUID | None = None  # who goes

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


class Fixed(NamedTuple):
    """A shift that a calendar lists; it counts like a layer's of its level."""

    level: int
    starts_at: datetime
    ends_at: datetime
    person: UUID


@dataclass(frozen=True, slots=True)
class Temporary:
    """A temporary schedule: nothing else counts in its range."""

    starts_at: datetime
    ends_at: datetime
    shifts: Sequence[Shift] = ()

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Rota:
    """All that decides who is on call by one schedule."""

    zone: ZoneInfo
    layers: Sequence[Layer] = ()
    fixed: Sequence[Fixed] = ()
    swaps: Sequence[Change] = ()
    overrides: Sequence[Change] = ()
    temporaries: Sequence[Temporary] = ()
    holidays: Collection[date] = field(default_factory=frozenset)
    away: Mapping[UUID, Sequence[Span]] = field(default_factory=dict)
    # Are on call by nothing, not by an override either.
    inactive: frozenset[UUID] = frozenset()


def people_at(rota: Rota, at: datetime) -> People:
    """Return who is on call at a moment."""
    best, found = -1, list[People]()
    for level, people in _levels(rota, at):
        if people and level > best:
            best, found = level, [people]
        elif people and level == best:
            found.append(people)
    changed = [
        [c for c in all_ if c.holds(at)] for all_ in (rota.swaps, rota.overrides)
    ]
    return _amended(rota, at, _told(found), changed)


def _levels(rota: Rota, at: datetime) -> Iterator[tuple[int, People]]:
    """Yield whom each layer and each shift of a calendar puts on call."""
    for layer in rota.layers:
        yield (
            layer.level,
            on_call(layer, at, holidays=rota.holidays, away=rota.away),
        )
    for one in rota.fixed:
        if one.starts_at <= at < one.ends_at and one.person not in rota.inactive:
            yield one.level, (one.person,)


def _lies(at: datetime, shift: Shift) -> bool:
    return shift.starts_at <= at < shift.ends_at


def _told(found: Iterable[People]) -> People:
    """Return everybody once, in order."""
    return tuple(dict.fromkeys(person for people in found for person in people))


def _changed(people: People, changes: Sequence[Change]) -> People:
    """Apply overrides, in the order of their kinds and then as they are given."""
    for kind in OVERRIDES:
        mine = [c for c in changes if c.kind == kind]
        if not mine:
            continue
        if kind == ONLY:
            people = _told((c.person,) for c in mine if c.person)
        for change in mine:
            if kind == REPLACE and change.instead in people and change.person:
                people = tuple(
                    change.person if one == change.instead else one for one in people
                )
            elif kind == REMOVE:
                people = tuple(one for one in people if one != change.instead)
            elif kind == ADD and change.person:
                people = (*people, change.person)
    return _told([people])


def final(rota: Rota, within: Span) -> list[Shift]:
    """Return who is on call when: shifts in order, no two of which overlap. What no
    shift covers is a gap."""
    layers = [
        (layer.level, shifts(layer, within, holidays=rota.holidays, away=rota.away))
        for layer in rota.layers
    ]
    layers += [
        (one.level, [Shift(one.starts_at, one.ends_at, (one.person,))])
        for one in rota.fixed
        if one.person not in rota.inactive
    ]
    edges = {within.starts_at, within.ends_at}
    for _level, found in layers:
        for shift in found:
            edges.add(shift.starts_at)
            edges.add(shift.ends_at)
    for change in (*rota.swaps, *rota.overrides):
        edges.update((change.starts_at, change.ends_at))
    for temporary in rota.temporaries:
        edges.update((temporary.starts_at, temporary.ends_at))
        for shift in temporary.shifts:
            edges.update((shift.starts_at, shift.ends_at))
    times = sorted(t for t in edges if within.starts_at <= t <= within.ends_at)
    levels = _by_level(layers, times)
    changed = [Ahead(changes) for changes in (rota.swaps, rota.overrides)]
    pieces = (
        Shift(
            begin, end, _amended(rota, begin, levels[i], [c.at(begin) for c in changed])
        )
        for i, (begin, end) in enumerate(pairwise(times))
    )
    return merged(piece for piece in pieces if piece.people)


def _by_level(
    layers: Sequence[tuple[int, Sequence[Shift]]], times: Sequence[datetime]
) -> list[People]:
    """Return whom the layers put on call from each of the times to the next."""
    best = [-1] * len(times)
    found: list[People] = [NOBODY] * len(times)
    for level, own in layers:
        for shift in own:
            first = bisect_left(times, shift.starts_at)
            for i in range(first, bisect_left(times, shift.ends_at)):
                if level > best[i]:
                    best[i], found[i] = level, shift.people
                elif level == best[i]:
                    found[i] = _told((found[i], shift.people))
    return found


PLACE = itemgetter(0)


class Ahead:
    """Changes, asked about one moment after the other: none is looked at again that
    is over, nor before it begins. They keep their order."""

    def __init__(self, changes: Sequence[Change]) -> None:
        begins = enumerate(changes)
        self._coming = sorted(begins, key=lambda one: one[1].starts_at, reverse=True)
        self._begun: list[tuple[int, Change]] = []

    def at(self, moment: datetime) -> list[Change]:
        self._begun = [one for one in self._begun if moment < one[1].ends_at]
        while self._coming and self._coming[-1][1].starts_at <= moment:
            self._begun.append(self._coming.pop())
        return [
            one for _place, one in sorted(self._begun, key=PLACE) if one.holds(moment)
        ]


def _amended(
    rota: Rota, at: datetime, people: People, changed: Iterable[Sequence[Change]]
) -> People:
    """Return whom the changes leave on call, given whom the layers put there."""
    for temporary in rota.temporaries:
        if temporary.holds(at):
            people = _told(s.people for s in temporary.shifts if _lies(at, s))
            return _active(rota, people)
    for mine in changed:
        if mine:
            people = _active(rota, _changed(people, mine))
    return people


def _active(rota: Rota, people: People) -> People:
    return tuple(person for person in people if person not in rota.inactive)


def merged(pieces: Iterable[Shift]) -> list[Shift]:
    """Return shifts in order, where the same people go on as one."""
    result: list[Shift] = []
    for piece in pieces:
        last = result[-1] if result else None
        if last and (last.ends_at, last.people) == (piece.starts_at, piece.people):
            result[-1] = last._replace(ends_at=piece.ends_at)
        else:
            result.append(piece)
    return result


def gaps(rota: Rota, within: Span) -> list[Span]:
    """Return when nobody is on call."""
    return gaps_in(final(rota, within), within)


def gaps_in(found: Iterable[Shift], within: Span) -> list[Span]:
    """Return when nobody is on call, given the final shifts."""
    spans = hours.joined(Span(shift.starts_at, shift.ends_at) for shift in found)
    return hours.gaps(spans, within)


# --- what it costs ---

# One looks at some hundred thousand people a second: what the engine may take for one
# schedule, and what a page, a feed or an answer may take for all that it shows.
MOST_EFFORT = 500_000
MOST_SHOWN = 200_000
# Whom layers put on call together is joined faster than it is found.
PEOPLE_OF_A_LOOK = 10
LENGTHS = {**UNITS, "monthly": timedelta(days=28)}


def is_too_much(rota: Rota, within: Span) -> bool:
    """Whether to reckon this would keep a process of all tenants from its work."""
    return effort(rota, within) > MOST_EFFORT


class Budget:
    """What may still be reckoned for one page, whatever the number of schedules."""

    def __init__(self, left: int = MOST_SHOWN) -> None:
        self._left = left

    def takes(self, rota: Rota, within: Span) -> bool:
        """Whether enough is left to reckon a stretch; if so it is taken."""
        needed = effort(rota, within)
        if needed > self._left:
            return False
        self._left -= needed
        return True


def effort(rota: Rota, within: Span) -> int:
    """Return about how many looks at a person it takes to reckon a stretch."""
    whole = within.ends_at - within.starts_at
    looks = edges = crowd = 0
    for layer in rota.layers:
        people = [person for turn in layer.turns for person in turn]
        cuts = [len(rota.away[one]) for one in people if one in rota.away]
        days = sum(len(one.days) for one in layer.hours)
        pieces = whole // (LENGTHS[layer.frequency] * layer.every) + 1 + sum(cuts)
        pieces += -(-whole.days * days // len(DAY_NAMES))
        # Of who is there one turn is looked at, else all until somebody is.
        looks += pieces * (len(people) if cuts else 1)
        edges += pieces
        crowd += max(map(len, layer.turns), default=0)
    lasting: list[Change | Fixed] = [*rota.swaps, *rota.overrides, *rota.fixed]
    own = [len(one.shifts) for one in rota.temporaries]
    edges += 2 * (len(lasting) + len(own) + sum(own))
    held = sum((_inside(one, within) for one in lasting), timedelta())
    at_once = len(own) + max(own, default=0) + len(OVERRIDES) * held / whole
    at_once += crowd / PEOPLE_OF_A_LOOK
    return round(looks + edges * (1 + at_once))


def _inside(one: Change | Fixed, within: Span) -> timedelta:
    begin, end = within
    return max(min(one.ends_at, end) - max(one.starts_at, begin), timedelta())


def people_of(rota: Rota) -> set[UUID]:
    """Return everybody who may ever be on call by it."""
    found = {one for layer in rota.layers for turn in layer.turns for one in turn}
    found.update(one.person for one in rota.fixed)
    found.update(one.person for one in (*rota.swaps, *rota.overrides) if one.person)
    for temporary in rota.temporaries:
        found.update(one for shift in temporary.shifts for one in shift.people)
    return found


class Coming(NamedTuple):
    """Who is on call, until when, and who comes then; `too_much`: the last two would
    have kept others waiting."""

    people: People
    until: datetime | None
    then: People
    too_much: bool = False


LOOKS = tuple(timedelta(days=n) for n in (2, 8, 40, 400))


def coming(rota: Rota, at: datetime, budget: Budget | None = None) -> Coming:
    """Return who is on call at `at`, when that changes, and to whom. `until` is None
    where nothing changes within 400 days, or as far as can be told without keeping
    others waiting (by `budget`, if several are asked)."""
    people = people_at(rota, at)
    for ahead in LOOKS:
        end = at + ahead
        if not (budget or Budget(MOST_EFFORT)).takes(rota, Span(at, end)):
            return Coming(people, None, NOBODY, too_much=True)
        found = final(rota, Span(at, end))
        first = found[0] if found else None
        if not people and first:
            return Coming(NOBODY, first.starts_at, first.people)
        if people and first and first.ends_at < end:
            after = found[1] if len(found) > 1 else None
            if after is None or after.starts_at > first.ends_at:
                return Coming(people, first.ends_at, NOBODY)
            return Coming(people, first.ends_at, after.people)
    return Coming(people, None, NOBODY)
