"""Who is told of a schedule before something goes wrong?

Its owner of gaps and double bookings of the next 30 days; whoever could take them of
shifts that a member would give away; and, where the schedule says so, a member of his
shift that begins soon. Rows say what was told, so that any number of processes may
look, and each thing is told once.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q
from django.db.utils import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts.lifecycle import database_time
from escalation import oncall, quality, rota
from escalation.hours import Span
from escalation.models import Schedule, ScheduleNotice, Swap, Turn
from escalation.rota import Rota
from escalation.schedule_messages import About, tell, when
from escalation.shifts import Shift
from tenants import access
from tenants.models import Member
from tenants.rls import in_tenant

log = logging.getLogger(__name__)
Row = TypeVar("Row")

AHEAD = timedelta(days=30)
EACH = timedelta(hours=1)
# What comes again by weekday and clock is one finding, until it was not there for
# longer, or was mended.
SERIES = timedelta(days=31)
MOST_LINES = 10
BEFORE = (
    *(timedelta(weeks=n) for n in (4, 3, 2, 1)),
    *(timedelta(days=n) for n in (3, 2, 1)),
    timedelta(hours=12),
)


def each_tenant(work: Callable[[UUID], int]) -> int:
    """Do it tenant by tenant, each in a transaction of its own: what cannot be done
    for one keeps nothing from the others."""
    done = 0
    with transaction.atomic():
        ids = [tenant_id for tenant_id, _slug in access.tenants()]
    for tenant_id in ids:
        try:
            with in_tenant(tenant_id):
                done += work(tenant_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("schedules_not_looked_at", extra={"tenant": str(tenant_id)})
    return done


def reckoned(rotas: Mapping[UUID, Rota], within: Span) -> dict[UUID, Rota]:
    """Return those that take no more time than others can wait."""
    found = {pk: r for pk, r in rotas.items() if not rota.is_too_much(r, within)}
    if left := set(rotas) - set(found):
        log.warning("schedules_too_much", extra={"schedules": len(left)})
    return found


def one_by_one(rows: Iterable[Row], work: Callable[[Row], int]) -> int:
    """Do it for each row; what cannot be done for one is undone, and keeps nothing
    from the others."""
    done = 0
    for row in rows:
        try:
            with transaction.atomic():
                done += work(row)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("schedule_not_told_of", extra={"row": str(row)[:100]})
    return done


# --- gaps and double bookings ---


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a schedule, and when it begins."""

    about: str
    starts_at: datetime
    ends_at: datetime
    person: UUID | None = None


def check() -> int:
    """Look at every schedule that has an owner, each once an hour."""
    each_tenant(check_tenant)
    return 0


