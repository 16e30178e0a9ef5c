"""Who is on call at a moment?

Turns change at a wall-clock time in the order's own zone: in a gap the hand-over
moves to the next instant that exists, in an ambiguous hour it is the first one
(reference/wire-protocols.md 3.10), so that cover never has a hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from escalation.models import Schedule, Turn
from tenants.models import Member


@dataclass(frozen=True)
class OnCall:
    """Who is on call, until when, and who is next."""

    schedule: Schedule
    member: Member | None
    until: datetime | None
    next_member: Member | None


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) of a wall-clock time; see the module's rule."""
    local = datetime.combine(day, clock, zone)  # fold=0: the first of two
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # The time does not exist that day. Read with the offset before the gap it lies
    # behind it by as much as it stood inside; the gap ends where the offset jumps.
    before = local.utcoffset() or timedelta()
    after = local.replace(fold=1).utcoffset() or timedelta()
    low = moment - abs(before - after)
    high = moment
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def shift_index(schedule: Schedule, at: datetime) -> int:
    """Return the number of the turn that `at` falls in; negative before the start."""
    zone = ZoneInfo(schedule.time_zone)
    days = (at.astimezone(zone).date() - schedule.starts_on).days
    index = days // schedule.turn_days
    if at < shift_start(schedule, index):
        return index - 1
    if at >= shift_start(schedule, index + 1):
        return index + 1
    return index


def shift_start(schedule: Schedule, index: int) -> datetime:
    """Return when turn number `index` begins (UTC)."""
    day = schedule.starts_on + timedelta(days=index * schedule.turn_days)
    return instant(day, schedule.handoff, ZoneInfo(schedule.time_zone))


def turns_of(schedule: Schedule) -> list[Turn]:
    """Return the turns in order, of active members only."""
    rows = Turn.objects.filter(
        tenant_id=schedule.tenant_id, schedule=schedule, member__active=True
    )
    return list(rows.select_related("member").order_by("position", "id"))


def who(schedule: Schedule, turns: Sequence[Turn], at: datetime) -> OnCall:
    """Return who is on call by these turns at `at`."""
    if not turns:
        return OnCall(schedule, None, None, None)
    index = shift_index(schedule, at)
    return OnCall(
        schedule,
        turns[index % len(turns)].member,
        shift_start(schedule, index + 1),
        turns[(index + 1) % len(turns)].member,
    )


def on_call(schedule: Schedule, at: datetime) -> Member | None:
    """Return the member on call at `at`, or None when nobody is."""
    return who(schedule, turns_of(schedule), at).member


def everyone_on_call(tenant_id: UUID, at: datetime) -> list[OnCall]:
    """Return the state of each on-call order of the tenant."""
    schedules = list(Schedule.objects.filter(tenant_id=tenant_id))
    by_schedule: dict[UUID, list[Turn]] = {s.pk: [] for s in schedules}
    for turn in (
        Turn.objects.filter(tenant_id=tenant_id, member__active=True)
        .select_related("member")
        .order_by("position", "id")
    ):
        by_schedule[turn.schedule_id].append(turn)
    return [who(s, by_schedule[s.pk], at) for s in schedules]
