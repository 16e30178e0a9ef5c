"""A tenant with a policy of two levels and a group that fires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from django.db import connection

from alertcenter.alerts.models import Group, Route, Transition
from escalation import oncall
from escalation.models import DueStep, Policy, Run, Step
from notifications.models import Channel, Contact, Delivery
from tenants.rls import in_tenant
from tests.cast import Cast


@dataclass
class Scene:
    """The tenant `acme` with #ops, bob on call, and one policy."""

    acme: Cast
    policy_id: UUID

    @property
    def id(self) -> UUID:
        pk: UUID = self.acme.id
        return pk

    def group(self) -> Group:
        with in_tenant(self.id):
            return Group.objects.order_by("-number")[0]

    def deliveries(self, kind: str = "page") -> list[Delivery]:
        with in_tenant(self.id):
            rows = Delivery.objects.filter(kind=kind).order_by("id")
            return list(rows.select_related("channel", "member"))

    def due(self) -> list[DueStep]:
        with in_tenant(self.id):
            return list(DueStep.objects.filter(state="due").order_by("id"))

    def runs(self) -> list[Run]:
        with in_tenant(self.id):
            return list(Run.objects.order_by("created_at"))

    def kinds(self) -> list[str]:
        with in_tenant(self.id):
            rows = Transition.objects.exclude(group_id=None).order_by("id")
            return list(rows.values_list("kind", flat=True))

    def pass_time(self, seconds: int) -> None:
        """Let every due step be `seconds` nearer."""
        with in_tenant(self.id), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE due_step SET due_at = due_at - %s * interval '1 second' "
                "WHERE state = 'due'",
                [seconds],
            )


def make_scene(acme: Cast, wait_seconds: int = 300) -> Scene:
    """Write the policy: #ops at once, then after a wait whoever is on call."""
    with in_tenant(acme.id):
        ops = Channel.objects.create(
            tenant_id=acme.id,
            kind="slack",
            slug="ops",
            name="#ops",
            settings={"channel": "C1", "team_id": "T1"},
            secret="{}",
        )
        Contact.objects.create(
            tenant_id=acme.id,
            member=acme.members["bob"],
            kind="email",
            address="bob@acme.example",
        )
        order = oncall.make(
            acme.id, "Ops", [acme.members["bob"]], starts_on=date(2026, 1, 1)
        )
        policy = Policy.objects.create(tenant_id=acme.id, name="Two levels")
        steps = [
            {"kind": "channel", "channel": ops},
            {"kind": "wait", "wait_seconds": wait_seconds},
            {"kind": "oncall", "schedule": order},
        ]
        for position, values in enumerate(steps, 1):
            Step.objects.create(
                tenant_id=acme.id, policy=policy, position=position, **values
            )
        Route.objects.create(
            tenant_id=acme.id,
            name="rest",
            is_default=True,
            group_by=["alertname"],
            group_wait_seconds=0,
            policy=policy,
        )
    return Scene(acme, policy.pk)


@pytest.fixture
def scene(acme: Cast) -> Scene:
    """See the module."""
    return make_scene(acme)
