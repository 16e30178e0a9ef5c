"""Does a moment lie in a silence's time, and when does that change next?

A recurrence is an RRULE of RFC 5545 without DTSTART, COUNT and UNTIL: by day, week,
month or year. Each occurrence begins and ends by the wall clock of its zone, also on
the days on which clocks change: it begins at the first of two equal times and ends at
the last, and a time that is left out is the first moment after the gap
(reference/wire-protocols.md 3.10). Periods are counted, not run through, so that no
question costs more than `MOST_DAYS` days looked at, whatever the rule says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alertcenter.common.clocks import as_utc

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY = re.compile(r"^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$")
# Numbers from 1 to so many, or counted from the end.
ORDINALS = {"BYMONTHDAY": 31, "BYSETPOS": 366}
# Least and most.
NUMBERS = {
    "BYMONTH": (1, 12),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "INTERVAL": (1, 1_000),
}
PARTS = ("FREQ", "WKST", "BYDAY", *ORDINALS, *NUMBERS)
LONGEST_RULE = 300
MOST_A_DAY = 24
SHORTEST, LONGEST = 60, 31 * 24 * 3600  # seconds of one occurrence
MOST_DAYS = 3_660  # ten years and a little
MOST_OCCURRENCES = 2_000
LAST_YEAR = 9_000  # nothing is reckoned with beyond


class WindowError(ValueError):
    """A recurrence that cannot be read, or never holds; the message says why.

    `code` is a word for whoever says it in another language, `part` what it is about.
    """

    def __init__(self, code: str, message: str, part: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.part = part


@dataclass(frozen=True, slots=True)
class Rule:
    """An RRULE, read. Empty parts are taken from the first occurrence."""

    frequency: str
    interval: int
    week_start: int
    days: Sequence[tuple[int, int]]  # (ordinal or 0, weekday)
    month_days: Sequence[int]
    months: Sequence[int]
    positions: Sequence[int]
    hours: Sequence[int]
    minutes: Sequence[int]


@dataclass(frozen=True, slots=True)
class Window:
    """When a silence may hold: from `starts_at` until `ends_at`, both with a zone, and
    with a `rule` for `seconds` from each occurrence by the clocks of `zone`."""

    starts_at: datetime
    ends_at: datetime
    rule: str = ""
    zone: str = "UTC"
    seconds: int = 0


class Span(NamedTuple):
    """One occurrence."""

    starts_at: datetime
    ends_at: datetime


class Standing(NamedTuple):
    """Whether it holds at a moment, and when to look again; None: never."""

    in_force: bool
    changes_at: datetime | None


def standing(window: Window, at: datetime) -> Standing:
    """Return how the window stands at `at`. Raises WindowError."""
    if at >= window.ends_at:
        return Standing(False, None)
    if not window.rule:
        begun = at >= window.starts_at
        return Standing(begun, window.ends_at if begun else window.starts_at)
    until: datetime | None = None
    for span in islice(spans(window, at), MOST_OCCURRENCES):
        if until is None and span.starts_at > at:
            return Standing(False, span.starts_at)
        if until is not None and span.starts_at > until:
            break
        until = max(span.ends_at, until or span.ends_at)
    if until is not None:
        return Standing(True, until)
    return Standing(False, min(window.ends_at, _horizon(at)))


def holds(window: Window, at: datetime) -> bool:
    """Whether the window holds at `at`: `standing` without a look ahead, for lists.

    Raises WindowError.
    """
    span = next(spans(window, at), None)
    return span is not None and span.starts_at <= at


def spans(window: Window, at: datetime) -> Iterator[Span]:
    """Yield the occurrences that are not over at `at`, in order, for some ten years.

    Raises WindowError.
    """
    if not window.rule:
        if at < window.ends_at:
            yield Span(window.starts_at, window.ends_at)
        return
    rule, zone = parse(window.rule), zone_of(window.zone)
    first = window.starts_at.astimezone(zone).replace(tzinfo=None, microsecond=0)
    length = timedelta(seconds=window.seconds)
    # An hour that comes twice makes an occurrence that much longer.
    since = max(at, window.starts_at) - length - timedelta(days=1)
    day = max(since.astimezone(zone).date(), first.date())
    for local in occurrences(rule, first, day):
        begin = as_utc(local, zone, last=False)
        if begin >= window.ends_at:
            return
        end = as_utc(local + length, zone, last=True)
        if end <= begin:  # all of it falls into an hour that is left out
            end = begin + length
        begin, end = max(begin, window.starts_at), min(end, window.ends_at)
        if end > at and end > begin:
            yield Span(begin, end)


def check(window: Window) -> None:
    """Raise WindowError unless the window holds at some time."""
    if not window.rule:
        return
    zone_of(window.zone)
    if not SHORTEST <= window.seconds <= LONGEST:
        message = "An occurrence lasts from one minute to 31 days."
        raise WindowError("duration", message)
    if next(spans(window, window.starts_at), None) is None:
        message = "This recurrence never comes true before its end."
        raise WindowError("never", message)


# --- rules ---


@lru_cache(maxsize=1_000)
def parse(text: str) -> Rule:
    """Read an RRULE. Raises WindowError."""
    if len(text) > LONGEST_RULE:
        message = f"A recurrence may have {LONGEST_RULE} characters at most."
        raise WindowError("long", message)
    parts = _parts(text)
    frequency, week_start = parts.get("FREQ", ""), parts.get("WKST", "MO")
    if frequency not in FREQUENCIES:
        message = f"FREQ is one of {', '.join(FREQUENCIES)}."
        raise WindowError("frequency", message)
    if week_start not in DAYS:
        raise _unread("WKST", week_start)
    numbers = {name: _numbers(parts, name) for name in (*ORDINALS, *NUMBERS)}
    rule = Rule(
        frequency,
        next(iter(numbers["INTERVAL"]), 1),
        DAYS.index(week_start),
        _days(parts, frequency),
        numbers["BYMONTHDAY"],
        numbers["BYMONTH"],
        numbers["BYSETPOS"],
        numbers["BYHOUR"],
        numbers["BYMINUTE"],
    )
    if (len(rule.hours) or 1) * (len(rule.minutes) or 1) > MOST_A_DAY:
        message = f"A recurrence may come true {MOST_A_DAY} times a day at most."
        raise WindowError("often", message)
    if frequency == "WEEKLY" and rule.month_days:
        message = "BYMONTHDAY does not go with FREQ=WEEKLY."
        raise WindowError("unread", message, "BYMONTHDAY")
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for item in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = item.strip().partition("=")
        if name in ("COUNT", "UNTIL"):
            message = f"{name} is not used here: say until when by the end."
            raise WindowError("end", message, name)
        if name not in PARTS or not equals or name in parts:
            message = (
                f"{item!r} is not understood in a recurrence; an example is "
                "FREQ=WEEKLY;BYDAY=MO,FR."
            )
            raise WindowError("unread", message, item)
        parts[name] = value.strip()
    return parts


def _numbers(parts: Mapping[str, str], name: str) -> tuple[int, ...]:
    """Return the sorted numbers of one part; () when it is not there."""
    if name not in parts:
        return ()
    texts = parts[name].split(",")
    if name == "INTERVAL" and len(texts) > 1:
        raise _unread(name, parts[name])
    if not all(re.fullmatch(r"[+-]?[0-9]{1,4}", text) for text in texts):
        raise _unread(name, parts[name])
    numbers = sorted({int(text) for text in texts})
    if name in ORDINALS:
        fits = all(0 < abs(number) <= ORDINALS[name] for number in numbers)
    else:
        least, most = NUMBERS[name]
        fits = all(least <= number <= most for number in numbers)
    if not fits:
        raise _unread(name, parts[name])
    return tuple(numbers)


def _days(parts: Mapping[str, str], frequency: str) -> tuple[tuple[int, int], ...]:
    if "BYDAY" not in parts:
        return ()
    found = []
    for text in parts["BYDAY"].split(","):
        match = DAY.match(text)
        if match is None:
            raise _unread("BYDAY", text)
        ordinal = int(match[1]) if match[1] is not None else None
        fits = frequency in ("MONTHLY", "YEARLY")
        if ordinal is not None and not (fits and 0 < abs(ordinal) <= 53):
            raise _unread("BYDAY", text)
        found.append((ordinal or 0, DAYS.index(match[2])))
    return tuple(found)


def _unread(name: str, value: str) -> WindowError:
    part = f"{name}={value}"
    return WindowError("unread", f"{part!r} is not understood in a recurrence.", part)


# --- occurrences, by the wall clock ---


def occurrences(rule: Rule, first: datetime, since: date) -> Iterator[datetime]:
    """Yield the wall clock times of occurrences from `first` on that lie on `since` or
    later, in order; at most `MOST_DAYS` days are looked at."""
    number = period_number(rule, first.date(), since)
    looked, last = 0, since.toordinal() + MOST_DAYS
    while looked < MOST_DAYS:
        days = period_days(rule, first.date(), number)
        if not days or days[0].toordinal() > last:
            return
        looked += len(days)
        number += 1
        for moment in _chosen(rule, first, days):
            if moment >= first and moment.date() >= since:
                yield moment


def period_number(rule: Rule, first: date, day: date) -> int:
    """Return which period, counted from that of `first`, is the last to begin by
    `day`."""
    if rule.frequency == "DAILY":
        gone = (day - first).days
    elif rule.frequency == "WEEKLY":
        gone = (day - _week(rule, first)).days // 7
    elif rule.frequency == "MONTHLY":
        gone = (day.year - first.year) * 12 + day.month - first.month
    else:
        gone = day.year - first.year
    return max(0, gone // rule.interval)


def period_days(rule: Rule, first: date, number: int) -> list[date]:
    """Return all days of that period; none when it is beyond what is reckoned with."""
    steps = number * rule.interval
    if rule.frequency == "DAILY":
        return _run(first.toordinal() + steps, 1)
    if rule.frequency == "WEEKLY":
        return _run(_week(rule, first).toordinal() + 7 * steps, 7)
    if rule.frequency == "MONTHLY":
        years, months = divmod(first.month - 1 + steps, 12)
        if first.year + years > LAST_YEAR:
            return []
        begin = date(first.year + years, months + 1, 1)
        after = (begin + timedelta(days=31)).replace(day=1)
    else:
        if first.year + steps > LAST_YEAR:
            return []
        begin = date(first.year + steps, 1, 1)
        after = date(first.year + steps + 1, 1, 1)
    return _run(begin.toordinal(), (after - begin).days)


def _run(begin: int, length: int) -> list[date]:
    if begin > date(LAST_YEAR, 1, 1).toordinal():
        return []
    return [date.fromordinal(begin + more) for more in range(length)]


def _week(rule: Rule, day: date) -> date:
    return day - timedelta(days=(day.weekday() - rule.week_start) % 7)


def _chosen(rule: Rule, first: datetime, days: Sequence[date]) -> Sequence[datetime]:
    """Return what of one period the rule's parts choose, in order."""
    months, month_days, weekdays = rule.months, rule.month_days, rule.days
    if not month_days and not weekdays:
        if rule.frequency == "WEEKLY":
            weekdays = ((0, first.weekday()),)
        elif rule.frequency != "DAILY":
            month_days = (first.day,)
        if rule.frequency == "YEARLY" and not months:
            months = (first.month,)
    found = [
        datetime.combine(day, time(hour, minute, first.second))
        for day in days
        if (not months or day.month in months)
        and (not month_days or _has_month_day(month_days, day))
        and (not weekdays or _has_weekday(rule, weekdays, day))
        for hour in rule.hours or (first.hour,)
        for minute in rule.minutes or (first.minute,)
    ]
    if not rule.positions:
        return found
    size = len(found)
    places = {n - 1 if n > 0 else size + n for n in rule.positions}
    return [found[place] for place in sorted(places) if 0 <= place < size]


def _has_month_day(month_days: Sequence[int], day: date) -> bool:
    return day.day in month_days or day.day - _month_length(day) - 1 in month_days


def _has_weekday(rule: Rule, weekdays: Sequence[tuple[int, int]], day: date) -> bool:
    weekday = day.weekday()
    for ordinal, wanted in weekdays:
        if weekday != wanted:
            continue
        if not ordinal:
            return True
        # Counted in the month, or in the year when nothing says which months.
        if rule.frequency == "MONTHLY" or rule.months:
            place, length = day.day, _month_length(day)
        else:
            place = day.timetuple().tm_yday
            length = date(day.year, 12, 31).timetuple().tm_yday
        if ordinal in ((place - 1) // 7 + 1, -((length - place) // 7 + 1)):
            return True
    return False


def _month_length(day: date) -> int:
    after = day.replace(day=28) + timedelta(days=4)
    return (after - timedelta(days=after.day)).day


# --- clocks ---


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone. Raises WindowError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = f"{name!r} is no time zone such as Europe/Paris."
        raise WindowError("zone", message, name) from error


def _horizon(at: datetime) -> datetime:
    return at + timedelta(days=MOST_DAYS)
