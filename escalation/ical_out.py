"""How are shifts written for calendar clients (RFC 5545, RFC 7986)?

Pure: shifts in, text out. Times are UTC, which every client understands alike. An
event's UID is made of whose shift it is, by which schedule and from when: the same
shift is the same event each time it is asked for, also when its end moves.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from alertcenter.common.clocks import as_utc
from escalation.hours import Span, joined
from escalation.shifts import Shift

PRODUCT = "-//AlertCenter//On-call//EN"
REFRESH = "PT15M"
LONGEST_LINE = 75  # octets; RFC 5545 3.1
LONGEST_TEXT = 500
# What goes on for longer is written month by month: a shift without end has no
# beginning by which it could be known.
LONGEST_EVENT = timedelta(days=35)
# Looked at beyond what is shown, so that what is shown is whole.
MARGIN = timedelta(days=70)


class Event(NamedTuple):
    """One event of a feed."""

    uid: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    description: str = ""


def around(shown: Span) -> Span:
    """Return the stretch whose shifts `own_spans` needs to show another whole."""
    return Span(shown.starts_at - MARGIN, shown.ends_at + MARGIN)


def own_spans(
    shifts: Iterable[Shift], shown: Span, zone: ZoneInfo
) -> dict[UUID, list[Span]]:
    """Return when each person is on call, whoever else is: whole shifts that touch
    what is shown. `shifts` cover `around(shown)`."""
    found: dict[UUID, list[Span]] = defaultdict(list)
    for shift in shifts:
        for person in shift.people:
            found[person].append(Span(shift.starts_at, shift.ends_at))
    return {
        person: list(whole(joined(spans), shown, zone))
        for person, spans in found.items()
    }


def whole(spans: Iterable[Span], shown: Span, zone: ZoneInfo) -> Iterator[Span]:
    """Yield what touches `shown`; what is very long, month by month."""
    for span in spans:
        for piece in _months(span, zone):
            if piece.starts_at < shown.ends_at and piece.ends_at > shown.starts_at:
                yield piece


def _months(span: Span, zone: ZoneInfo) -> Iterator[Span]:
    begin = span.starts_at
    while span.ends_at - span.starts_at > LONGEST_EVENT:
        day = begin.astimezone(zone).date()
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        edge = as_utc(datetime.combine(following, time()), zone, last=False)
        if edge >= span.ends_at:
            break
        yield Span(begin, edge)
        begin = edge
    yield Span(begin, span.ends_at)


def uid_of(*parts: object) -> str:
    """Return the UID of what these parts make out; it tells a stranger nothing."""
    text = "\n".join(
        part.astimezone(UTC).isoformat() if isinstance(part, datetime) else str(part)
        for part in parts
    )
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digest}@alertcenter"


def write(name: str, events: Sequence[Event], *, at: datetime) -> bytes:
    """Return the calendar; `at` is when it was written."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{escaped(name)}",
        f"X-WR-CALNAME:{escaped(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
    ]
    for event in sorted(events, key=lambda one: (one.starts_at, one.uid)):
        lines += _lines(event, at)
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def tag_of(name: str, events: Iterable[Event]) -> str:
    """Return what changes whenever a client would see something else."""
    told = repr((name, sorted(events))).encode()
    return f'"{hashlib.blake2b(told, digest_size=16).hexdigest()}"'


def _lines(event: Event, at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    # Who wants to know whether an event is newer looks at these, as there is no
    # organizer who would count revisions (SEQUENCE).
    yield f"DTSTAMP:{_moment(at)}"
    yield f"LAST-MODIFIED:{_moment(at)}"
    yield f"DTSTART:{_moment(event.starts_at)}"
    yield f"DTEND:{_moment(event.ends_at)}"
    yield f"SUMMARY:{escaped(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{escaped(event.description)}"
    # On call is not busy: colleagues may still invite.
    yield "TRANSP:TRANSPARENT"
    yield "STATUS:CONFIRMED"
    yield "END:VEVENT"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(text: str) -> str:
    """Return `text` as a value of type TEXT, on one line (RFC 5545 3.3.11)."""
    line = "".join(c if c.isprintable() or c == " " else " " for c in text)
    line = " ".join(line.split())[:LONGEST_TEXT]
    for sign in ("\\", ";", ","):
        line = line.replace(sign, f"\\{sign}")
    return line


def folded(line: str) -> bytes:
    """Return a content line, folded between characters (RFC 5545 3.1)."""
    pieces, held = [], b""
    for character in line:
        octets = character.encode("utf-8", "replace")
        if len(held) + len(octets) > LONGEST_LINE:
            pieces.append(held)
            held = b" "
        held += octets
    return b"\r\n".join([*pieces, held]) + b"\r\n"
