"""How good is a schedule: has it gaps, is somebody booked twice, is it fair?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from escalation import hours, rota
from escalation.hours import Hours, Span
from escalation.rota import Rota
from escalation.shifts import Shift, shifts

NIGHT = Hours(begins=time(22), ends=time(6))
WEEKEND = Hours(days=frozenset({5, 6}))
NO_TIME = timedelta()
# Somebody who carries everything alone costs this share of the score at most.
WEIGHT_OF_BALANCE = 0.5
PERFECT = 100


class Load(NamedTuple):
    """What one person carries; nights and weekends by his own clock."""

    person: UUID
    time: timedelta
    nights: timedelta
    weekends: timedelta


class Double(NamedTuple):
    """A stretch in which somebody is on call by several things at once."""

    person: UUID
    starts_at: datetime
    ends_at: datetime
    by: tuple[Hashable, ...]


@dataclass(frozen=True)
class Quality:
    """What there is to say of a schedule over a stretch of time."""

    gaps: Sequence[Span]
    doubles: Sequence[Double]
    loads: Sequence[Load]
    imbalance: float  # 0: all carry the same; 1: one carries everything
    score: int  # 0 to 100


def report(
    given: Rota, within: Span, zones: Mapping[UUID, ZoneInfo] | None = None
) -> Quality:
    """Return the quality of a schedule; `zones`: by whose clock nights are nights,
    the schedule's for whoever is not in it."""
    found = rota.final(given, within)
    gaps = rota.gaps_in(found, within)
    twice = doubles_in(given, within)
    loads = carried(found, within, given.zone, zones or {}, people_of(given))
    imbalance = unevenness([load.time for load in loads])
    return Quality(gaps, twice, loads, imbalance, score(within, gaps, twice, imbalance))


def score(
    within: Span,
    gaps: Sequence[Span],
    doubles: Sequence[Double],
    imbalance: float,
) -> int:
    """Return 0 to 100: the share of time that is covered, less the share that is
    booked twice, less up to a half for imbalance. With a gap it is never 100."""
    whole = within.ends_at - within.starts_at
    if not whole:
        return 0
    covered = 1 - length(gaps) / whole
    booked = hours.joined(Span(one.starts_at, one.ends_at) for one in doubles)
    single = 1 - length(booked) / whole
    found = PERFECT * covered * single * (1 - WEIGHT_OF_BALANCE * imbalance)
    return min(round(found), PERFECT - 1 if gaps or doubles else PERFECT)


def length(spans: Sequence[Span]) -> timedelta:
    """Return how long the spans are together; no two of them overlap."""
    return sum((span.ends_at - span.starts_at for span in spans), NO_TIME)


# --- who carries how much ---


def people_of(given: Rota) -> list[UUID]:
    """Return everybody who has a turn in a layer, but those who are switched off."""
    people = (p for layer in given.layers for turn in layer.turns for p in turn)
    return [p for p in dict.fromkeys(people) if p not in given.inactive]


def carried(
    found: Sequence[Shift],
    within: Span,
    zone: ZoneInfo,
    zones: Mapping[UUID, ZoneInfo],
    also: Collection[UUID] = (),
) -> list[Load]:
    """Return what each person carries, most first; `also`: people to name even if
    they carry nothing."""
    mine: dict[UUID, list[Span]] = {person: [] for person in also}
    for shift in found:
        for person in shift.people:
            mine.setdefault(person, []).append(Span(shift.starts_at, shift.ends_at))
    dark: dict[ZoneInfo, tuple[list[Span], list[Span]]] = {}
    loads = []
    for person, spans in mine.items():
        clock = zones.get(person, zone)
        if clock not in dark:
            dark[clock] = (
                hours.covered([NIGHT], clock, within),
                hours.covered([WEEKEND], clock, within),
            )
        nights, weekends = dark[clock]
        own = hours.joined(spans)
        loads.append(
            Load(
                person,
                length(own),
                length(hours.both(own, nights)),
                length(hours.both(own, weekends)),
            )
        )
    return sorted(loads, key=lambda load: -load.time)


def unevenness(times: Sequence[timedelta]) -> float:
    """Return 0 where all are equal, 1 where one has everything."""
    whole = sum(times, NO_TIME)
    if len(times) < 2 or not whole:
        return 0.0
    even = 1 / len(times)
    over = sum(max(own / whole - even, 0) for own in times)
    return over / (1 - even)


# --- who is booked twice ---


def doubles_in(given: Rota, within: Span) -> list[Double]:
    """Return when several layers of one level put the same person on call: fewer
    people are there than were meant."""
    found: list[Double] = []
    levels: dict[int, dict[Hashable, list[Shift]]] = defaultdict(dict)
    for number, layer in enumerate(given.layers):
        levels[layer.level][layer.key or number] = shifts(
            layer, within, holidays=given.holidays, away=given.away
        )
    for own in levels.values():
        if len(own) > 1:
            found += doubles(own)
    return sorted(found, key=lambda one: (one.starts_at, str(one.person)))


def doubles(sources: Mapping[Hashable, Sequence[Shift]]) -> list[Double]:
    """Return when somebody is in the shifts of several sources at once, in order."""
    edges: dict[UUID, list[tuple[datetime, bool, Hashable]]] = defaultdict(list)
    for source, own in sources.items():
        for shift in own:
            for person in shift.people:
                edges[person].append((shift.starts_at, True, source))
                edges[person].append((shift.ends_at, False, source))
    order = list(sources)
    found = [one for person, own in edges.items() for one in _twice(person, own, order)]
    return sorted(found, key=lambda one: (one.starts_at, str(one.person)))


def _twice(
    person: UUID,
    edges: list[tuple[datetime, bool, Hashable]],
    order: Sequence[Hashable],
) -> list[Double]:
    found: list[Double] = []
    at_work: dict[Hashable, int] = {}
    since: datetime | None = None
    for at, begins, source in sorted(edges, key=lambda edge: (edge[0], edge[1])):
        by = tuple(source for source in order if source in at_work)
        if len(by) > 1 and since is not None and since < at:
            last = found[-1] if found else None
            if last and (last.ends_at, last.by) == (since, by):
                found[-1] = last._replace(ends_at=at)
            else:
                found.append(Double(person, since, at, by))
        since = at
        at_work[source] = at_work.get(source, 0) + (1 if begins else -1)
        if not at_work[source]:
            del at_work[source]
    return found
