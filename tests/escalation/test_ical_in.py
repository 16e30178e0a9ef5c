"""Which shifts do calendars hold, as various programs write them?"""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from escalation import ical_apart, ical_in
from escalation.hours import Span
from escalation.ical_in import (
    LATEST,
    LONGEST_ATTENDEE,
    MOST_ATTENDEES,
    CalendarError,
    Event,
    names_in,
)
from tests.escalation import icals
from tests.escalation.icals import calendar, one

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
NEW_YORK = ZoneInfo("America/New_York")
WITHIN = Span(datetime(2026, 10, 15, tzinfo=UTC), datetime(2027, 10, 15, tzinfo=UTC))


def read(data: bytes, zone: ZoneInfo = UTC_ZONE, within: Span = WITHIN) -> list[Event]:
    return ical_in.read(data, zone, within)


def lines(events: list[Event], zone: ZoneInfo = UTC_ZONE) -> list[str]:
    """Return `bob 01.12. 09:00 - 01.12. 10:00` in the clock of a zone."""
    return [
        f"{e.summary} {e.starts_at.astimezone(zone):%d.%m. %H:%M}"
        f" - {e.ends_at.astimezone(zone):%d.%m. %H:%M}"
        for e in sorted(events, key=lambda e: e.starts_at)
    ]


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(CalendarError) as caught:
        read(data)
    return caught.value.code, caught.value.part


# --- programs ---


def test_google_recurs_by_the_wall_clock_and_knows_moved_deleted_and_cancelled_ones():
    found = [e for e in read(icals.GOOGLE) if e.starts_at.year == 2026]
    assert lines(found, BERLIN) == [
        "[L1] bob 19.10. 08:00 - 26.10. 08:00",  # an hour longer: clocks changed
        "[L1] bob 02.11. 08:00 - 09.11. 08:00",
        # 16 November is left out
        "[L1] alice 01.12. 10:00 - 07.12. 08:00",
        "[L1] bob 14.12. 08:00 - 21.12. 08:00",
        "alice, bob 24.12. 00:00 - 27.12. 00:00",
        "[L1] bob 28.12. 08:00 - 04.01. 08:00",
    ]
    days = next(e for e in found if e.whole_days)
    assert days.free


@pytest.mark.parametrize("text", [icals.OUTLOOK, icals.OWN_ZONE])
def test_outlook_names_zones_in_its_own_way_or_explains_them(text):
    assert lines(read(text), BERLIN) == [
        f"Bob@acme.example {day}.10. 18:00 - {day + 1}.10. 08:00"
        for day in range(23, 28)
    ]


def test_apple_writes_durations_and_floating_times():
    found = lines(read(icals.APPLE, NEW_YORK), NEW_YORK)
    assert found == [
        "Alice 28.11. 16:00 - 29.11. 02:00",  # 22:00 in Paris
        "bob 29.11. 10:00 - 29.11. 12:00",  # in the schedule's zone
    ]


def test_pagerduty_says_who_by_address():
    (found,) = read(icals.PAGERDUTY)
    assert found.attendees == ("bob@acme.example",)
    assert lines([found]) == ["On Call - Ops - Primary 01.12. 08:00 - 02.12. 08:00"]


def test_oncall_gives_levels():
    found = [names_in(event.summary) for event in read(icals.ONCALL)]
    assert found == [(0, ("alice",)), (3, ("BOB",))]


def test_several_calendars_in_one_body_are_read_together():
    assert len(read(icals.ONCALL + icals.PAGERDUTY)) == 3


# --- names ---


@pytest.mark.parametrize(
    ("summary", "level", "names"),
    [
        ("bob", 0, ("bob",)),
        ("  [L2]bob ", 2, ("bob",)),
        ("[l1] alice, bob", 1, ("alice, bob", "alice", "bob")),
        ("[L99] bob", 9, ("bob",)),
        ("[Lx] bob", 0, ("[Lx] bob",)),
        ("bob [L1]", 0, ("bob [L1]",)),
        ("alice,,", 0, ("alice,,", "alice")),
        ("", 0, ()),
        ("[L1]", 1, ()),
    ],
)
def test_a_summary_names_people_and_a_level(summary, level, names):
    assert names_in(summary) == (level, names)


# --- days on which clocks change ---


def test_a_daily_shift_has_no_hole_on_days_on_which_clocks_change():
    text = calendar(
        "UID:1\nDTSTART;TZID=Europe/Berlin:20261020T090000\n"
        "DTEND;TZID=Europe/Berlin:20261021T090000\nRRULE:FREQ=DAILY\nSUMMARY:bob"
    )
    found = read(text)
    assert all(a.ends_at == b.starts_at for a, b in itertools.pairwise(found))
    hours = {(e.ends_at - e.starts_at) / timedelta(hours=1) for e in found}
    assert hours == {23, 24, 25}


def test_a_whole_day_is_the_zones_day_however_long():
    text = calendar(one(DTSTART="", DTEND="") + "\nDTSTART;VALUE=DATE:20261025")
    (found,) = read(text, BERLIN)
    assert found.ends_at - found.starts_at == timedelta(hours=25)
    assert found.starts_at == datetime(2026, 10, 24, 22, tzinfo=UTC)
    named = calendar(
        one(DTSTART="", DTEND="") + "\nDTSTART;VALUE=DATE:20261025",
        head="X-WR-TIMEZONE:Europe/Berlin",
    )
    assert read(named, NEW_YORK) == [found]


