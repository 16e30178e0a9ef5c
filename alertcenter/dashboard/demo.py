"""Who lives in the demo? Acme: six people, two schedules, three policies.

Everything is looked up before it is made, so a second run changes nothing.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from alertcenter.alerts.models import Route
from alertcenter.common.ids import uuid7
from alertcenter.dashboard.simulation.slack_server import TOKEN
from escalation import oncall
from escalation.models import Policy, Schedule, Step
from notifications.default_templates import install_templates
from notifications.models import Channel, Contact
from tenants import access, founding
from tenants.actors import THE_ENGINE
from tenants.models import Member, Tenant
from tenants.rls import in_tenant

SLUG, NAME = "acme", "Acme"
TEAM, APP = "T0ACME", "A0ALERTCENTER"
ADMINISTRATOR = "admin"


@dataclass(frozen=True)
class Person:
    """One member of the demo."""

    username: str
    name: str
    role: str
    language: str
    zone: str
    slack: str

    @property
    def email(self) -> str:
        return f"{self.username}@acme.example"


PEOPLE = (
    Person("ana", "Ana Moreau", "owner", "fr", "Europe/Paris", "U0ANA"),
    Person("ben", "Ben Carter", "admin", "en", "Europe/London", "U0BEN"),
    Person("clara", "Clara Weiß", "responder", "de", "Europe/Berlin", "U0CLARA"),
    Person("david", "David Okafor", "responder", "en", "America/New_York", "U0DAVID"),
    Person("elise", "Élise Girard", "responder", "fr", "America/Montreal", "U0ELISE"),
    Person("felix", "Felix Brandt", "responder", "de", "Europe/Zurich", "U0FELIX"),
)
ON_CALL = {
    "Primary": ("Europe/Paris", time(9), 7, ("clara", "david", "elise", "felix")),
    "Database": ("Europe/Berlin", time(10), 7, ("felix", "clara")),
}
# Steps: a channel's slug, an order's name, a member's user name, or seconds.
POLICIES: dict[str, tuple[tuple[str, Any], ...]] = {
    "Database": (
        ("channel", "database"),
        ("wait", 300),
        ("oncall", "Database"),
        ("wait", 600),
        ("member", "ben"),
    ),
    "Critical": (
        ("channel", "ops"),
        ("wait", 300),
        ("oncall", "Primary"),
        ("wait", 600),
        ("member", "ana"),
    ),
    "Business hours": (("channel", "ops"), ("wait", 1800), ("channel", "mail")),
}
ROUTES: tuple[tuple[str, int, list[str], str, bool], ...] = (
    ("Database", 10, ['team="database"'], "Database", False),
    ("Critical", 20, ['severity="critical"'], "Critical", False),
    ("Everything else", 1000, [], "Business hours", True),
)
GROUP_BY = ["cluster"]
GROUP_WAIT_SECONDS = 5


def load() -> UUID:
    """Make the demo tenant and what it needs; return its id."""
    with transaction.atomic():
        tenant_id = _tenant()
        with in_tenant(tenant_id):
            members = {person.username: _member(tenant_id, person) for person in PEOPLE}
            _administrator(tenant_id)
            channels = _channels(tenant_id)
            orders = _orders(tenant_id, members)
            policies = _policies(tenant_id, channels, orders, members)
            _routes(tenant_id, policies)
            install_templates(tenant_id)
    return tenant_id


def _tenant() -> UUID:
    try:
        return access.tenant_named(SLUG)
    except LookupError:
        tenant = Tenant(pk=uuid7(), slug=SLUG, name=NAME, language="en")
        founding.found(tenant, actor=THE_ENGINE)
        return tenant.pk


def _member(tenant_id: UUID, person: Person) -> Member:
    """Make a user who cannot log in until somebody sets a password."""
    user, new = User.objects.get_or_create(
        username=person.email, defaults={"email": person.email, "is_staff": True}
    )
    if new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    member, _ = Member.objects.get_or_create(
        tenant_id=tenant_id,
        user=user,
        defaults={
            "role": person.role,
            "name": person.name,
            "language": person.language,
            "time_zone": person.zone,
        },
    )
    for position, (kind, address) in enumerate(
        (("slack", person.slack), ("email", person.email)), 1
    ):
        Contact.objects.get_or_create(
            tenant_id=tenant_id,
            kind=kind,
            address=address,
            defaults={"member": member, "position": position},
        )
    return member


def _administrator(tenant_id: UUID) -> None:
    """Make the installation's first user a member too, so that he has a name."""
    user = User.objects.filter(username=ADMINISTRATOR, is_superuser=True).first()
    if user is None:
        return
    Member.objects.get_or_create(
        tenant_id=tenant_id, user=user, defaults={"role": "owner", "name": "Admin"}
    )


