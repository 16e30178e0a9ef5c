"""How good is a schedule?"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from escalation import quality
from escalation.hours import Hours, Span
from escalation.quality import Double
from escalation.rota import Rota
from escalation.shifts import Layer, Shift

ZONE = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
A, B, C = (UUID(int=n) for n in (1, 2, 3))


def layer(*people: UUID, **more) -> Layer:
    base: dict[str, Any] = {
        "zone": ZoneInfo("UTC"),
        "starts": MONDAY.replace(tzinfo=None),
    }
    return Layer(turns=[(person,) for person in people], **(base | more))


def order(*layers: Layer) -> Rota:
    return Rota(zone=ZoneInfo("UTC"), layers=layers)


FORTNIGHT = Span(MONDAY, MONDAY + 2 * WEEK)


def test_two_who_take_turns_without_a_gap_score_a_hundred():
    found = quality.report(order(layer(A, B)), FORTNIGHT)
    assert (found.gaps, found.doubles, found.imbalance) == ([], [], 0)
    assert found.score == 100


def test_hours_without_anybody_are_gaps_and_cost_their_share():
    office = layer(A, B, hours=[Hours(begins=time(8), ends=time(20))])
    found = quality.report(order(office), FORTNIGHT)
    assert len(found.gaps) == 15
    assert found.score == 50


def test_the_smallest_gap_keeps_a_schedule_from_being_perfect():
    short = layer(A, B, frequency="daily", lasts=timedelta(hours=23, minutes=59))
    found = quality.report(order(short), FORTNIGHT)
    assert found.score == 99


def test_whoever_carries_everything_costs_half():
    found = quality.report(order(layer(A, B)), Span(MONDAY, MONDAY + WEEK))
    assert found.imbalance == 1
    assert found.score == 50
    assert [load.person for load in found.loads] == [A, B]
    assert found.loads[1].time == timedelta()


def test_one_person_alone_is_not_unfair():
    assert quality.report(order(layer(A)), FORTNIGHT).score == 100


def test_nights_and_weekends_are_those_of_the_persons_own_clock():
    shifts = [Shift(MONDAY, MONDAY + WEEK, (A, B))]
    within = Span(MONDAY, MONDAY + WEEK)
    ours = {B: ZoneInfo("Asia/Tokyo")}
    loads = quality.carried(shifts, within, ZoneInfo("UTC"), ours)
    by = {load.person: load for load in loads}
    assert by[A] == (A, WEEK, 7 * 8 * HOUR, 2 * DAY)
    # In Tokyo Sunday ends 9 hours before this week does.
    assert by[B].weekends == 2 * DAY
    assert by[B].nights == 7 * 8 * HOUR
    evening = [Shift(MONDAY + 22 * HOUR, MONDAY + 24 * HOUR, (A, B))]
    found = quality.carried(evening, within, ZoneInfo("UTC"), ours)
    assert {load.person: load.nights for load in found} == {
        A: 2 * HOUR,
        B: timedelta(),
    }


def test_a_night_with_a_change_of_clocks_has_an_hour_more_or_less():
    for day, hours in ((datetime(2026, 3, 28, tzinfo=UTC), 7), (MONDAY, 8)):
        within = Span(day + 15 * HOUR, day + 33 * HOUR)
        (load,) = quality.carried([Shift(*within, (A,))], within, ZONE, {})
        assert load.nights == hours * HOUR


def test_the_same_person_in_two_layers_of_one_level_is_booked_twice():
    together = order(layer(A, B), layer(A, C))
    found = quality.report(together, Span(MONDAY, MONDAY + 2 * WEEK))
    assert found.doubles == [Double(A, MONDAY, MONDAY + WEEK, (0, 1))]
    assert found.score < 100
    # A lower level is not at work while a higher one is.
    apart = order(layer(A, B, level=1), layer(A, C))
    assert quality.report(apart, FORTNIGHT).doubles == []


def test_doubles_name_the_sources_and_join_what_touches():
    sources: dict[Hashable, list[Shift]] = {
        "one": [
            Shift(MONDAY, MONDAY + DAY, (A,)),
            Shift(MONDAY + DAY, MONDAY + 2 * DAY, (A, B)),
        ],
        "two": [Shift(MONDAY + HOUR, MONDAY + 2 * DAY, (A,))],
        "three": [Shift(MONDAY + 2 * DAY, MONDAY + 3 * DAY, (A, B))],
    }
    assert quality.doubles(sources) == [
        Double(A, MONDAY + HOUR, MONDAY + 2 * DAY, ("one", "two"))
    ]


def test_nobody_and_nothing_have_a_score_too():
    found = quality.report(order(), FORTNIGHT)
    assert (found.score, len(found.gaps), found.loads) == (0, 1, [])
    assert quality.report(order(layer(A)), Span(MONDAY, MONDAY)).score == 0