def test_what_begins_in_the_doubled_hour_begins_first_and_what_ends_there_ends_last():
    text = calendar(
        "UID:1\nDTSTART;TZID=America/New_York:20261101T013000\n"
        "DTEND;TZID=America/New_York:20261101T030000\nSUMMARY:bob",
        "UID:2\nDTSTART;TZID=America/New_York:20261031T220000\n"
        "DTEND;TZID=America/New_York:20261101T013000\nSUMMARY:alice",
    )
    alice, bob = read(text)
    assert bob.starts_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert alice.ends_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_what_begins_in_the_missing_hour_begins_after_it():
    text = calendar(
        "UID:1\nDTSTART;TZID=America/New_York:20270314T023000\n"
        "DTEND;TZID=America/New_York:20270314T040000\nSUMMARY:bob"
    )
    (found,) = read(text)
    assert found.starts_at == datetime(2027, 3, 14, 7, tzinfo=UTC)


# --- bounds ---


def test_only_what_touches_the_window_counts():
    begin = WITHIN.starts_at
    text = calendar(
        icals.shift("before", begin - timedelta(hours=2), begin),
        icals.shift("over", begin - timedelta(hours=2), begin + timedelta(seconds=1)),
        icals.shift("after", WITHIN.ends_at, WITHIN.ends_at + timedelta(hours=1)),
    )
    assert [event.summary for event in read(text)] == ["over"]


def test_what_takes_no_time_is_no_shift():
    assert read(calendar(one(DTEND=""))) == []
    assert read(calendar(one(DTEND="20261201T090000Z"))) == []


def test_what_is_cancelled_is_no_shift():
    assert read(calendar(one(STATUS="CANCELLED"), one(UID="2"))) == read(
        calendar(one(UID="2"))
    )


def test_events_without_uid_are_each_their_own():
    text = calendar(one(UID=""), one(UID="", DTSTART="20261201T080000Z"))
    assert len({event.uid for event in read(text)}) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "none"),
        (b"<!doctype html><title>Log in</title>", "none"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n", "cut"),
        (b"BEGIN:VCALENDAR\0\xff\xfe\r\n", "cut"),
        (calendar(one())[:-30], "cut"),
        (calendar(one(DTSTART="")), "event"),
        (calendar(one(DTSTART="tomorrow")), "event"),
        (calendar(one(DTEND="2026-12-01")), "event"),
        (calendar(one(RRULE="FREQ=SOMETIMES")), "event"),
        (calendar(one(RRULE="FREQ=DAILY", EXDATE="x")), "event"),
        (calendar(one(RRULE="FREQ=SECONDLY")), "often"),
        (calendar(one(RRULE="FREQ=MINUTELY;INTERVAL=5")), "often"),
        (calendar(one(DTEND="20261130T090000Z")), "backwards"),
        (calendar(one() + "\nDTSTART;TZID=Moon/Base:20261201T090000"), "zone"),
        (calendar(*[one(UID=str(n)) for n in range(5001)]), "events"),
        (calendar(one(RRULE="FREQ=HOURLY"), one(UID="2", RRULE="FREQ=HOURLY")), "eve"),
        (calendar(one("x" * 6_000_000)), "size"),
        (calendar(one(RRULE="FREQ=DAILY;UNTIL=never")), "event"),
    ],
)
def test_what_cannot_be_read_is_said(text, code):
    assert refusal(text)[0].startswith(code)


def test_an_error_names_the_event():
    assert refusal(calendar(one("carol", DTSTART="x"))) == ("event", "carol: DTSTART")


def test_what_does_not_bear_on_times_may_be_wrong():
    text = calendar(one() + "\nPRIORITY:high\nnonsense\nGEO:here\nX-A;B:c")
    assert len(read(text)) == 1


def test_what_has_no_end_ends_in_a_year_that_every_zone_has():
    (found,) = read(calendar(one(DTEND="23000101T000000Z")))
    assert found.ends_at == LATEST


def test_no_more_people_take_part_than_a_shift_may_have():
    many = "\n".join(f"ATTENDEE:mailto:{n}{'x' * 400}@a.example" for n in range(500))
    (found,) = read(calendar(one() + "\n" + many))
    assert len(found.attendees) == MOST_ATTENDEES
    assert all(len(address) <= LONGEST_ATTENDEE for address in found.attendees)


# --- a process of its own ---


def test_another_process_reads_the_same():
    assert ical_apart.read(icals.GOOGLE, BERLIN, WITHIN) == read(icals.GOOGLE, BERLIN)
    with pytest.raises(CalendarError) as caught:
        ical_apart.read(calendar(one("carol", DTSTART="x")), BERLIN, WITHIN)
    assert (caught.value.code, caught.value.part) == ("event", "carol: DTSTART")


def test_a_rule_without_end_is_given_up():
    endless = "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"
    text = calendar(*[one(UID=str(n), RRULE=endless) for n in range(20)])
    begun = time.monotonic()
    with pytest.raises(CalendarError) as caught:
        ical_apart.read(text, BERLIN, WITHIN, seconds=2)
    assert caught.value.code == "slow"
    assert time.monotonic() - begun < 60
