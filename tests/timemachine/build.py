"""How does a described world get into the database? As the admin's forms write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models.functions import Now

from alertcenter.alerts import silences
from alertcenter.alerts.models import Route
from alertcenter.alerts.silences import Draft
from alertcenter.common.ids import uuid7
from escalation.models import (
    Absence,
    Availability,
    CalendarImport,
    ImportedShift,
    Layer,
    Override,
    Policy,
    Schedule,
    SlaTarget,
    Step,
    Swap,
    TemporarySchedule,
    TemporaryShift,
    Turn,
)
from notifications.default_templates import install_templates
from notifications.models import (
    Channel,
    Contact,
    PersonalRule,
    PersonalStep,
    QuietHours,
)
from tenants.actors import THE_ENGINE
from tenants.models import Member
from tenants.models import Tenant as TenantRow
from tenants.rls import in_tenant
from tests.timemachine import world as told

SETTINGS = {"slack": {"channel": "C1", "team_id": "T1"}, "sms": {}}


@dataclass
class Built:
    """Which row is what, by the world's keys."""

    tenant_id: UUID
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)


def build(world: told.World) -> dict[str, Built]:
    """Write the world; return its tenants by key."""
    return {key: _tenant(tenant) for key, tenant in world.tenants.items()}


def _tenant(tenant: told.Tenant) -> Built:
    pk = uuid7()
    built = Built(pk)
    with in_tenant(pk):
        TenantRow.objects.create(pk=pk, slug=tenant.key, name=tenant.key.title())
        install_templates(pk)
        for key, kind in tenant.channels:
            built.channels[key] = Channel.objects.create(
                tenant_id=pk,
                kind=kind,
                slug=key,
                name=key,
                settings=SETTINGS[kind],
                secret="{}",
            )
        for person in tenant.people.values():
            built.members[person.key] = _person(pk, person)
        for schedule in tenant.schedules.values():
            built.schedules[schedule.key] = _schedule(pk, schedule, built)
        for severity, (acknowledge, resolve) in tenant.targets.items():
            SlaTarget.objects.create(
                tenant_id=pk,
                severity=severity,
                acknowledge_seconds=acknowledge or None,
                resolve_seconds=resolve or None,
            )
        _routes(pk, tenant, built)
        for silence in tenant.silences:
            draft = Draft(
                [f'team="{silence.team}"'],
                silence.ends,
                starts_at=silence.starts,
                comment="The year wants quiet.",
            )
            silences.save(pk, draft, actor=THE_ENGINE, confirm=True)
    return built


def _person(pk: UUID, person: told.Person) -> Member:
    user = User.objects.create(username=person.key, email=person.mailbox)
    member = Member.objects.create(
        tenant_id=pk,
        user=user,
        role="responder",
        name=person.key,
        time_zone=person.zone,
        active=person.active,
    )
    mine = {"tenant_id": pk, "member": member}
    contacts = {
        one.key: Contact.objects.create(
            **mine,
            kind=one.kind,
            address=one.address,
            position=position,
            verified_at=Now() if one.proven else None,
        )
        for position, one in enumerate(person.contacts, 1)
    }
    for position, step in enumerate(person.steps, 1):
        PersonalStep.objects.create(
            **mine,
            important=step.important,
            position=position,
            kind=step.kind,
            contact=contacts.get(step.contact),
            by=step.by,
            wait_seconds=step.wait or None,
        )
    for quiet in person.quiet:
        QuietHours.objects.create(
            **mine, days=list(quiet.days), begins=quiet.begins, ends=quiet.ends
        )
    PersonalRule.objects.create(
        **mine,
        important_from=person.important_from,
        quiet_below=person.quiet_below,
        quiet_how=person.quiet_how,
        time_zone=person.quiet_zone,
    )
    Availability.objects.create(**mine, holiday_country=person.country)
    for begin, end in person.absences:
        Absence.objects.create(**mine, starts_at=begin, ends_at=end)
    return member


