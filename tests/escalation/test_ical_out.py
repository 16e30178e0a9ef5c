"""Do calendar clients get what the schedule says, event for event, each time alike?

Judged with the library `icalendar`, which reads what our own writer wrote, and by
reading it as an import does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation import ical_in, ical_out, rota
from escalation.hours import Span, joined
from escalation.ical_out import Event
from escalation.rota import Rota
from escalation.shifts import Layer, Shift

ALICE, BOB = UUID(int=1), UUID(int=2)
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def parsed(text: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def event(summary: str = "Alice", begin: datetime = NOW, end: datetime | None = None):
    end = end or begin + HOUR
    return Event(ical_out.uid_of(summary, begin), summary, begin, end, "Ops")


def test_a_calendar_has_what_clients_look_for():
    text = ical_out.write("On call: Ops", [event()], at=NOW)
    found: Any = icalendar.Calendar.from_ical(text)
    assert found.errors == []
    assert found["VERSION"] == "2.0"
    assert found["X-WR-CALNAME"] == found["NAME"] == "On call: Ops"
    assert found["X-PUBLISHED-TTL"] == "PT15M"
    assert found["REFRESH-INTERVAL"].dt == timedelta(minutes=15)
    assert found["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    (one,) = found.walk("VEVENT")
    assert one.errors == []
    assert (one["DTSTART"].dt, one["DTEND"].dt) == (NOW, NOW + HOUR)
    assert one["DTSTAMP"].dt == one["LAST-MODIFIED"].dt == NOW
    assert (one["SUMMARY"], one["TRANSP"]) == ("Alice", "TRANSPARENT")


def test_names_cannot_write_lines_of_their_own():
    evil = "x\r\nEND:VEVENT\nBEGIN:VEVENT\x0b\u2028\u0085ATTENDEE:a;b,c\\n <b>"
    text = ical_out.write(evil, [event(evil)], at=NOW)
    (one,) = parsed(text)
    assert str(one["SUMMARY"]) == "x END:VEVENT BEGIN:VEVENT ATTENDEE:a;b,c\\n <b>"
    assert b"\nATTENDEE" not in text
    assert text.count(b"\r\n") == text.count(b"\n")


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_one_line_and_no_line_is_too_long(text):
    written = ical_out.write(text, [event(text)], at=NOW)
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    for line in written.split(b"\r\n"):
        line.decode()  # no character is torn
    (one,) = parsed(written)
    shown = "".join(c if c.isprintable() else " " for c in text)
    assert str(one["SUMMARY"]) == " ".join(shown.split())


# --- which events ---

moments = st.integers(0, 24 * 300).map(lambda n: NOW - 60 * DAY + n * HOUR)
spans = st.tuples(moments, st.integers(1, 24 * 90)).map(
    lambda pair: Span(pair[0], pair[0] + pair[1] * HOUR)
)


@given(st.lists(st.tuples(spans, st.sampled_from([ALICE, BOB])), max_size=20))
@settings(max_examples=100, deadline=None)
def test_what_is_written_and_imported_again_is_the_same_shifts(drawn):
    """Out by a feed, in by an import: each person is on call at the same times."""
    shown = Span(NOW - 30 * DAY, NOW + 180 * DAY)
    rows = Rota(
        zone=BERLIN,
        fixed=[rota.Fixed(0, span.starts_at, span.ends_at, who) for span, who in drawn],
    )
    found = ical_out.own_spans(rota.final(rows, ical_out.around(shown)), shown, BERLIN)
    names = {ALICE: "Alice, the 1st; of\\n her kind", BOB: "Bob"}
    events = [
        Event(ical_out.uid_of(who, span.starts_at), names[who], *span)
        for who, own in found.items()
        for span in own
    ]
    text = ical_out.write("Ops", events, at=NOW)
    back = ical_in.read(text, ZoneInfo("Asia/Tokyo"), shown)
    assert sorted((e.uid, e.summary, e.starts_at, e.ends_at) for e in back) == sorted(
        (e.uid, e.summary, e.starts_at, e.ends_at) for e in events
    )
    again = Rota(
        zone=BERLIN,
        fixed=[
            rota.Fixed(0, e.starts_at, e.ends_at, who)
            for e in back
            for who, name in names.items()
            if name in ical_in.names_in(e.summary).names
        ],
    )
    assert each(rota.final(again, shown)) == each(rota.final(rows, shown))


def each(shifts: list[Shift]) -> dict[UUID, list[Span]]:
    """Return when each person is on call."""
    people = {person for shift in shifts for person in shift.people}
    return {
        one: joined(Span(s.starts_at, s.ends_at) for s in shifts if one in s.people)
        for one in people
    }


def layer(every: int, people: int, **more: object) -> Rota:
    turns = [(ALICE,), (BOB,)][:people]
    return Rota(
        zone=BERLIN,
        layers=[
            Layer(
                zone=BERLIN,
                starts=datetime(2026, 1, 5, 9),
                turns=turns,
                frequency="daily",
                every=every,
                **more,  # type: ignore[arg-type]
            )
        ],
    )


def uids(rows: Rota, now: datetime) -> dict[str, Span]:
    shown = Span(now - 30 * DAY, now + 180 * DAY)
    shifts = rota.final(rows, ical_out.around(shown))
    found = ical_out.own_spans(shifts, shown, BERLIN)
    return {
        ical_out.uid_of(who, span.starts_at): span
        for who, own in found.items()
        for span in own
    }


@given(st.sampled_from([1, 7, 14, 34, 36, 60, 100, 400]), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_days_later_the_same_shifts_are_the_same_events(every, days):
    """Also those that began long ago, and those that never end."""
    for people in (1, 2):
        rows = layer(every, people)
        before, after = uids(rows, NOW), uids(rows, NOW + days * DAY)
        later = Span(NOW + (days - 30) * DAY, NOW + 180 * DAY)
        both = {
            uid
            for uid, span in before.items()
            if span.starts_at < later.ends_at and span.ends_at > later.starts_at
        }
        if later.starts_at < later.ends_at:
            assert both, (every, people)
        assert {uid: before[uid] for uid in both} == {uid: after[uid] for uid in both}


def test_what_lasts_very_long_is_written_month_by_month():
    found = sorted(uids(layer(1, 1), NOW).values())
    assert all(a.ends_at == b.starts_at for a, b in pairwise(found))
    assert all(span.ends_at - span.starts_at <= timedelta(days=31.1) for span in found)
    assert {span.starts_at.astimezone(BERLIN).day for span in found} == {1}


def test_who_is_joined_by_another_has_one_shift_all_the_same():
    shifts = [
        Shift(NOW, NOW + HOUR, (ALICE,)),
        Shift(NOW + HOUR, NOW + 2 * HOUR, (ALICE, BOB)),
        Shift(NOW + 2 * HOUR, NOW + 3 * HOUR, (ALICE,)),
    ]
    shown = Span(NOW - DAY, NOW + DAY)
    assert ical_out.own_spans(shifts, shown, BERLIN) == {
        ALICE: [Span(NOW, NOW + 3 * HOUR)],
        BOB: [Span(NOW + HOUR, NOW + 2 * HOUR)],
    }


def test_the_tag_changes_with_what_is_seen_and_not_with_the_time():
    one = event()
    assert ical_out.tag_of("a", [one]) == ical_out.tag_of("a", [one])
    assert ical_out.tag_of("a", [one]) != ical_out.tag_of("b", [one])
    moved = one._replace(ends_at=one.ends_at + HOUR)
    assert ical_out.tag_of("a", [one]) != ical_out.tag_of("a", [moved])
