"""Which stretches of time do hours of the week cover?

Hours begin and end by the wall clock of a zone: at the first of two equal times, until
the last, and a time that a change of clocks leaves out is the first moment after the
gap (reference/wire-protocols.md 3.10). So cover may overlap but never has a hole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alertcenter.common.clocks import as_utc

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
ONE_DAY = timedelta(days=1)
MOST_HOURS = 50
CLOCK_FORMAT = "%H:%M"


class Span(NamedTuple):
    """A stretch of time, its end not included; both UTC."""

    starts_at: datetime
    ends_at: datetime


class HoursError(ValueError):
    """Hours that cannot be read; `code` is a word for it, `part` what it is about."""

    def __init__(self, code: str, part: str = "") -> None:
        super().__init__(f"{code}: {part}")
        self.code = code
        self.part = part


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours that begin on some days of the week (0 is Monday). An end that is not
    later than the begin lies on the next day: equal ones are 24 hours."""

    days: frozenset[int] = EVERY_DAY
    begins: time = time()
    ends: time = time()

    def on(self, day: date, zone: ZoneInfo) -> Span:
        """Return the stretch that begins on `day`."""
        over = day + ONE_DAY if self.ends <= self.begins else day
        return Span(
            as_utc(datetime.combine(day, self.begins), zone, last=False),
            as_utc(datetime.combine(over, self.ends), zone, last=True),
        )


def parse(value: object) -> tuple[Hours, ...]:
    """Read [{"days": ["mon"], "begins": "09:00", "ends": "17:00"}]; all parts may be
    left out. Raises HoursError."""
    if not isinstance(value, list):
        raise HoursError("list")
    if len(value) > MOST_HOURS:
        raise HoursError("many", str(MOST_HOURS))
    return tuple(_read(one) for one in value)


def _read(one: object) -> Hours:
    if not isinstance(one, Mapping):
        raise HoursError("object")
    unknown = sorted(set(map(str, one)) - {"days", "begins", "ends"})
    if unknown:
        raise HoursError("unknown", unknown[0])
    return Hours(
        _days(one.get("days")), _clock(one, "begins", "00:00"), _clock(one, "ends")
    )


def _days(value: object) -> frozenset[int]:
    if value is None:
        return EVERY_DAY
    if not isinstance(value, list) or not value:
        raise HoursError("days")
    for day in value:
        if day not in DAY_NAMES:
            raise HoursError("day", str(day)[:20])
    return frozenset(DAY_NAMES.index(day) for day in value)


def _clock(one: Mapping[str, Any], part: str, default: str = "00:00") -> time:
    text = one.get(part, default)
    if text == "24:00":
        return time()
    try:
        return datetime.strptime(text, CLOCK_FORMAT).replace(tzinfo=UTC).time()
    except (ValueError, TypeError) as error:
        raise HoursError(part, str(text)[:20]) from error


def as_json(hours: Iterable[Hours]) -> list[dict[str, Any]]:
    """Return what `parse` reads."""
    return [
        {
            "days": [DAY_NAMES[day] for day in sorted(one.days)],
            "begins": one.begins.strftime(CLOCK_FORMAT),
            "ends": one.ends.strftime(CLOCK_FORMAT),
        }
        for one in hours
    ]


# --- stretches of time ---


def days_of(span: Span, zone: ZoneInfo, *, before: int = 1) -> Iterator[date]:
    """Yield the days of the zone that the stretch touches, and some before it."""
    day = span.starts_at.astimezone(zone).date() - timedelta(days=before)
    last = span.ends_at.astimezone(zone).date()
    while day <= last:
        yield day
        day += ONE_DAY


def covered(hours: Iterable[Hours], zone: ZoneInfo, within: Span) -> list[Span]:
    """Return what these hours cover of `within`, in order and joined."""
    days = list(days_of(within, zone))
    found = [
        one.on(day, zone) for one in hours for day in days if day.weekday() in one.days
    ]
    return cut(joined(found), within)


def whole_days(days: Collection[date], zone: ZoneInfo, within: Span) -> list[Span]:
    """Return what these days, from midnight to midnight, cover of `within`."""
    day_long = Hours()
    found = [day_long.on(day, zone) for day in days_of(within, zone) if day in days]
    return cut(joined(found), within)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, those that touch or overlap as one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.starts_at <= result[-1].ends_at:
            last = result[-1]
            if span.ends_at > last.ends_at:
                result[-1] = Span(last.starts_at, span.ends_at)
        elif span.ends_at > span.starts_at:
            result.append(span)
    return result


def cut(spans: Iterable[Span], within: Span) -> list[Span]:
    """Return the parts of the spans that lie in `within`."""
    return [
        Span(max(span.starts_at, within.starts_at), min(span.ends_at, within.ends_at))
        for span in spans
        if span.starts_at < within.ends_at and span.ends_at > within.starts_at
    ]


def part(spans: Sequence[Span], within: Span) -> list[Span]:
    """Return what `cut` does, of spans in order and joined: finds the first at once,
    however many lie before it."""
    first = bisect_right(spans, within.starts_at, key=lambda span: span.ends_at)
    following = takewhile(
        lambda span: span.starts_at < within.ends_at,
        (spans[n] for n in range(first, len(spans))),
    )
    return cut(following, within)


def both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Return what two lists, each in order and joined, cover together."""
    result = []
    i = j = 0
    while i < len(one) and j < len(other):
        begin = max(one[i].starts_at, other[j].starts_at)
        end = min(one[i].ends_at, other[j].ends_at)
        if begin < end:
            result.append(Span(begin, end))
        if one[i].ends_at < other[j].ends_at:
            i += 1
        else:
            j += 1
    return result


def without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """Return what `spans` cover and `holes` do not; both in order and joined."""
    if not spans:
        return []
    return both(spans, gaps(holes, Span(spans[0].starts_at, spans[-1].ends_at)))


def gaps(spans: Sequence[Span], within: Span) -> list[Span]:
    """Return what of `within` no span covers; `spans` in order and joined."""
    result, at = [], within.starts_at
    for span in cut(spans, within):
        if span.starts_at > at:
            result.append(Span(at, span.starts_at))
        at = span.ends_at
    if at < within.ends_at:
        result.append(Span(at, within.ends_at))
    return result


def lies_in(at: datetime, spans: Sequence[Span]) -> bool:
    """Whether a moment lies in one of the spans, which are in order and joined."""
    found = bisect_right(spans, at, key=lambda span: span.starts_at)
    return found > 0 and at < spans[found - 1].ends_at


def holds(hours: Iterable[Hours], zone: ZoneInfo, at: datetime) -> bool:
    """Whether a moment lies in the hours."""
    local = at.astimezone(zone).date()
    return any(
        span.starts_at <= at < span.ends_at
        for one in hours
        for day in (local - ONE_DAY, local)
        if day.weekday() in one.days
        for span in (one.on(day, zone),)
    )