def _schedule(pk: UUID, schedule: told.Schedule, built: Built) -> Schedule:
    row = Schedule.objects.create(
        tenant_id=pk,
        name=schedule.key,
        time_zone=schedule.zone,
        holiday_country=schedule.country,
        holiday_subdivision=schedule.subdivision,
        stand_in=schedule.stand_in,
    )
    mine = {"tenant_id": pk, "schedule": row}
    for layer in schedule.layers:
        _layer(pk, row, layer, built)
    for override in schedule.overrides:
        Override.objects.create(
            **mine,
            kind=override.kind,
            starts_at=override.starts,
            ends_at=override.ends,
            member=built.members.get(override.member),
            instead=built.members.get(override.instead),
        )
    for swap in schedule.swaps:
        Swap.objects.create(
            **mine,
            beneficiary=built.members[swap.beneficiary],
            benefactor=built.members.get(swap.benefactor),
            starts_at=swap.starts,
            ends_at=swap.ends,
            taken_at=Now() if swap.benefactor else None,
        )
    for overrides in {one.overrides for one in schedule.imported}:
        # Nobody reads it: its shifts are there.
        read = CalendarImport.objects.create(
            **mine, url="https://calendar.example/x.ics", overrides=overrides
        )
        for one in schedule.imported:
            if one.overrides == overrides:
                ImportedShift.objects.create(
                    tenant_id=pk,
                    calendar=read,
                    member=built.members[one.member],
                    starts_at=one.starts,
                    ends_at=one.ends,
                    level=one.level,
                )
    for temporary in schedule.temporaries:
        stretch = TemporarySchedule.objects.create(
            **mine, starts_at=temporary.starts, ends_at=temporary.ends
        )
        for key, begin, end in temporary.shifts:
            TemporaryShift.objects.create(
                tenant_id=pk,
                temporary=stretch,
                member=built.members[key],
                starts_at=begin,
                ends_at=end,
            )
    return row


def _layer(pk: UUID, schedule: Schedule, layer: told.Layer, built: Built) -> None:
    row = Layer.objects.create(
        tenant_id=pk,
        schedule=schedule,
        name=layer.name,
        level=layer.level,
        time_zone=layer.zone,
        frequency=layer.frequency,
        every=layer.every,
        starts_on=layer.starts_on,
        handoff=layer.handoff,
        ends_on=layer.ends_on,
        lasts_minutes=layer.lasts,
        weekdays=list(layer.weekdays),
        hours=[
            {
                "days": list(one.days),
                "begins": f"{one.begins:%H:%M}",
                "ends": f"{one.ends:%H:%M}",
            }
            for one in layer.hours
        ],
        holidays=layer.holidays,
        first_turn=layer.first_turn,
    )
    for position, keys in enumerate(layer.turns, 1):
        for key in keys:
            Turn.objects.create(
                tenant_id=pk, layer=row, member=built.members[key], position=position
            )


def _routes(pk: UUID, tenant: told.Tenant, built: Built) -> None:
    root = Route.objects.create(
        tenant_id=pk,
        name="rest",
        is_default=True,
        group_by=["incident"],
        group_wait_seconds=0,
        storm_per_minute=0,
    )
    for route in tenant.routes.values():
        policy = Policy.objects.create(
            tenant_id=pk, name=route.team, ack_timeout_seconds=route.ack
        )
        for position, step in enumerate(route.steps, 1):
            target = step.target
            Step.objects.create(
                tenant_id=pk,
                policy=policy,
                position=position,
                kind=step.kind,
                channel=built.channels.get(target) if step.kind == "channel" else None,
                member=built.members.get(target) if step.kind == "member" else None,
                schedule=built.schedules.get(target) if step.kind == "oncall" else None,
                wait_seconds=step.wait or None,
                params=_params(step, built),
            )
        Route.objects.create(
            tenant_id=pk,
            parent=root,
            name=route.team,
            matchers=[f'team="{route.team}"'],
            policy=policy,
            group_wait_seconds=route.wait,
        )


def _params(step: told.Step, built: Built) -> dict[str, object]:
    if step.kind == "round_robin":
        return {"members": [str(built.members[key].pk) for key in step.members]}
    return {"times": step.times} if step.kind == "repeat" else {}
