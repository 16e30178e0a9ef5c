"""Who is on call, as the database has it?

Everything that decides over a stretch of time is read in a handful of statements,
whatever the number of schedules; escalation/rota.py does the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from escalation import holidays, hours, layer_rows, rota
from escalation.hours import Span
from escalation.models import Schedule
from escalation.models.calendars import Absence, Availability, ImportedShift
from escalation.models.changes import Override, Swap, TemporarySchedule, TemporaryShift
from escalation.models.schedule import Layer, Turn
from escalation.rota import Change, Fixed, Rota, Temporary
from escalation.shifts import Layer as Rotation
from escalation.shifts import People, Shift
from tenants.models import Member

ALWAYS = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
LONGEST_LOOK = timedelta(days=400)
MOMENT = timedelta(seconds=1)
ONE_YEAR = timedelta(days=366)
FEW = 100


@dataclass(frozen=True)
class OnCall:
    """Who is on call by a schedule, until when, and who is next; `too_much`: until
    when cannot be said without keeping others waiting."""

    schedule: Schedule
    members: Sequence[Member]
    until: datetime | None
    next_members: Sequence[Member]
    too_much: bool = False

    @property
    def names(self) -> str:
        """Who is on call, in words; "" for nobody."""
        return names_of(self.members)

    @property
    def next_names(self) -> str:
        return names_of(self.next_members)


def names_of(members: Iterable[Member]) -> str:
    """Return members' names in one line."""
    return ", ".join(member.name for member in members)


def on_call(schedule: Schedule, at: datetime) -> list[Member]:
    """Return the members on call at `at`; [] when nobody is."""
    return on_call_by(schedule.tenant_id, [schedule.pk], at).get(schedule.pk, [])


def on_call_by(
    tenant_id: UUID, schedule_ids: Collection[UUID] | None, at: datetime
) -> dict[UUID, list[Member]]:
    """Return who is on call by each of these schedules; by all with None."""
    rotas = load(tenant_id, schedule_ids, Span(at, at + MOMENT))
    found = {pk: rota.people_at(one, at) for pk, one in rotas.items()}
    members = members_of(tenant_id, found.values())
    return {pk: [members[p] for p in people] for pk, people in found.items()}


def next_on_call(schedule: Schedule, at: datetime) -> list[Member]:
    """Return who comes after those who are on call at `at`."""
    found = everyone_on_call(schedule.tenant_id, at, [schedule.pk])
    return list(found[0].next_members) if found else []


def everyone_on_call(
    tenant_id: UUID, at: datetime, schedule_ids: Collection[UUID] | None = None
) -> list[OnCall]:
    """Return the state of each schedule of the tenant, by name."""
    rotas = load(tenant_id, schedule_ids, Span(at, at + LONGEST_LOOK))
    budget = rota.Budget()
    found = {pk: rota.coming(one, at, budget) for pk, one in rotas.items()}
    members = members_of(
        tenant_id, (people for c in found.values() for people in (c.people, c.then))
    )
    return [
        OnCall(
            schedule,
            [members[p] for p in found[schedule.pk].people],
            found[schedule.pk].until,
            [members[p] for p in found[schedule.pk].then],
            found[schedule.pk].too_much,
        )
        for schedule in Schedule.objects.filter(tenant_id=tenant_id, pk__in=rotas)
    ]


def members_of(tenant_id: UUID, people: Iterable[People]) -> dict[UUID, Member]:
    """Return the members with these ids."""
    ids = {person for group in people for person in group}
    if not ids:
        return {}
    return {m.pk: m for m in Member.objects.filter(tenant_id=tenant_id, pk__in=ids)}


# --- reading ---


def load(
    tenant_id: UUID, schedule_ids: Collection[UUID] | None, within: Span
) -> dict[UUID, Rota]:
    """Return the rotas of these schedules (all with None), with what bears on a
    stretch of time."""
    rows = Schedule.objects.filter(tenant_id=tenant_id)
    wanted = None if schedule_ids is None else set(schedule_ids)
    if wanted is not None and len(wanted) <= FEW:
        rows = rows.filter(pk__in=wanted)
    schedules = [
        facts
        for facts in map(_Facts._make, rows.values_list(*_Facts._fields))
        if wanted is None or facts.id in wanted
    ]
    if not schedules:
        return {}
    return _Reader(tenant_id, schedules, within).rotas()


