"""Does whoever is on call stay so while turns are added and removed?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from escalation import shifts
from escalation.anchoring import rebased
from escalation.shifts import FREQUENCIES, Layer

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe")
A, B, C, D = (UUID(int=n) for n in range(1, 5))
START = datetime(2026, 1, 5, 9)
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
WEEK = timedelta(days=7)


def layer(*people: UUID | tuple[UUID, ...], **more) -> Layer:
    turns = [one if isinstance(one, tuple) else (one,) for one in people]
    base: dict[str, Any] = {"zone": ZoneInfo("UTC"), "starts": START, "turns": turns}
    return Layer(**(base | more))


def after(old: Layer, new: Layer, at: datetime) -> Layer:
    return replace(new, first=rebased(old, new, at))


def sequence(one: Layer, at: datetime, count: int) -> str:
    names = {A: "A", B: "B", C: "C", D: "D"}
    turns = (shifts.on_call(one, at + WEEK * n) for n in range(count))
    return " ".join("".join(names[p] for p in people) for people in turns)


def test_who_is_added_comes_where_he_was_put():
    old = layer(A, B, C)
    at = MONDAY + 4 * WEEK  # B
    assert sequence(after(old, layer(A, D, B, C), at), at, 5) == "B C A D B"
    assert sequence(after(old, layer(A, B, C, D), at), at, 5) == "B C D A B"


def test_who_is_removed_changes_nothing_now():
    old = layer(A, B, C)
    at = MONDAY + 5 * WEEK  # C
    assert sequence(after(old, layer(A, C), at), at, 3) == "C A C"
    assert sequence(after(old, layer(B, C), at), at, 3) == "C B C"


def test_after_the_one_at_work_is_gone_the_next_takes_over():
    old = layer(A, B, C)
    at = MONDAY + WEEK  # B
    assert sequence(after(old, layer(A, C), at), at, 3) == "C A C"
    assert rebased(old, layer(D), at) == 0


def test_a_turn_that_gets_another_member_stays_the_same_turn():
    old = layer(A, (B, C))
    at = MONDAY + 3 * WEEK
    assert sequence(after(old, layer(A, (B, C, D)), at), at, 2) == "BCD A"
    assert sequence(after(old, layer((C,), A), at), at, 2) == "C A"


def test_of_several_turns_of_the_same_people_the_one_in_this_place_is_meant():
    old = layer(A, B, A, C)
    at = MONDAY + 2 * WEEK  # the second A, before C
    assert sequence(after(old, layer(D, A, B, A, C), at), at, 3) == "A C D"


def test_a_layer_that_begins_anew_or_has_not_begun_begins_with_its_first_turn():
    old = layer(A, B, first=1)
    moved = layer(A, B, starts=datetime(2026, 1, 6, 9))
    assert rebased(old, moved, MONDAY + 3 * WEEK) == 0
    assert rebased(old, layer(C, A, B), MONDAY - WEEK) == 0
    assert rebased(layer(), layer(A), MONDAY) == 0
    assert rebased(layer(A), layer(), MONDAY) == 0


people = st.integers(1, 9).map(lambda n: UUID(int=n))
turn = st.lists(people, min_size=1, max_size=2, unique=True).map(tuple)


@given(st.data())
def test_adding_and_removing_other_turns_never_changes_who_is_on_call(data):
    frequency = data.draw(st.sampled_from(FREQUENCIES))
    old = Layer(
        zone=ZoneInfo(data.draw(st.sampled_from(ZONES))),
        starts=START,
        turns=data.draw(st.lists(turn, min_size=1, max_size=6)),
        frequency=frequency,
        every=data.draw(st.integers(1, 30)),
        first=data.draw(st.integers(0, 9)),
    )
    at = MONDAY + timedelta(minutes=data.draw(st.integers(2000, 3_000_000)))
    mine = (old.index(at) + old.first) % len(old.turns)
    before = shifts.on_call(old, at)
    left = [
        one
        for number, one in enumerate(old.turns)
        if number == mine or data.draw(st.booleans())
    ]
    for _ in range(data.draw(st.integers(0, 4))):
        left.insert(data.draw(st.integers(0, len(left))), data.draw(turn))
    every = data.draw(st.integers(1, 30))
    new = after(old, replace(old, turns=left, every=every), at)
    assert set(shifts.on_call(new, at)) == set(before)