def _channels(tenant_id: UUID) -> dict[str, Channel]:
    slack = {
        slug: _channel(tenant_id, "slack", slug, f"#{slug}", {"channel": f"#{slug}"})
        for slug in ("ops", "database")
    }
    mail = _channel(tenant_id, "email", "mail", "E-mail", {"to": ["ops@acme.example"]})
    return slack | {"mail": mail}


def _channel(
    tenant_id: UUID, kind: str, slug: str, name: str, settings: dict[str, Any]
) -> Channel:
    found = Channel.objects.filter(tenant_id=tenant_id, slug=slug).first()
    if found is not None:
        return found
    row = Channel(tenant_id=tenant_id, kind=kind, slug=slug, name=name)
    row.settings = settings
    if kind == "slack":
        row.settings |= {"team_id": TEAM, "app_id": APP}
        row.secret = json.dumps(
            {"bot_token": f"{TOKEN}{row.pk}", "signing_secret": secrets.token_hex(16)}
        )
    row.save()
    return row


def _orders(tenant_id: UUID, members: dict[str, Member]) -> dict[str, Schedule]:
    orders = {}
    for name, (zone, handoff, days, people) in ON_CALL.items():
        order = Schedule.objects.filter(tenant_id=tenant_id, name=name).first()
        orders[name] = order or oncall.make(
            tenant_id,
            name,
            [members[who] for who in people],
            days=days,
            time_zone=zone,
            starts_on=_monday(),
            handoff=handoff,
        )
    return orders


def _monday() -> date:
    """Return the Monday of last week: every order is in the middle of a turn."""
    today = timezone.now().date()
    return today - timedelta(days=today.weekday() + 7)


def _policies(
    tenant_id: UUID,
    channels: dict[str, Channel],
    orders: dict[str, Schedule],
    members: dict[str, Member],
) -> dict[str, Policy]:
    targets: dict[str, Any] = {
        "channel": ("channel", channels),
        "oncall": ("schedule", orders),
        "member": ("member", members),
    }
    policies = {}
    for name, steps in POLICIES.items():
        policy, new = Policy.objects.get_or_create(tenant_id=tenant_id, name=name)
        policies[name] = policy
        for position, (kind, what) in enumerate(steps if new else (), 1):
            step = Step(
                tenant_id=tenant_id, policy=policy, position=position, kind=kind
            )
            if kind == "wait":
                step.wait_seconds = what
            else:
                field, known = targets[kind]
                setattr(step, field, known[what])
            step.save()
    return policies


def _routes(tenant_id: UUID, policies: dict[str, Policy]) -> None:
    for name, position, matchers, policy, is_default in ROUTES:
        known = Route.objects.filter(tenant_id=tenant_id)
        if is_default and known.filter(is_default=True).exists():
            continue
        known.get_or_create(
            tenant_id=tenant_id,
            name=name,
            defaults={
                "position": position,
                "matchers": matchers,
                "group_by": GROUP_BY,
                "group_wait_seconds": GROUP_WAIT_SECONDS,
                "policy": policies[policy],
                "is_default": is_default,
            },
        )
