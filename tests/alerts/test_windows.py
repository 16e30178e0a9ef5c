"""When does a silence hold? Asked by moments, also on days on which clocks change."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alertcenter.alerts import windows
from alertcenter.alerts.windows import Window, WindowError, standing
from alertcenter.common.clocks import as_utc

HOUR = 3600


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(rule: str, zone: str, begin: str, hours: float, end: str = "2030-01-01"):
    """A window whose first occurrence is `begin` by the clocks of `zone`."""
    first = datetime.fromisoformat(begin).replace(tzinfo=ZoneInfo(zone))
    return Window(first, at(end), rule, zone, int(hours * HOUR))


def shown(found: Window, since: str, most: int = 3) -> list[tuple[str, str]]:
    spans = islice(windows.spans(found, at(since)), most)
    return [
        (f"{one.starts_at:%m-%dT%H:%M}", f"{one.ends_at:%m-%dT%H:%M}") for one in spans
    ]


# --- without recurrence ---


def test_a_plain_window_holds_from_its_start_until_its_end():
    plain = Window(at("2026-01-01"), at("2026-01-02"))
    assert standing(plain, at("2025-12-31")) == (False, plain.starts_at)
    assert standing(plain, at("2026-01-01")) == (True, plain.ends_at)
    assert standing(plain, at("2026-01-02")) == (False, None)


# --- recurrence ---


def test_a_weekly_window_holds_on_its_days_only():
    weekly = window("FREQ=WEEKLY;BYDAY=SA,SU", "UTC", "2026-01-03T22:00", 4)
    assert standing(weekly, at("2026-01-03T21:59")) == (False, at("2026-01-03T22:00"))
    assert standing(weekly, at("2026-01-03T22:00")) == (True, at("2026-01-04T02:00"))
    assert standing(weekly, at("2026-01-04T02:00")) == (False, at("2026-01-04T22:00"))
    assert standing(weekly, at("2026-01-06T12:00")) == (False, at("2026-01-10T22:00"))


def test_nothing_holds_before_the_first_occurrence_or_after_the_end():
    daily = window("FREQ=DAILY", "UTC", "2026-01-05T10:00", 2, end="2026-01-07T11:00")
    assert standing(daily, at("2026-01-04T10:30")) == (False, at("2026-01-05T10:00"))
    assert standing(daily, at("2026-01-07T10:30")) == (True, at("2026-01-07T11:00"))
    assert standing(daily, at("2026-01-07T11:00")) == (False, None)
    over = window("FREQ=YEARLY", "UTC", "2026-01-05T10:00", 2, end="2026-12-01")
    assert standing(over, at("2026-06-01")) == (False, over.ends_at)


def test_occurrences_that_overlap_are_one():
    daily = window("FREQ=DAILY", "UTC", "2026-01-05T10:00", 30, end="2026-01-08")
    assert standing(daily, at("2026-01-05T11:00")) == (True, at("2026-01-08"))


def test_the_second_tuesday_and_the_last_day_of_a_month():
    patch = window("FREQ=MONTHLY;BYDAY=2TU", "UTC", "2026-01-01T20:00", 2)
    assert [one for one, _ in shown(patch, "2026-01-01")] == [
        "01-13T20:00",
        "02-10T20:00",
        "03-10T20:00",
    ]
    closing = window("FREQ=MONTHLY;BYMONTHDAY=-1", "UTC", "2026-01-01T20:00", 2)
    assert [one for one, _ in shown(closing, "2026-01-01")] == [
        "01-31T20:00",
        "02-28T20:00",
        "03-31T20:00",
    ]


def test_every_other_week_keeps_step_however_long_ago_it_began():
    fortnight = window("FREQ=WEEKLY;INTERVAL=2", "UTC", "2020-01-01T08:00", 1)
    found = [
        one.starts_at for one in islice(windows.spans(fortnight, at("2026-01-01")), 3)
    ]
    assert {(one - fortnight.starts_at).days % 14 for one in found} == {0}
    assert found[0] >= at("2026-01-01")


# --- clocks ---


def test_the_wall_clock_stays_when_the_offset_changes():
    nightly = window("FREQ=DAILY", "Europe/London", "2023-10-01T08:30", 9)
    assert shown(nightly, "2023-10-28", 1) == [("10-28T07:30", "10-28T16:30")]
    assert shown(nightly, "2023-10-30", 1) == [("10-30T08:30", "10-30T17:30")]


def test_a_night_on_which_clocks_change_is_shorter_or_longer():
    nightly = window("FREQ=DAILY", "Europe/Paris", "2026-03-01T22:00", 8)
    spring = next(windows.spans(nightly, at("2026-03-28T22:00")))
    autumn = next(windows.spans(nightly, at("2026-10-24T22:00")))
    assert spring.ends_at - spring.starts_at == timedelta(hours=7)
    assert autumn.ends_at - autumn.starts_at == timedelta(hours=9)


def test_a_time_that_is_left_out_is_the_first_moment_after_the_gap():
    early = window("FREQ=DAILY", "America/New_York", "2024-03-01T02:30", 1.5)
    assert shown(early, "2024-03-10T05:00", 1) == [("03-10T07:00", "03-10T08:00")]


def test_an_hour_that_is_left_out_whole_is_made_up_for_right_after():
    lost = window("FREQ=DAILY", "America/New_York", "2024-03-01T02:00", 1)
    assert shown(lost, "2024-03-10T05:00", 1) == [("03-10T07:00", "03-10T08:00")]


def test_an_hour_that_comes_twice_counts_from_its_first_to_its_last():
    late = window("FREQ=DAILY", "America/New_York", "2024-10-01T01:00", 0.5)
    assert shown(late, "2024-11-03T04:00", 1) == [("11-03T05:00", "11-03T06:30")]


def test_gaps_of_other_than_an_hour_are_known():
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # half an hour
    gap = as_utc(datetime(2024, 10, 6, 2, 15), lord_howe, last=False)
    assert gap == at("2024-10-05T15:30")
    apia = ZoneInfo("Pacific/Apia")  # a whole day
    gap = as_utc(datetime(2011, 12, 30, 12), apia, last=False)
    assert gap == at("2011-12-30T10:00")


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),
    st.integers(1, 40),
)
def test_a_standing_is_true_until_it_changes_and_not_a_second_longer(zone, moment, h):
    daily = window("FREQ=DAILY;INTERVAL=2", zone, "2024-01-01T02:30", h)
    now = moment.replace(tzinfo=UTC)
    held, until = standing(daily, now)
    assert until is not None
    assert until > now
    assert standing(daily, until - timedelta(seconds=1)).in_force is held
    assert standing(daily, until).in_force is not held
    assert windows.holds(daily, until - timedelta(seconds=1)) is held
    assert windows.holds(daily, until) is not held


# --- against dateutil, which counts the same rules its own way ---

numbers = st.lists(st.integers(1, 31), max_size=3, unique=True)
weekdays = st.lists(st.sampled_from(windows.DAYS), max_size=3, unique=True)


@st.composite
def rules(draw) -> str:
    frequency = draw(st.sampled_from(windows.FREQUENCIES))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}"]
    days = draw(weekdays)
    if days and frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        days = [f"{draw(st.sampled_from([1, 2, 4, -1, -2]))}{day}" for day in days]
    if days:
        parts.append("BYDAY=" + ",".join(days))
    month_days = draw(numbers) if frequency != "WEEKLY" else []
    if month_days:
        signs = [draw(st.sampled_from([1, -1])) * day for day in month_days]
        parts.append("BYMONTHDAY=" + ",".join(map(str, signs)))
    months = draw(st.lists(st.integers(1, 12), max_size=3, unique=True))
    if months:
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    if draw(st.booleans()):
        parts.append("BYHOUR=3,17")
    may_choose = frequency in ("MONTHLY", "YEARLY") and bool(days or month_days)
    if may_choose and draw(st.booleans()):
        parts.append("BYSETPOS=" + draw(st.sampled_from(["1", "-1", "2,-2"])))
    parts.append("WKST=" + draw(st.sampled_from(windows.DAYS)))
    return ";".join(parts)


@settings(max_examples=400, deadline=None)
@given(rules(), st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)))
def test_occurrences_are_those_that_dateutil_counts(rule, first):
    first = first.replace(microsecond=0)
    until = first + timedelta(days=1500)
    stop = until.strftime(";UNTIL=%Y%m%dT%H%M%S")
    mine: list[datetime] = []
    for moment in windows.occurrences(windows.parse(rule), first, first.date()):
        if moment > until or len(mine) == 200:
            break
        mine.append(moment)
    assume(mine)  # for a rule without any, dateutil runs to the year 9999
    assert mine == list(islice(rrulestr(rule + stop, dtstart=first), 200))


@settings(max_examples=200, deadline=None)
@given(rules(), st.integers(0, 2000))
def test_it_does_not_matter_from_where_occurrences_are_counted(rule, days):
    first = datetime(2020, 2, 29, 9, 30)
    since = date(2020, 2, 29) + timedelta(days=days)
    read = windows.parse(rule)
    whole = windows.occurrences(read, first, first.date())
    later = list(islice(windows.occurrences(read, first, since), 5))
    expected = (one for one in whole if one.date() >= since)
    for one, other in zip(later, expected, strict=False):
        assert one == other


# --- what is refused ---


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=SECONDLY", "frequency"),
        ("FREQ=MINUTELY;INTERVAL=1", "frequency"),
        ("FREQ=HOURLY", "frequency"),
        ("INTERVAL=2", "frequency"),
        ("FREQ=DAILY;COUNT=999999999", "end"),
        ("FREQ=DAILY;UNTIL=20300101T000000Z", "end"),
        ("FREQ=DAILY;INTERVAL=0", "unread"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "unread"),
        ("FREQ=DAILY;BYMONTH=13", "unread"),
        ("FREQ=DAILY;BYSECOND=0,1,2", "unread"),
        ("FREQ=DAILY;BYEASTER=1", "unread"),
        ("FREQ=DAILY;FREQ=WEEKLY", "unread"),
        ("FREQ=WEEKLY;BYDAY=1MO", "unread"),
        ("FREQ=MONTHLY;BYDAY=0MO", "unread"),
        ("FREQ=WEEKLY;BYDAY=XX", "unread"),
        ("FREQ=WEEKLY;WKST=XX", "unread"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "unread"),
        ("FREQ=DAILY;BYHOUR=٣", "unread"),
        ("FREQ=DAILY;BYHOUR=0,1,2;BYMINUTE=0,1,2,3,4,5,6,7,8,9", "often"),
        ("FREQ=DAILY;" + "BYHOUR=1;" * 50, "long"),
        ("every monday", "unread"),
        ("DTSTART:20200101T000000\nRRULE:FREQ=DAILY", "unread"),
    ],
)
def test_what_is_no_bounded_recurrence_is_refused_with_a_sentence(rule, code):
    with pytest.raises(WindowError) as raised:
        windows.parse(rule)
    assert raised.value.code == code
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=53MO",
        "FREQ=DAILY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=31;BYHOUR=0,1,2,3,4,5,6,7,8,9",
    ],
)
def test_a_recurrence_that_never_comes_true_is_refused_and_costs_little(rule):
    begun = time.perf_counter()
    with pytest.raises(WindowError) as raised:
        windows.check(window(rule, "UTC", "2026-01-01T00:00", 1, end="2500-01-01"))
    assert raised.value.code == "never"
    assert time.perf_counter() - begun < 1


def test_far_ends_and_dense_rules_are_bounded():
    dense = window(
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))),
        "Europe/Paris",
        "2026-01-01T00:00",
        31 * 24,
        end="9999-12-31",
    )
    begun = time.perf_counter()
    held, until = standing(dense, at("2500-06-01"))
    assert held
    assert until is not None
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("zone", "seconds", "code"),
    [
        ("Mars/Base", 3600, "zone"),
        ("Europe", 3600, "zone"),
        ("../../etc/passwd", 3600, "zone"),
        ("\ud800", 3600, "zone"),
        ("UTC", 0, "duration"),
        ("UTC", 10**8, "duration"),
    ],
)
def test_zones_and_durations_that_are_none_are_refused(zone, seconds, code):
    first, end = at("2026-01-01"), at("2027-01-01")
    with pytest.raises(WindowError) as raised:
        windows.check(Window(first, end, "FREQ=DAILY", zone, seconds))
    assert raised.value.code == code
