"""What do the tests of the admin share? Clients, and one row of everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from alertcenter.alerts import lifecycle
from alertcenter.alerts.models import (
    Alert,
    Episode,
    Group,
    GroupAlert,
    Heartbeat,
    InhibitRule,
    Maintenance,
    RawEvent,
    Route,
    Rule,
    Service,
    ServiceDependency,
    Silence,
    Storm,
    TimeInterval,
    Transition,
)
from alertcenter.common.ids import uuid7
from escalation import oncall
from escalation.models import (
    Absence,
    Availability,
    CalendarFeed,
    CalendarImport,
    DueStep,
    Layer,
    Override,
    Policy,
    Run,
    Schedule,
    SlaTarget,
    Step,
    Swap,
    Team,
    TeamMember,
    TemporarySchedule,
)
from notifications.models import (
    Attempt,
    Channel,
    Contact,
    Delivery,
    Destination,
    MessageTemplate,
    Person,
    PersonalRule,
    PersonalStep,
    QuietHours,
    StoppedAddress,
)
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import ApiKey, Audit, Integration, Member, Tenant
from tenants.rls import in_tenant
from tests.cast import PASSWORD, Cast

LogIn = Callable[[User], Client]
CANARY = "xoxb-canary-7391"


@pytest.fixture
def login() -> Callable[[User], Client]:
    """Return a client logged in as a user."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def alice(acme, login: LogIn) -> Client:
    return login(acme.user("alice"))


@pytest.fixture
def bob(acme, login: LogIn) -> Client:
    return login(acme.user("bob"))


@pytest.fixture
def vera(acme, login: LogIn) -> Client:
    return login(acme.user("vera"))


@pytest.fixture
def charlie(globex, login: LogIn) -> Client:
    return login(globex.user("charlie"))


@pytest.fixture
def operator(db, login: LogIn) -> Client:
    user = User.objects.create_superuser("root", "root@example.com", PASSWORD)
    return login(user)


@pytest.fixture
def filled(acme) -> dict[type, Any]:
    """One row of each model of acme, {model: row}."""
    return fill(acme)


def fill(cast: Cast) -> dict[type, Any]:
    """Make one row of everything the admin shows."""
    with in_tenant(cast.id):
        rows = {**configuration(cast), **history(cast)}
        rows[Tenant] = cast.tenant
        rows[Member] = next(reversed(cast.members.values()))
        rows[Storm] = Storm.objects.create(
            tenant_id=cast.id, route=rows[Route], group_id=rows[Group].pk, alerts=3000
        )
        rows[ApiKey] = apikeys.mint(cast.id, "prom", ["ingest"], actor=THE_ENGINE)[0]
        rows[Integration] = Integration.objects.create(
            tenant=cast.tenant, slug="zabbix-1", name="Zabbix", source="zabbix"
        )
        rows[Audit] = Audit.objects.order_by("-id").first()
        run = Run.objects.create(
            tenant=cast.tenant,
            group=rows[Group],
            policy_name="Database",
            snapshot=[{"kind": "channel"}],
        )
        rows[Run] = run
        rows[DueStep] = DueStep.objects.create(
            tenant=cast.tenant,
            run=run,
            group_id=rows[Group].pk,
            position=1,
            due_at=timezone.now() + timedelta(hours=1),
        )
        deliver(cast, rows)
    return rows


