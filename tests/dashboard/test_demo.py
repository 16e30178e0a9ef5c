"""The demo is complete, and loading it again changes nothing."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.utils import timezone

from alertcenter.alerts.models import Route
from escalation import oncall
from escalation.models import Policy, Schedule, Step
from notifications.models import Channel, Contact, MessageTemplate
from tenants.access import tenant_named
from tenants.models import Member
from tenants.rls import in_tenant

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_owner"),
]

MODELS = (Member, Contact, Channel, Schedule, Policy, Step, Route, MessageTemplate)


def counts() -> dict[str, int]:
    with in_tenant(tenant_named("acme")):
        return {model.__name__: model.objects.count() for model in MODELS}


def test_the_demo_has_people_orders_policies_routes_and_words():
    call_command("loaddemo", verbosity=0)
    first = counts()
    assert first | {"MessageTemplate": 8} == {
        "Member": 6,
        "Contact": 12,
        "Channel": 3,
        "Schedule": 2,
        "Policy": 3,
        "Step": 13,
        "Route": 3,
        "MessageTemplate": 8,
    }
    call_command("loaddemo", verbosity=0)
    assert counts() == first


def test_somebody_is_always_on_call():
    call_command("loaddemo", verbosity=0)
    with in_tenant(tenant_named("acme")):
        found = oncall.everyone_on_call(tenant_named("acme"), timezone.now())
    assert [bool(item.names) for item in found] == [True, True]
    assert {m.language for m in _members()} == {"en", "fr", "de"}


def _members() -> list[Member]:
    with in_tenant(tenant_named("acme")):
        return list(Member.objects.all())