class _Facts(NamedTuple):
    """What is reckoned with of a schedule's row."""

    id: UUID
    time_zone: str
    holiday_country: str
    holiday_subdivision: str
    stand_in: bool


@dataclass(frozen=True)
class _Reader:
    tenant_id: UUID
    schedules: Sequence[_Facts]
    within: Span

    def rotas(self) -> dict[UUID, Rota]:
        layers = self.layers()
        inactive = frozenset(
            Member.objects.filter(tenant_id=self.tenant_id, active=False).values_list(
                "pk", flat=True
            )
        )
        fixed, swaps = self.fixed(), self.swaps()
        overrides, temporaries = self.overrides(), self.temporaries()
        gone = dict.fromkeys(inactive, (ALWAYS,))
        # An inactive member is away always, whatever else he has.
        away = self.away() | gone if any(s.stand_in for s in self.schedules) else gone
        return {
            one.id: Rota(
                zone=layer_rows.zone_or_utc(one.time_zone),
                layers=layers.get(one.id, ()),
                fixed=fixed.get(one.id, ()),
                swaps=swaps.get(one.id, ()),
                overrides=overrides.get(one.id, ()),
                temporaries=temporaries.get(one.id, ()),
                holidays=holidays.of_years(
                    one.holiday_country, one.holiday_subdivision, self.years()
                ),
                away=away if one.stand_in else gone,
                inactive=inactive,
            )
            for one in self.schedules
        }

    def mine(self, **more: Any) -> dict[str, Any]:
        """Return the conditions for what bears on the stretch."""
        return {
            "tenant_id": self.tenant_id,
            "starts_at__lt": self.within.ends_at,
            "ends_at__gt": self.within.starts_at,
        } | more

    def ids(self) -> list[UUID]:
        return [one.id for one in self.schedules]

    def these(self, name: str) -> dict[str, list[UUID]]:
        """Return the condition for these schedules; of many, a long list costs more
        than to read what is not asked for."""
        return {f"{name}__in": self.ids()} if len(self.schedules) <= FEW else {}

    def years(self) -> range:
        begin = self.within.starts_at - hours.ONE_DAY
        return range(begin.year, (self.within.ends_at + hours.ONE_DAY).year + 1)

    def layers(self) -> dict[UUID, list[Rotation]]:
        zones = {str(one.id): (one.id, one.time_zone) for one in self.schedules}
        found: dict[UUID, list[Rotation]] = defaultdict(list)
        with connection.cursor() as cursor:
            ids = [str(pk) for pk in self.ids()]
            cursor.execute(layer_rows.LAYERS, [self.tenant_id, ids])
            for schedule, *facts in cursor.fetchall():
                pk, zone = zones[schedule]
                if (layer := layer_rows.readable(zone, facts)) is not None:
                    found[pk].append(layer)
        return found

    def fixed(self) -> dict[UUID, list[Fixed]]:
        """Return the shifts that were read from calendars."""
        found: dict[UUID, list[Fixed]] = defaultdict(list)
        conditions = self.mine(
            calendar__overrides=False, **self.these("calendar__schedule_id")
        )
        for schedule, level, begin, end, member in ImportedShift.objects.filter(
            **conditions
        ).values_list(
            "calendar__schedule_id", "level", "starts_at", "ends_at", "member_id"
        ):
            found[schedule].append(Fixed(level, begin, end, member))
        return found

    def swaps(self) -> dict[UUID, list[Change]]:
        found: dict[UUID, list[Change]] = defaultdict(list)
        conditions = self.mine(benefactor_id__isnull=False, **self.these("schedule_id"))
        for row in Swap.objects.filter(**conditions).order_by("taken_at", "id"):
            found[row.schedule_id].append(
                Change(
                    rota.REPLACE,
                    row.starts_at,
                    row.ends_at,
                    row.benefactor_id,
                    row.beneficiary_id,
                )
            )
        return found

    def overrides(self) -> dict[UUID, list[Change]]:
        """Return people's overrides and those read from calendars."""
        found: dict[UUID, list[Change]] = defaultdict(list)
        conditions = self.mine(
            calendar__overrides=True, **self.these("calendar__schedule_id")
        )
        for schedule, begin, end, member in ImportedShift.objects.filter(
            **conditions
        ).values_list("calendar__schedule_id", "starts_at", "ends_at", "member_id"):
            found[schedule].append(Change(rota.ONLY, begin, end, member))
        for row in Override.objects.filter(**self.mine(**self.these("schedule_id"))):
            found[row.schedule_id].append(
                Change(
                    row.kind, row.starts_at, row.ends_at, row.member_id, row.instead_id
                )
            )
        return found

    def temporaries(self) -> dict[UUID, list[Temporary]]:
        rows = list(
            TemporarySchedule.objects.filter(**self.mine(**self.these("schedule_id")))
        )
        own: dict[UUID, list[Shift]] = defaultdict(list)
        if rows:
            for temporary, begin, end, member in TemporaryShift.objects.filter(
                **self.mine(temporary_id__in=[row.pk for row in rows])
            ).values_list("temporary_id", "starts_at", "ends_at", "member_id"):
                own[temporary].append(Shift(begin, end, (member,)))
        found: dict[UUID, list[Temporary]] = defaultdict(list)
        for row in rows:
            found[row.schedule_id].append(
                Temporary(row.starts_at, row.ends_at, own[row.pk])
            )
        return found

    def away(self) -> dict[UUID, Sequence[Span]]:
        """Return when members are absent or have their own holidays."""
        found = absences(self.tenant_id, self.within)
        return {person: hours.joined(spans) for person, spans in found.items()}


