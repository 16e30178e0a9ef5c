"""Which events does a calendar hold, and whom do they put on call?

Calendars are read by the conventions of Grafana OnCall
(reference/wire-protocols.md 3.9): the summary is whose shift it is, by login, name or
e-mail address; `[L1]` before it is the level; several people stand behind each other
with commas. Knows no database and no Django: it also runs in a process of its own
(escalation/ical_apart.py), since a rule of a few letters can keep a processor busy for
years.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alertcenter.common.clocks import as_utc
from escalation.hours import Span

MOST_BYTES = 5 * 1024 * 1024
MOST_EVENTS = 5_000
MOST_OCCURRENCES = 10_000
HIGHEST_LEVEL = 9
LONGEST_UID, LONGEST_SUMMARY, LONGEST_PART = 300, 300, 200
MOST_NAMES = 50
# A shift's turn takes no less than an hour; each of these would be tens of thousands.
TOO_OFTEN = ("SECONDLY", "MINUTELY")
# What cannot be read here changes when somebody is on call; all else may be wrong.
VITAL = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
BOUNDARY = re.compile(rb"^(BEGIN|END):", re.IGNORECASE | re.MULTILINE)
LEVEL = re.compile(r"\s*\[L(\d{1,3})\]\s*", re.IGNORECASE)
ONE_DAY = timedelta(days=1)
# What goes on for ever ends here: in the last days of all years zones have no clock.
LATEST = datetime(2200, 12, 31, tzinfo=UTC)
MOST_ATTENDEES, LONGEST_ATTENDEE = 20, 254


class CalendarError(ValueError):
    """A calendar that cannot be read; `code` is a word for why (in
    escalation/calendar_words.py), `part` what it is about."""

    def __init__(self, code: str, part: str = "") -> None:
        super().__init__(f"{code}: {part}" if part else code)
        self.code = code
        self.part = part[:LONGEST_PART]


class Event(NamedTuple):
    """One occurrence; its times are UTC."""

    uid: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    whole_days: bool = False
    free: bool = False  # its owner can be reached meanwhile (TRANSP)
    attendees: tuple[str, ...] = ()


class Named(NamedTuple):
    """Whom a summary names, and at which level."""

    level: int
    names: tuple[str, ...]


def names_in(summary: str) -> Named:
    """Return `[L2] alice, bob` as (2, ("alice, bob", "alice", "bob")): a name may hold
    a comma itself."""
    found = LEVEL.match(summary)
    level = min(int(found[1]), HIGHEST_LEVEL) if found else 0
    rest = (summary[found.end() :] if found else summary).strip()
    parts = [part.strip() for part in rest.split(",")]
    names = [rest, *parts] if len(parts) > 1 else [rest]
    return Named(level, tuple(name for name in names if name)[:MOST_NAMES])


def read(data: bytes, zone: ZoneInfo, within: Span) -> list[Event]:
    """Return what happens within a stretch of time, in order. Cancelled events, and
    such as take no time, are none.

    `zone` is that of times without one, unless the calendar says another
    (X-WR-TIMEZONE). Raises CalendarError.
    """
    if len(data) > MOST_BYTES:
        raise CalendarError("size", f"{MOST_BYTES // 1024 // 1024} MB")
    if b"BEGIN:VCALENDAR" not in data[:LONGEST_HEAD].upper():
        raise CalendarError("none")
    sides = [side.upper() for side in BOUNDARY.findall(data)]
    if sides.count(b"BEGIN") != sides.count(b"END"):
        raise CalendarError("cut")
    if data.upper().count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise CalendarError("events", str(MOST_EVENTS))
    try:
        found = [
            event for one in _calendars(data) for event in _events(one, zone, within)
        ]
    except CalendarError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:  # the libraries have no one error for what they cannot read
        raise CalendarError("unreadable", str(error).split("\n")[0]) from error
    return sorted(found, key=lambda event: (event.starts_at, event))


# A byte order mark, and some spaces.
LONGEST_HEAD = 1_000


def _calendars(data: bytes) -> list[Any]:
    import icalendar  # 0.3 s to load, and most processes never ask

    text = data.decode("utf-8-sig", errors="replace").lstrip()
    found: list[Any] = icalendar.Calendar.from_ical(text, multiple=True)
    return found


def _events(calendar: Any, zone: ZoneInfo, within: Span) -> Iterator[Event]:
    """Yield the occurrences of one calendar."""
    from recurring_ical_events import CalendarQuery

    for event in calendar.walk("VEVENT"):
        _check(event)
    own = _zone_of(calendar) or zone
    # Its own comparisons know nothing of the zone of times without one.
    begin, end = within.starts_at - 2 * ONE_DAY, within.ends_at + 2 * ONE_DAY
    found = CalendarQuery(calendar).between(begin, end)
    if len(found) > MOST_OCCURRENCES:
        raise CalendarError("events", str(MOST_OCCURRENCES))
    for one in found:
        if str(one.get("STATUS", "")).upper() == "CANCELLED":
            continue
        starts_at = moment(one["DTSTART"].dt, own, last=False)
        ends_at = min(moment(one["DTEND"].dt, own, last=True), LATEST)
        lasts = starts_at < ends_at
        if lasts and starts_at < within.ends_at and ends_at > within.starts_at:
            yield _event(one, starts_at, ends_at)


def _event(one: Any, starts_at: datetime, ends_at: datetime) -> Event:
    uid = str(one.get("UID", "")).strip() or f"{starts_at:%Y%m%dT%H%M%SZ}"
    return Event(
        uid=_text(uid)[:LONGEST_UID],
        summary=_text(one.get("SUMMARY", ""))[:LONGEST_SUMMARY],
        starts_at=starts_at,
        ends_at=ends_at,
        whole_days=not isinstance(one["DTSTART"].dt, datetime),
        free=str(one.get("TRANSP", "")).upper() == "TRANSPARENT",
        attendees=tuple(islice(_attendees(one.get("ATTENDEE", ())), MOST_ATTENDEES)),
    )


def _text(value: object) -> str:
    """Return a property as one line that a database can keep."""
    return " ".join(str(value).replace("\0", " ").split())


def _attendees(value: Any) -> Iterator[str]:
    """Yield the addresses of those who take part."""
    for one in value if isinstance(value, list) else [value] if value else []:
        if str(one.params.get("PARTSTAT", "")).upper() != "DECLINED":
            address = re.sub(r"^mailto:", "", _text(one), flags=re.IGNORECASE)
            yield address[:LONGEST_ATTENDEE]


def _check(event: Any) -> None:
    """Raise CalendarError for an event of which it is not known when it happens."""
    name = _text(event.get("SUMMARY", "")) or _text(event.get("UID", ""))
    broken = {str(found) for found, _why in event.errors}
    if wrong := [prop for prop in VITAL if prop in broken]:
        raise CalendarError("event", f"{name}: {wrong[0]}")
    if "DTSTART" not in event:
        raise CalendarError("event", f"{name}: DTSTART")
    for rule in _listed(event.get("RRULE")):
        if set(map(str, rule.get("FREQ", ()))) & set(TOO_OFTEN):
            raise CalendarError("often", name)
    for prop in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        for value in _listed(event.get(prop)):
            if _zone_is_lost(value):
                raise CalendarError("zone", f"{name}: {value.params['TZID']}")
    _check_order(event, name)


def _check_order(event: Any, name: str) -> None:
    begin, end = event.get("DTSTART"), event.get("DTEND")
    if end is None or isinstance(begin, list) or isinstance(end, list):
        return
    if _comparable(begin.dt, end.dt) and end.dt < begin.dt:
        raise CalendarError("backwards", name)


def _comparable(one: date, other: date) -> bool:
    if type(one) is not type(other):
        return False
    zones = {
        value.tzinfo is None for value in (one, other) if isinstance(value, datetime)
    }
    return len(zones) < 2


def _listed(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _zone_is_lost(value: Any) -> bool:
    """Whether a time names a zone that nobody knows and the calendar does not say."""
    return (
        "TZID" in value.params
        and isinstance(value.dt, datetime)
        and value.dt.tzinfo is None
    )


def _zone_of(calendar: Any) -> ZoneInfo | None:
    """Return the zone that the calendar names for times without one."""
    name = str(calendar.get("X-WR-TIMEZONE", "")).strip()
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None


def moment(value: date, zone: ZoneInfo, *, last: bool) -> datetime:
    """Return a date or a time in UTC, by our rule for days on which clocks change:
    what begins does so at the first of two equal times, and ends at the last."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - wall
    if value.tzinfo is None:
        return as_utc(value, zone, last=last)
    if isinstance(value.tzinfo, ZoneInfo):
        return as_utc(value.replace(tzinfo=None), value.tzinfo, last=last)
    return value.astimezone(UTC)
