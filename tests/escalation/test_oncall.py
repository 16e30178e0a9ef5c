"""Who is on call, also on the days the clocks change?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.models import Schedule, Turn
from escalation.oncall import instant, shift_index, shift_start, who
from tenants.models import Member

NEW_YORK = ZoneInfo("America/New_York")


def schedule(zone: str, handoff: time = time(9), days: int = 7) -> Schedule:
    return Schedule(
        name="Ops",
        time_zone=zone,
        starts_on=date(2024, 1, 1),
        handoff=handoff,
        turn_days=days,
    )


def test_a_time_that_does_not_exist_moves_to_the_end_of_the_gap():
    moment = instant(date(2024, 3, 10), time(2, 30), NEW_YORK)
    assert moment == datetime(2024, 3, 10, 7, 0, tzinfo=UTC)


def test_an_ambiguous_time_is_its_first_occurrence():
    moment = instant(date(2024, 11, 3), time(1, 30), NEW_YORK)
    assert moment == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)


def test_a_week_across_the_change_is_an_hour_longer_and_has_no_gap():
    order = schedule("America/Chicago")
    order.starts_on = date(2024, 10, 28)
    start, end = shift_start(order, 0), shift_start(order, 1)
    assert end - start == timedelta(hours=169)


def test_turns_follow_each_other_and_nobody_is_on_call_without_turns():
    order = schedule("Europe/Paris")
    members = [Member(name=name) for name in ("Ana", "Ben", "Chloe")]
    turns = [Turn(schedule=order, member=member) for member in members]
    ana, ben, chloe = members
    start = shift_start(order, 4)
    now = who(order, turns, start)
    assert (now.member, now.next_member) == (ben, chloe)
    assert now.until == shift_start(order, 5)
    assert who(order, turns, start - timedelta(seconds=1)).member == ana
    assert who(order, [], start).member is None


ZONES = ["America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"]


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    handoff=st.times(),
    days=st.integers(1, 14),
    moment=st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1)),
)
def test_at_every_instant_exactly_one_turn_holds(zone, handoff, days, moment):
    order = schedule(zone, handoff, days)
    moment = moment.replace(tzinfo=UTC)
    index = shift_index(order, moment)
    assert shift_start(order, index) <= moment < shift_start(order, index + 1)


@pytest.mark.parametrize("zone", ZONES)
def test_turns_never_leave_a_gap_over_five_years(zone):
    order = schedule(zone, time(2, 30), 1)
    starts = [shift_start(order, index) for index in range(5 * 365)]
    assert starts == sorted(set(starts))