def configuration(cast: Cast) -> dict[type, Any]:
    tenant = cast.tenant
    member = next(iter(cast.members.values()))
    channel = Channel.objects.create(
        tenant=tenant,
        kind="slack",
        slug="ops",
        name=f"{cast.slug} ops",
        settings={"channel": "#ops", "team_id": "T1", "app_id": "A1"},
        secret=f'{{"bot_token": "{CANARY}", "signing_secret": "{CANARY}"}}',
    )
    schedule = oncall.make(
        tenant.pk,
        f"{cast.slug} order",
        [member],
        time_zone="Europe/Paris",
        starts_on=date(2026, 11, 2),
    )
    policy = Policy.objects.create(tenant=tenant, name=f"{cast.slug} policy")
    Step.objects.create(tenant=tenant, policy=policy, kind="channel", channel=channel)
    changes = {
        "tenant": tenant,
        "schedule": schedule,
        "starts_at": timezone.now(),
        "ends_at": timezone.now() + timedelta(hours=1),
        "note": "lag",
    }
    mine = {"tenant": tenant, "member": member}
    contact = Contact.objects.create(**mine, kind="slack", address="U0123ABCD")
    PersonalRule.objects.create(**mine)
    PersonalStep.objects.create(**mine, kind="contact", contact=contact)
    QuietHours.objects.create(**mine)
    now = timezone.now()
    lasting = {"starts_at": now, "ends_at": now + timedelta(hours=1)}
    read = CalendarImport.objects.create(
        tenant=tenant, schedule=schedule, url=f"https://cal.example/{CANARY}"
    )
    service, needed = (
        Service.objects.create(
            tenant=tenant, slug=f"{cast.slug}-{name}", name=f"{cast.slug} {name}"
        )
        for name in ("shop", "database")
    )
    ServiceDependency.objects.create(tenant=tenant, service=service, needs=needed)
    team = Team.objects.create(tenant=tenant, name=f"{cast.slug} team")
    TeamMember.objects.create(**mine, team=team)
    return {
        Availability: Availability.objects.create(
            **mine, absences_url=f"https://cal.example/{CANARY}", skills=["database"]
        ),
        Absence: Absence.objects.create(**mine, **lasting),
        CalendarImport: read,
        CalendarFeed: CalendarFeed.objects.create(
            tenant=tenant, schedule=schedule, lookup_hash=f"{tenant.pk.hex:0>64}"
        ),
        Team: team,
        SlaTarget: SlaTarget.objects.create(
            tenant=tenant, severity=5, acknowledge_seconds=300
        ),
        Service: service,
        Channel: channel,
        Schedule: schedule,
        Layer: Layer.objects.get(schedule=schedule),
        Override: Override.objects.create(**changes, member=member),
        Swap: Swap.objects.create(**changes, beneficiary=member),
        TemporarySchedule: TemporarySchedule.objects.create(**changes),
        Policy: policy,
        Route: Route.objects.create(
            tenant=tenant,
            name=f"{cast.slug} route",
            matchers=['team="db"'],
            group_by=["alertname"],
            policy=policy,
        ),
        Rule: Rule.objects.create(
            tenant=tenant, name="quiet", matchers=['env="dev"'], set_severity=1
        ),
        MessageTemplate: MessageTemplate.objects.filter(tenant=tenant).first()
        or MessageTemplate.objects.create(
            tenant=tenant, kind="firing", channel_kind="slack", title_en="{{ title }}"
        ),
        Heartbeat: Heartbeat.objects.create(
            tenant=tenant,
            name="lag",
            slug="lag",
            token_hash=tenant.pk.hex,
            cron="0 3 * * *",
        ),
        **{
            model: model.objects.create(
                tenant=tenant,
                kind=kind,
                title=f"{cast.slug} {kind}",
                matchers=['alertname="Lag"'],
                starts_at=timezone.now(),
                ends_at=timezone.now() + timedelta(hours=1),
                comment="lag",
            )
            for model, kind in ((Silence, "silence"), (Maintenance, "maintenance"))
        },
        InhibitRule: InhibitRule.objects.create(
            tenant=tenant,
            name=f"{cast.slug} critical",
            source_matchers=['severity="critical"'],
            target_matchers=['severity="warning"'],
            equal=["host"],
        ),
        TimeInterval: TimeInterval.objects.create(
            tenant=tenant,
            name=f"{cast.slug} nights",
            times=[{"times": [{"start_time": "22:00", "end_time": "24:00"}]}],
        ),
        StoppedAddress: StoppedAddress.objects.create(
            tenant=tenant, address=f"lag@{cast.slug}.example"
        ),
        Contact: contact,
        Person: Person.objects.get(pk=member.pk),
    }


def history(cast: Cast) -> dict[type, Any]:
    tenant, now = cast.tenant, timezone.now()
    alert = make_alert(cast, 1)
    assert alert.episode_id
    group = Group.objects.create(
        tenant=tenant,
        number=1,
        key="k" * 64,
        severity=5,
        title=alert.title,
        labels={"alertname": "Lag"},
        opened_at=now,
        changed_at=now,
        firing_count=1,
        alert_count=1,
    )
    GroupAlert.objects.create(
        tenant=tenant,
        group=group,
        alert=alert,
        episode_id=alert.episode_id,
        joined_at=now,
    )
    lifecycle.tell(
        [lifecycle.Change(tenant.pk, "opened", group_id=group.pk)], feed=False
    )
    return {
        RawEvent: RawEvent.objects.create(
            tenant=tenant,
            at=now,
            protocol="events",
            outcome="refused",
            errors=[{"index": 0, "reason": "no title"}],
            size=2,
            body=b"[]",
        ),
        Alert: alert,
        Group: group,
        Transition: Transition.objects.get(group_id=group.pk),
        Episode: Episode.objects.create(
            id=alert.episode_id,
            tenant=tenant,
            number=1,
            alert_id=alert.pk,
            starts_at=now,
            at=now,
        ),
    }


def make_alert(cast: Cast, number: int, **values: object) -> Alert:
    now = timezone.now()
    given = {
        "dedup_key": f"l/{number:032x}",
        "fingerprint": f"{number:016x}",
        "state": "firing",
        "severity": 5,
        "title": f"{cast.slug} replication lag {number}",
        "labels": {"alertname": "Lag", "team": "db", "host": f"db-{number}"},
        "source": "api",
        "episode_id": uuid7(),
        "state_at": now,
        "starts_at": now,
        "last_at": now,
    }
    return Alert.objects.create(tenant=cast.tenant, **(given | values))


def deliver(cast: Cast, rows: dict[type, Any]) -> None:
    delivery = Delivery.objects.create(
        tenant=cast.tenant,
        idem="x",
        lane="x",
        kind="page",
        channel=rows[Channel],
        channel_kind="slack",
        address="#ops",
        group_id=rows[Group].pk,
        message={"title": "lag"},
        state="dead",
        error="channel_not_found",
    )
    Attempt.objects.create(
        tenant=cast.tenant,
        delivery_id=delivery.pk,
        number=1,
        outcome="dead",
        milliseconds=20,
        answer="channel_not_found",
    )
    rows[Delivery] = delivery
    rows[Destination] = Destination.objects.create(
        tenant=cast.tenant, key=f"{delivery.channel_id}:"
    )