TAKE = """
UPDATE schedule SET checked_at = now() WHERE id IN (
  SELECT id FROM schedule
  WHERE tenant_id = %s AND owner_id IS NOT NULL
    AND (checked_at IS NULL OR checked_at < now() - %s)
  FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def check_tenant(tenant_id: UUID) -> int:
    """Tell owners what is new; return how many were told something."""
    with connection.cursor() as cursor:
        values: list[Any] = [tenant_id, EACH]
        cursor.execute(TAKE, values)
        mine = {pk for (pk,) in cursor.fetchall()}
    if not mine:
        return 0
    now = database_time()
    within = Span(now, now + AHEAD)
    rotas = reckoned(oncall.load(tenant_id, None, within), within)
    finals = {pk: rota.final(given, within) for pk, given in rotas.items()}
    rows = Schedule.objects.filter(tenant_id=tenant_id, pk__in=mine)
    schedules = {row.pk: row for row in rows.select_related("owner")}
    sources: dict[Hashable, Sequence[Shift]] = dict(finals.items())
    twice = quality.doubles(sources)

    def look(pk: UUID) -> int:
        found = findings(rotas[pk], finals[pk], within)
        zone = rotas[pk].zone
        for double in twice:
            if pk in double.by:
                others = [str(one) for one in double.by if one != pk]
                about = f"double/{double.person}/{','.join(others)}"
                found.append(
                    Finding(
                        f"{about[:150]}/{weekly(double.starts_at, zone)}",
                        double.starts_at,
                        double.ends_at,
                        double.person,
                    )
                )
        return _report(schedules[pk], [f for f in found if f.starts_at > now])

    return one_by_one(sorted(mine & set(rotas)), look)


def findings(given: Rota, final: Sequence[Shift], within: Span) -> list[Finding]:
    """Return the gaps of a schedule, and who is in two of its layers at once."""
    found = [
        Finding(f"gap/{weekly(gap.starts_at, given.zone)}", *gap)
        for gap in rota.gaps_in(final, within)
    ]
    found += [
        Finding(
            f"double/{one.person}/{weekly(one.starts_at, given.zone)}",
            one.starts_at,
            one.ends_at,
            one.person,
        )
        for one in quality.doubles_in(given, within)
    ]
    return sorted(found, key=lambda finding: finding.starts_at)


def weekly(at: datetime, zone: ZoneInfo) -> str:
    """Return "5 18:00" for a Friday evening."""
    return f"{at.astimezone(zone):%u %H:%M}"


# A row that is there and still in its series only moves on; else it is told anew.
NOTE = """
INSERT INTO schedule_notice (id, created_at, tenant_id, schedule_id, about, last_at)
VALUES (uuidv7(), now(), %s, %s, %s, %s)
ON CONFLICT (tenant_id, schedule_id, about) DO UPDATE
SET last_at = greatest(schedule_notice.last_at, excluded.last_at),
    told_at = CASE WHEN excluded.last_at > schedule_notice.last_at + %s
                   THEN now() ELSE schedule_notice.told_at END