def absences(
    tenant_id: UUID, within: Span, member_ids: Collection[UUID] | None = None
) -> Mapping[UUID, list[Span]]:
    """Return the stretches in which members are away, by member, in no order."""
    rows = Absence.objects.filter(
        tenant_id=tenant_id,
        starts_at__lt=within.ends_at,
        ends_at__gt=within.starts_at,
    )
    festive = Availability.objects.filter(tenant_id=tenant_id).exclude(
        holiday_country=""
    )
    if member_ids is not None:
        rows = rows.filter(member_id__in=list(member_ids))
        festive = festive.filter(member_id__in=list(member_ids))
    found: dict[UUID, list[Span]] = defaultdict(list)
    for member, begin, end in rows.values_list("member_id", "starts_at", "ends_at"):
        found[member].append(Span(begin, end))
    begin, end = within.starts_at - hours.ONE_DAY, within.ends_at + hours.ONE_DAY
    years = range(begin.year, end.year + 1)
    for member, country, region, zone in festive.values_list(
        "member_id", "holiday_country", "holiday_subdivision", "member__time_zone"
    ):
        days = holidays.of_years(country, region, years)
        found[member] += hours.whole_days(days, layer_rows.zone_or_utc(zone), within)
    return found


def make(
    tenant_id: UUID,
    name: str,
    people: Iterable[Member],
    *,
    days: int = 7,
    **fields: Any,
) -> Schedule:
    """Write a schedule of one layer whose members take turns of so many days.

    `fields`: time_zone, owner of the schedule; starts_on, handoff of the layer.
    """
    own = {k: fields.pop(k) for k in ("time_zone", "owner") if k in fields}
    schedule: Schedule = Schedule.objects.create(tenant_id=tenant_id, name=name, **own)
    layer = Layer.objects.create(
        tenant_id=tenant_id,
        schedule=schedule,
        frequency="daily",
        every=days,
        **fields,
    )
    Turn.objects.bulk_create(
        Turn(tenant_id=tenant_id, layer=layer, member=member, position=position)
        for position, member in enumerate(people, 1)
    )
    return schedule
