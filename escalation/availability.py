"""Is it a person's business time, and when is it next?

Business time is what his hours cover by the clock of his zone, without the holidays of
his country and without his absences. Who wrote no hours works at any of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from escalation import holidays, hours
from escalation.hours import Hours, Span
from escalation.models import Absence, Availability
from tenants.models import Member

ALL_DAY = (Hours(),)
# Nobody is waited for longer; most are there within the week.
LOOKS = (timedelta(days=8), timedelta(days=40), timedelta(days=400))
MOMENT = timedelta(seconds=1)


@dataclass(frozen=True)
class Working:
    """When a person works. `away` in any order; `holidays` of all years asked for."""

    zone: ZoneInfo
    hours: Sequence[Hours] = ()
    holidays: Collection[date] = frozenset()
    away: Sequence[Span] = ()


def business_spans(working: Working, within: Span) -> list[Span]:
    """Return the person's business time within a stretch, in order."""
    spans = hours.covered(working.hours or ALL_DAY, working.zone, within)
    free = hours.whole_days(working.holidays, working.zone, within)
    return hours.without(spans, hours.joined([*free, *working.away]))


def is_business(working: Working, at: datetime) -> bool:
    """Whether a moment is business time."""
    return bool(business_spans(working, Span(at, at + MOMENT)))


def next_business(working: Working, at: datetime) -> datetime | None:
    """Return the first moment of business time from `at` on; None within 400 days."""
    for look in LOOKS:
        if found := business_spans(working, Span(at, at + look)):
            return found[0].starts_at
    return None


# --- as the database has it ---


def working(member: Member, within: Span) -> Working:
    """Read what decides over a member's business time in a stretch."""
    mine = {"tenant_id": member.tenant_id, "member_id": member.pk}
    row = Availability.objects.filter(**mine).first() or Availability()
    begin, end = within.starts_at - hours.ONE_DAY, within.ends_at + hours.ONE_DAY
    away = Absence.objects.filter(
        **mine, starts_at__lt=within.ends_at, ends_at__gt=within.starts_at
    ).values_list("starts_at", "ends_at")
    return Working(
        zone=ZoneInfo(member.time_zone),
        hours=hours.parse(row.hours),
        holidays=holidays.of_years(
            row.holiday_country,
            row.holiday_subdivision,
            range(begin.year, end.year + 1),
        ),
        away=[Span(begin.astimezone(UTC), end.astimezone(UTC)) for begin, end in away],
    )


def is_business_time(member: Member, at: datetime) -> bool:
    """Whether a moment is the member's business time."""
    return is_business(working(member, Span(at, at + MOMENT)), at)


def next_business_time(member: Member, at: datetime) -> datetime | None:
    """Return when the member's business time is next; None within 400 days."""
    return next_business(working(member, Span(at, at + LOOKS[-1])), at)