RETURNING old.id IS NULL OR new.last_at > old.last_at + %s
"""


def is_new(schedule: Schedule, about: str, at: datetime) -> bool:
    """Whether it was not told yet; from now on it was."""
    with connection.cursor() as cursor:
        own: list[Any] = [schedule.tenant_id, schedule.pk, about, at, SERIES, SERIES]
        cursor.execute(NOTE, own)
        return bool(cursor.fetchone()[0])


def _report(schedule: Schedule, found: Sequence[Finding]) -> int:
    _forget_mended(schedule, {one.about for one in found})
    new = [one for one in found if is_new(schedule, one.about, one.starts_at)]
    owner = schedule.owner
    if not new or owner is None or not owner.active:
        return 0
    people = oncall.members_of(
        schedule.tenant_id, [(f.person,) for f in new if f.person]
    )
    with translation.override(owner.language):
        title = _("The schedule “%(name)s” needs a look") % {"name": schedule.name}
        lines = [
            _("%(when)s: nobody is on call") % {"when": when(one, owner)}
            if one.person is None
            else _("%(when)s: %(who)s is booked twice")
            % {"when": when(one, owner), "who": people[one.person].name}
            for one in new[:MOST_LINES]
        ]
        if len(new) > MOST_LINES:
            lines.append(_("and %(n)s more") % {"n": len(new) - MOST_LINES})
    first = new[0].starts_at.isoformat()
    tell([owner], About(schedule, f"findings/{first}/{len(new)}", title, lines))
    return 1


def _forget_mended(schedule: Schedule, found: set[str]) -> None:
    """What was told and is gone is news if it comes back."""
    told = ScheduleNotice.objects.filter(
        Q(about__startswith="gap/") | Q(about__startswith="double/"),
        tenant_id=schedule.tenant_id,
        schedule=schedule,
        last_at__gt=database_time(),
    )
    told.exclude(about__in=found).delete()


# --- requests to take shifts ---

# The last of the moments before the begin that is over, and not yet reminded of.
OPEN = """
UPDATE shift_swap SET reminded_at = now() WHERE id IN (
  SELECT s.id FROM shift_swap s
  WHERE s.tenant_id = %s AND s.benefactor_id IS NULL AND s.starts_at > now()
    AND EXISTS (
      SELECT FROM unnest(%s::interval[]) AS before
      WHERE s.starts_at - before <= now()
        AND s.starts_at - before > coalesce(s.reminded_at, s.asked_at))
  FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def remind_of_swaps() -> int:
    """Tell of requests that nobody has taken."""
    each_tenant(remind_tenant_of_swaps)
    return 0


def remind_tenant_of_swaps(tenant_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [tenant_id, list(BEFORE)])
        due = [pk for (pk,) in cursor.fetchall()]
    swaps = Swap.objects.filter(tenant_id=tenant_id, pk__in=due)
    return one_by_one(swaps.select_related("schedule", "beneficiary"), remind_of_swap)


def remind_of_swap(swap: Swap) -> int:
    left = (swap.starts_at - database_time()) // BEFORE[-1]
    for member in could_take(swap):
        with translation.override(member.language):
            title = _("Who takes over from %(name)s?") % {"name": swap.beneficiary.name}
            lines = [f"{swap.schedule.name}: {when(swap, member)}", swap.note]
        about = About(
            swap.schedule,
            f"swap/{swap.pk}/{swap.starts_at.isoformat()}/{left}",
            title,
            [line for line in lines if line],
            f"admin/escalation/swap/{swap.pk}/change/",
        )
        tell([member], about)
    return 1


def could_take(swap: Swap) -> list[Member]:
    """Return the others who have turns in the schedule."""
    turns = Turn.objects.filter(
        tenant_id=swap.tenant_id, layer__schedule_id=swap.schedule_id
    )
    return list(
        Member.objects.filter(
            tenant_id=swap.tenant_id, active=True, pk__in=turns.values("member_id")
        ).exclude(pk=swap.beneficiary_id)
    )


# --- a shift begins ---


def remind_of_shifts() -> int:
    """Tell members that their shift begins soon, where their schedule wants it."""
    each_tenant(remind_tenant_of_shifts)
    return 0


def remind_tenant_of_shifts(tenant_id: UUID) -> int:
    wanted = {
        schedule.pk: schedule
        for schedule in Schedule.objects.filter(
            tenant_id=tenant_id, remind_minutes__isnull=False
        )
    }
    if not wanted:
        return 0
    now = database_time()
    notices: dict[UUID, timedelta] = {
        pk: timedelta(minutes=schedule.remind_minutes or 0)
        for pk, schedule in wanted.items()
    }
    within = Span(now, now + max(notices.values()))
    rotas = reckoned(oncall.load(tenant_id, list(wanted), within), within)

    def remind(pk: UUID) -> int:
        schedule, told = wanted[pk], 0
        span = Span(now, now + notices[pk])
        coming = list(beginning(rota.final(rotas[pk], span), now))
        members = oncall.members_of(tenant_id, [(one,) for _at, one in coming])
        for at, person in coming:
            if is_new(schedule, f"shift/{person}/{at.isoformat()}", at):
                told += 1
                _announce(schedule, members[person], at)
        return told

    return one_by_one(rotas, remind)


def beginning(final: Sequence[Shift], now: datetime) -> Iterator[tuple[datetime, UUID]]:
    """Yield who comes on call, and when: not who stays on call with others."""
    there: dict[datetime, set[UUID]] = defaultdict(set)
    for shift in final:
        there[shift.ends_at] |= set(shift.people)
    for shift in final:
        if shift.starts_at > now:
            for person in shift.people:
                if person not in there[shift.starts_at]:
                    yield shift.starts_at, person


def _announce(schedule: Schedule, member: Member, at: datetime) -> None:
    with translation.override(member.language):
        title = _("Your shift “%(name)s” begins at %(time)s") % {
            "name": schedule.name,
            "time": when(at, member),
        }
    tell([member], About(schedule, f"shift/{member.pk}/{at.isoformat()}", title))


def prune(tenant_ids: Sequence[UUID]) -> int:
    """Forget what was told of what is long over."""
    old = database_time() - AHEAD
    return ScheduleNotice.objects.filter(
        tenant_id__in=tenant_ids, last_at__lt=old
    ).delete()[0]
