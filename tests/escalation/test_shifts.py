"""Whose turn is it, also on the worst day of the year?"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation import hours, rota, shifts
from escalation.hours import EVERY_DAY, Hours, HoursError, Span
from escalation.rota import Change, Fixed, Rota, Temporary
from escalation.shifts import FREQUENCIES, Layer, Shift

NEW_YORK, LONDON, PARIS = map(
    ZoneInfo, ("America/New_York", "Europe/London", "Europe/Paris")
)
ANA, BEN, CHLOE, DAN = (UUID(int=n) for n in range(1, 5))
ALL = ((ANA,), (BEN,), (CHLOE,))


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def layer(zone: ZoneInfo = PARIS, **given) -> Layer:
    base: dict[str, Any] = {
        "starts": datetime(2024, 1, 1, 9),
        "turns": ALL,
        "frequency": "weekly",
    }
    return Layer(zone=zone, **(base | given))


class TestClocks:
    """The vectors of reference/wire-protocols.md 3.10."""

    def test_a_time_that_is_left_out_is_the_end_of_the_gap(self):
        night = Hours(EVERY_DAY, time(2, 30), time(4))
        assert night.on(date(2024, 3, 10), NEW_YORK) == Span(
            utc(2024, 3, 10, 7), utc(2024, 3, 10, 8)
        )

    def test_hours_begin_at_the_first_and_end_at_the_last_of_two_times(self):
        begins = Hours(EVERY_DAY, time(1, 30), time(5)).on(date(2024, 11, 3), NEW_YORK)
        ends = Hours(EVERY_DAY, time(0), time(1, 30)).on(date(2024, 11, 3), NEW_YORK)
        assert begins.starts_at == utc(2024, 11, 3, 5, 30)
        assert ends.ends_at == utc(2024, 11, 3, 6, 30)

    def test_hours_of_the_day_stay_on_the_wall_clock(self):
        day = Hours(EVERY_DAY, time(8, 30), time(17, 30))
        assert day.on(date(2023, 10, 28), LONDON) == Span(
            utc(2023, 10, 28, 7, 30), utc(2023, 10, 28, 16, 30)
        )
        assert day.on(date(2023, 10, 30), LONDON) == Span(
            utc(2023, 10, 30, 8, 30), utc(2023, 10, 30, 17, 30)
        )

    def test_a_week_across_the_change_is_an_hour_longer_and_has_no_gap(self):
        rotation = layer(ZoneInfo("America/Chicago"), starts=datetime(2024, 10, 28, 9))
        assert rotation.begins(1) - rotation.begins(0) == timedelta(hours=169)

    def test_hourly_turns_stay_on_their_hours(self):
        two = layer(NEW_YORK, starts=datetime(2024, 3, 9), frequency="hourly", every=2)
        day = Span(utc(2024, 3, 10, 5), utc(2024, 3, 11, 4))
        begins = [s.starts_at.astimezone(NEW_YORK) for s in shifts.shifts(two, day)]
        assert [b.hour for b in begins] == [0, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]

    def test_an_hour_that_is_left_out_leaves_its_turn_without_time(self):
        each = layer(
            NEW_YORK, starts=datetime(2024, 3, 10), frequency="hourly", every=1
        )
        day = Span(utc(2024, 3, 10, 5), utc(2024, 3, 10, 9))
        assert [s.people for s in shifts.shifts(each, day)] == [
            (ANA,), (BEN,), (ANA,), (BEN,),
        ]  # fmt: skip


class TestTurns:
    def test_turns_follow_each_other_and_nobody_is_on_call_before_the_first(self):
        weekly = layer()
        assert shifts.on_call(weekly, weekly.begins(0)) == (ANA,)
        assert shifts.on_call(weekly, weekly.begins(4)) == (BEN,)
        just_before = weekly.begins(4) - timedelta(seconds=1)
        assert shifts.on_call(weekly, just_before) == (ANA,)
        assert shifts.on_call(weekly, weekly.begins(0) - timedelta(seconds=1)) == ()
        assert shifts.on_call(layer(turns=()), weekly.begins(1)) == ()

    def test_any_turn_may_come_first_and_several_be_together(self):
        together = layer(turns=((ANA, BEN), (CHLOE,)), first=1)
        assert shifts.on_call(together, together.begins(0)) == (CHLOE,)
        assert shifts.on_call(together, together.begins(1)) == (ANA, BEN)

    def test_a_month_that_is_too_short_hands_over_on_its_last_day(self):
        monthly = layer(starts=datetime(2024, 1, 31, 9), frequency="monthly")
        days = [monthly.begins(n).astimezone(PARIS).date() for n in range(4)]
        assert days == [
            date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30),
        ]  # fmt: skip

    def test_daily_turns_count_listed_days_only(self):
        working = layer(frequency="daily", weekdays=frozenset(range(5)))
        week = Span(utc(2024, 1, 5), utc(2024, 1, 10))
        found = [
            (s.starts_at.astimezone(PARIS).strftime("%a"), s.people[0])
            for s in shifts.shifts(working, week)
        ]
        assert found == [
            ("Fri", ANA), ("Fri", BEN), ("Mon", CHLOE), ("Tue", ANA),
        ]  # fmt: skip

    def test_a_shift_may_end_before_the_turn_does(self):
        short = layer(frequency="daily", lasts=timedelta(hours=8))
        day = Span(utc(2024, 1, 1), utc(2024, 1, 2))
        assert shifts.shifts(short, day) == [
            Shift(utc(2024, 1, 1, 8), utc(2024, 1, 1, 16), (ANA,))
        ]

    def test_hours_and_holidays_cut(self):
        nights = layer(hours=(Hours(EVERY_DAY, time(22), time(6)),))
        day = Span(utc(2024, 1, 3), utc(2024, 1, 4))
        assert shifts.shifts(nights, day) == [
            Shift(utc(2024, 1, 3), utc(2024, 1, 3, 5), (ANA,)),
            Shift(utc(2024, 1, 3, 21), utc(2024, 1, 4), (ANA,)),
        ]
        festive = {date(2024, 1, 3)}
        never, only = layer(holidays="never"), layer(holidays="only")
        assert shifts.shifts(never, day, holidays=festive) == [
            Shift(utc(2024, 1, 3, 23), utc(2024, 1, 4), (ANA,))
        ]
        assert shifts.shifts(only, day, holidays=festive) == [
            Shift(utc(2024, 1, 3), utc(2024, 1, 3, 23), (ANA,))
        ]

    def test_the_next_stands_in_for_who_is_away(self):
        pair = layer(turns=((ANA, DAN), (BEN,), (CHLOE,)))
        away = {
            ANA: [Span(utc(2024, 1, 2), utc(2024, 1, 5))],
            DAN: [Span(utc(2024, 1, 3), utc(2024, 1, 4))],
        }
        week = Span(utc(2024, 1, 1, 8), utc(2024, 1, 8, 8))
        found = shifts.shifts(pair, week, away=away)
        assert [s.people for s in rota.merged(found)] == [
            (ANA, DAN), (DAN,), (BEN,), (DAN,), (ANA, DAN),
        ]  # fmt: skip

    def test_nobody_is_left_when_all_are_away(self):
        week = Span(utc(2024, 1, 1, 8), utc(2024, 1, 8, 8))
        away = {one: [week] for one in (ANA, BEN, CHLOE)}
        assert shifts.shifts(layer(), week, away=away) == []


class TestRota:
    DAY = Span(utc(2024, 1, 3), utc(2024, 1, 4))

    def final(self, *layers: Layer, **given) -> list[Shift]:
        return rota.final(Rota(PARIS, layers, **given), self.DAY)

    def test_the_highest_level_wins_and_equal_ones_are_together(self):
        low, high = layer(), layer(turns=((BEN,),), level=2, frequency="daily")
        same = layer(turns=((CHLOE,),), level=2, frequency="daily")
        nights = (Hours(EVERY_DAY, time(20), time(6)),)
        cut = layer(turns=((BEN,),), level=2, hours=nights)
        assert self.final(low, high, same) == [Shift(*self.DAY, (BEN, CHLOE))]
        assert self.final(low, cut) == [
            Shift(utc(2024, 1, 3), utc(2024, 1, 3, 5), (BEN,)),
            Shift(utc(2024, 1, 3, 5), utc(2024, 1, 3, 19), (ANA,)),
            Shift(utc(2024, 1, 3, 19), utc(2024, 1, 4), (BEN,)),
        ]

    def test_overrides_come_over_layers_and_temporaries_over_all(self):
        noon, six = utc(2024, 1, 3, 12), utc(2024, 1, 3, 18)
        pair = layer(turns=((ANA, BEN),))

        def people(kind: str, person: UUID | None, instead: UUID | None = None):
            change = Change(kind, noon, six, person, instead)
            found = self.final(pair, overrides=[change])
            return next(s.people for s in found if s.starts_at <= noon < s.ends_at)

        assert people(rota.ONLY, CHLOE) == (CHLOE,)
        assert people(rota.ADD, CHLOE) == (ANA, BEN, CHLOE)
        assert people(rota.REMOVE, None, ANA) == (BEN,)
        assert people(rota.REPLACE, CHLOE, ANA) == (CHLOE, BEN)
        assert people(rota.REPLACE, CHLOE, DAN) == (ANA, BEN)
        temporary = Temporary(noon, six, [Shift(noon, utc(2024, 1, 3, 15), (DAN,))])
        only = Change(rota.ONLY, noon, six, CHLOE)
        found = self.final(pair, temporaries=[temporary], overrides=[only])
        assert [s.people for s in found] == [(ANA, BEN), (DAN,), (ANA, BEN)]
        assert rota.gaps_in(found, self.DAY) == [Span(utc(2024, 1, 3, 15), six)]

    def test_a_taken_swap_puts_one_in_the_others_place_under_an_override(self):
        swap = Change(rota.REPLACE, *self.DAY, DAN, ANA)
        off = Change(rota.REMOVE, *self.DAY, None, DAN)
        assert self.final(layer(), swaps=[swap]) == [Shift(*self.DAY, (DAN,))]
        assert self.final(layer(), swaps=[swap], overrides=[off]) == []

    def test_shifts_of_a_calendar_count_by_their_level(self):
        listed = Fixed(3, utc(2024, 1, 3, 6), utc(2024, 1, 3, 7), DAN)
        assert [s.people for s in self.final(layer(), fixed=[listed])] == [
            (ANA,), (DAN,), (ANA,),
        ]  # fmt: skip

    def test_who_has_left_is_on_call_by_nothing(self):
        add = Change(rota.ADD, *self.DAY, DAN)
        listed = Fixed(3, *self.DAY, DAN)
        gone = {"overrides": [add], "fixed": [listed], "inactive": frozenset({DAN})}
        assert self.final(layer(), **gone) == [Shift(*self.DAY, (ANA,))]

    def test_coming_says_until_when_and_who_is_next(self):
        weekly = Rota(PARIS, [layer()])
        begins = layer().begins(1)
        found = rota.coming(weekly, begins)
        assert found == ((BEN,), layer().begins(2), (CHLOE,), False)
        alone = Rota(PARIS, [layer(turns=((ANA,),))])
        assert rota.coming(alone, begins) == ((ANA,), None, (), False)
        early = Rota(PARIS, [layer(starts=datetime(2024, 1, 1, 9))])
        before = rota.coming(early, utc(2023, 12, 1))
        assert before == ((), utc(2024, 1, 1, 8), (ANA,), False)


class TestHours:
    def test_hours_are_written_and_read(self):
        said = [{"days": ["mon", "fri"], "begins": "09:00", "ends": "17:30"}]
        assert hours.as_json(hours.parse(said)) == said
        assert hours.parse([{}]) == (Hours(),)
        assert hours.parse([{"begins": "18:00", "ends": "24:00"}])[0].ends == time()

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ("mon", "list"),
            (["mon"], "object"),
            ([{"day": 1}], "unknown"),
            ([{"days": []}], "days"),
            ([{"days": ["lundi"]}], "day"),
            ([{"begins": "9"}], "begins"),
            ([{"ends": "25:00"}], "ends"),
            ([{"ends": 5}], "ends"),
            ([{}] * 51, "many"),
        ],
    )
    def test_what_cannot_be_read_says_why(self, said, code):
        with pytest.raises(HoursError) as caught:
            hours.parse(said)
        assert caught.value.code == code

    def test_spans_join_meet_and_leave_gaps(self):
        def span(a: int, b: int) -> Span:
            return Span(utc(2024, 1, 1, a), utc(2024, 1, 1, b))

        one = hours.joined([span(5, 7), span(1, 3), span(2, 4), span(7, 8)])
        assert one == [span(1, 4), span(5, 8)]
        assert hours.both(one, [span(3, 6)]) == [span(3, 4), span(5, 6)]
        assert hours.gaps(one, span(0, 9)) == [span(0, 1), span(4, 5), span(8, 9)]
        assert hours.without(one, [span(2, 6)]) == [span(1, 2), span(6, 8)]
        assert hours.lies_in(utc(2024, 1, 1, 1), one)
        assert not hours.lies_in(utc(2024, 1, 1, 4), one)


# --- at every instant exactly who the layers say ---

ZONES = sorted(
    zone
    for zone in available_timezones()
    if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))
)
NAMES = [uuid4() for _ in range(5)]
MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC, microsecond=0)
)
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))
DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def layers(draw, zone: ZoneInfo | None = None) -> Layer:
    zone = zone or ZoneInfo(draw(st.sampled_from(ZONES)))
    first = draw(st.dates(date(2022, 1, 1), date(2024, 1, 1)))
    people = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)
    return Layer(
        zone=zone,
        starts=datetime.combine(first, draw(CLOCKS)),
        turns=tuple(map(tuple, draw(st.lists(people, min_size=1, max_size=4)))),
        frequency=draw(st.sampled_from(FREQUENCIES)),
        every=draw(st.integers(1, 12)),
        first=draw(st.integers(0, 3)),
        weekdays=draw(st.just(EVERY_DAY) | DAYS),
        lasts=draw(
            st.none() | st.integers(1, 2000).map(lambda m: timedelta(minutes=m))
        ),
        hours=tuple(
            Hours(draw(DAYS), draw(CLOCKS), draw(CLOCKS))
            for _ in range(draw(st.integers(0, 2)))
        ),
        holidays=draw(st.sampled_from(shifts.HOLIDAYS)),
        level=draw(st.integers(0, 2)),
    )


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    handoff=CLOCKS,
    frequency=st.sampled_from(FREQUENCIES),
    every=st.integers(1, 30),
    moment=MOMENTS,
)
def test_at_every_instant_exactly_one_turn_holds(
    zone, handoff, frequency, every, moment
):
    one = Layer(
        ZoneInfo(zone),
        datetime.combine(date(2022, 1, 1), handoff),
        ALL,
        frequency=frequency,
        every=every,
    )
    index = one.index(moment)
    assert one.begins(index) <= moment < one.begins(index + 1)
    assert shifts.on_call(one, moment) == one.people(index)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), moment=MOMENTS)
def test_the_shifts_say_at_every_instant_what_the_moment_says(data, moment):
    zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
    within = Span(moment, moment + timedelta(days=9))
    stretches = st.tuples(st.integers(0, 200), st.integers(1, 90)).map(
        lambda n: Span(
            moment + timedelta(hours=n[0]), moment + timedelta(hours=n[0] + n[1])
        )
    )

    def change(kind: str, span: Span, person: UUID, instead: UUID) -> Change:
        return Change(kind, span.starts_at, span.ends_at, person, instead)

    whole = Rota(
        zone,
        data.draw(st.lists(layers(zone), max_size=3)),
        swaps=[
            change(rota.REPLACE, data.draw(stretches), *NAMES[:2])
            for _ in range(data.draw(st.integers(0, 1)))
        ],
        overrides=[
            change(kind, data.draw(stretches), *NAMES[2:4])
            for kind in data.draw(st.lists(st.sampled_from(rota.OVERRIDES), max_size=2))
        ],
        holidays=frozenset({(moment + timedelta(days=2)).date()}),
        away={
            name: hours.joined(data.draw(st.lists(stretches, max_size=2)))
            for name in NAMES[:2]
        },
    )
    found = rota.final(whole, within)
    assert all(a.ends_at <= b.starts_at for a, b in itertools.pairwise(found))
    edges = {t for s in found for t in (s.starts_at, s.ends_at)} | {within.starts_at}
    asked = {t + timedelta(seconds=d) for t in edges for d in (-1, 0, 1)}
    asked |= {moment + timedelta(minutes=47 * n) for n in range(100)}
    for at in sorted(t for t in asked if within.starts_at <= t < within.ends_at):
        said = next((s.people for s in found if s.starts_at <= at < s.ends_at), ())
        assert set(said) == set(rota.people_at(whole, at)), at


# --- what many spans cost ---


class Counted(list):
    """A list that counts how often it is looked at."""

    looks = 0

    def __getitem__(self, place):
        self.looks += 1
        return super().__getitem__(place)


def test_part_of_many_spans_is_found_without_a_look_at_each():
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    spans = Counted(
        Span(begin + 2 * n * hour, begin + (2 * n + 1) * hour) for n in range(10_000)
    )
    for first, lasts in ((0, 1), (1, 1), (777, 5), (19_990, 30), (30_000, 1)):
        within = Span(begin + first * hour, begin + (first + lasts) * hour)
        assert hours.part(spans, within) == hours.cut(list(spans), within)
    assert spans.looks < 200


def test_what_would_take_minutes_is_not_reckoned():
    """In the engine, one tenant's absurd schedule would keep all others waiting."""
    now = datetime(2026, 11, 21, tzinfo=UTC)
    people = [uuid4() for _ in range(200)]
    usual = Layer(
        zone=ZoneInfo("Europe/Paris"),
        starts=datetime(2020, 1, 1),
        turns=tuple((one,) for one in people[:8]),
        frequency="daily",
    )
    year = Span(now, now + timedelta(days=400))
    short = [
        Change(
            rota.ADD, now + timedelta(days=n), now + timedelta(days=n + 1), people[0]
        )
        for n in range(300)
    ]
    away = {one: [Span(now, year.ends_at)] for one in people}
    fine = Rota(zone=usual.zone, layers=(usual,) * 5, overrides=short, away=away)
    assert not rota.is_too_much(fine, year)

    hourly = replace(usual, frequency="hourly", turns=tuple((p,) for p in people))
    absurd = Rota(zone=usual.zone, layers=(hourly,) * 50, away=away)
    assert rota.is_too_much(absurd, year)
    assert rota.coming(absurd, now) == ((), None, (), True)
    long = [Change(rota.ADD, now, year.ends_at, people[n % 200]) for n in range(3_000)]
    piled = Rota(zone=usual.zone, layers=(hourly,), overrides=long)
    assert rota.is_too_much(piled, year)


def test_changes_ahead_are_those_that_hold():
    begin, hour = datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1)
    changes = [
        rota.Change(rota.ADD, begin + n * 7 % 50 * hour, begin + (60 + n) * hour)
        for n in range(40)
    ]
    ahead = rota.Ahead(changes)
    for n in range(120):
        at = begin + n * hour
        assert ahead.at(at) == [one for one in changes if one.holds(at)]
