"""Does a moment lie in a time interval? Alertmanager's `time_intervals`, exactly.

Source: its configuration page, section time_interval. All parts of one entry must
hold; one entry of the list is enough. Times are wall clock time in `location`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = tuple(name.lower() for name in calendar.month_name)  # "" is month 0
PARTS = ("times", "weekdays", "days_of_month", "months", "years", "location")
CLOCK = re.compile(r"^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$")
MINUTES_A_DAY = 24 * 60
MOST_ENTRIES = 200
DAYS_AHEAD = 400
# How often an entry is asked at the most before "no change in sight".
MOST_ASKED = 200_000

Range = tuple[int, int]


class IntervalError(ValueError):
    """A time interval that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list; an empty part holds always."""

    minutes: Sequence[Range]
    weekdays: Sequence[Range]
    days: Sequence[Range]
    months: Sequence[Range]
    years: Sequence[Range]
    zone: ZoneInfo | None

    def contains(self, moment: datetime) -> bool:
        """Whether the moment (with a zone) lies in this entry."""
        local = moment.astimezone(self.zone or UTC)
        minute = local.hour * 60 + local.minute
        return (
            (not self.minutes or any(a <= minute < b for a, b in self.minutes))
            and _among(self.weekdays, local.isoweekday() % 7)
            and _among(self.months, local.month)
            and _among(self.years, local.year)
            and (not self.days or self._has_day(local))
        )

    def _has_day(self, local: datetime) -> bool:
        """Negative days count from the month's end; -1 is the last."""
        length = calendar.monthrange(local.year, local.month)[1]
        for begin, end in self.days:
            first = begin if begin > 0 else length + begin + 1
            last = end if end > 0 else length + end + 1
            if max(first, 1) <= local.day <= min(last, length):
                return True
        return False


def parse(value: object) -> list[Entry]:
    """Read a list of entries. Raises IntervalError."""
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise IntervalError("A time interval is a list of entries.")
    return [_entry(item) for item in value]


def contains(entries: Sequence[Entry], moment: datetime) -> bool:
    """Whether one of the entries contains the moment."""
    return any(entry.contains(moment) for entry in entries)


def next_change(entries: Sequence[Entry], moment: datetime) -> datetime | None:
    """Return when `contains` will next answer otherwise; None: not within a year.

    Between two bounds of the wall clocks concerned nothing changes, so only those
    are looked at.
    """
    now, asked = contains(entries, moment), 0
    zones: dict[ZoneInfo | None, set[int]] = {}
    for entry in entries:
        bounds = {minute for span in entry.minutes for minute in span}
        zones.setdefault(entry.zone, {0}).update(bounds)
    for day in range(DAYS_AHEAD):
        begin = moment + timedelta(days=day)
        end = begin + timedelta(days=1)
        bounds_of_day = {
            bound
            for zone, minutes in zones.items()
            for bound in _bounds(zone, minutes, begin, end)
            if begin < bound <= end
        }
        for bound in sorted(bounds_of_day):
            asked += len(entries)
            if contains(entries, bound) is not now:
                return bound
            if asked > MOST_ASKED:
                return None
    return None


def _bounds(
    zone: ZoneInfo | None, minutes: set[int], begin: datetime, end: datetime
) -> set[datetime]:
    """Return the moments at which a wall clock shows one of `minutes`, and, where it
    is put forward or back, each quarter of an hour."""
    first, last = (moment.astimezone(zone or UTC) for moment in (begin, end))
    found = set()
    for day in {first.date(), last.date()}:
        midnight = datetime.combine(day, datetime.min.time(), zone or UTC)
        for minute in minutes:
            shown = midnight + timedelta(minutes=minute)  # wall clock arithmetic
            found |= {shown.replace(fold=n).astimezone(UTC) for n in (0, 1)}
    if first.utcoffset() != last.utcoffset():
        hour = begin.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        found |= {hour + timedelta(minutes=15 * n) for n in range(4 * 26)}
    return found


def _entry(item: object) -> Entry:
    if not isinstance(item, dict):
        raise IntervalError("An entry is a mapping with times, weekdays and so on.")
    unknown = set(map(str, item)) - set(PARTS)
    if unknown:
        raise IntervalError(f"{sorted(unknown)[0]!r} is no part of a time interval.")
    return Entry(
        [_clock(one) for one in _list(item, "times")],
        [_range(one, _weekday) for one in _list(item, "weekdays")],
        [_range(one, _day, days=True) for one in _list(item, "days_of_month")],
        [_range(one, _month) for one in _list(item, "months")],
        [_range(one, _year) for one in _list(item, "years")],
        _zone(item.get("location")),
    )


def _list(item: Mapping[str, Any], name: str) -> list[Any]:
    value = item.get(name) or []
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise IntervalError(f"{name} is a list.")
    return value


def _clock(value: object) -> Range:
    if not isinstance(value, dict) or set(value) != {"start_time", "end_time"}:
        raise IntervalError("A time has start_time and end_time, as 09:00.")
    begin, end = _minute(value["start_time"]), _minute(value["end_time"])
    if begin >= end:
        raise IntervalError("start_time must be before end_time.")
    return begin, end


def _minute(text: object) -> int:
    found = CLOCK.match(str(text))
    if not found:
        raise IntervalError(f"{text!r} is no time such as 09:00 or 24:00.")
    if found[1] is None:
        return MINUTES_A_DAY
    return int(found[1]) * 60 + int(found[2])


def _range(value: object, read: Callable[[str], int], *, days: bool = False) -> Range:
    first, divider, last = str(value).strip().lower().partition(":")
    begin = read(first.strip())
    end = read(last.strip()) if divider else begin
    # Of days, one may count from the start and the other from the end of the month.
    if begin > end and not (days and begin > 0 > end):
        raise IntervalError(f"{value!r} begins after its end.")
    if days and begin < 0 < end:
        raise IntervalError(f"{value!r}: the end must be negative if the start is.")
    return begin, end


def _weekday(text: str) -> int:
    if text not in DAYS:
        raise IntervalError(f"{text!r} is no weekday such as monday.")
    return DAYS.index(text)


def _month(text: str) -> int:
    if text in MONTHS[1:]:
        return MONTHS.index(text)
    return _number(text, 1, 12, "month")


def _day(text: str) -> int:
    number = _number(text, -31, 31, "day of a month")
    if number == 0:
        raise IntervalError("0 is no day of a month.")
    return number


def _year(text: str) -> int:
    return _number(text, 1, 9999, "year")


def _number(text: str, least: int, most: int, what: str) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise IntervalError(f"{text!r} is no {what}.") from error
    if not least <= number <= most:
        raise IntervalError(f"{text!r} is no {what}.")
    return number


def _zone(name: object) -> ZoneInfo | None:
    if not name or name == "UTC":
        return None
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError) as error:
        raise IntervalError(
            f"{name!r} is no time zone such as Europe/Paris."
        ) from error


def _among(ranges: Sequence[Range], number: int) -> bool:
    return not ranges or any(a <= number <= b for a, b in ranges)
