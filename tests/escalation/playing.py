"""Policies at work in one transaction, whose clock stands still: time passes by moving
what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from alertcenter.alerts import lifecycle
from alertcenter.alerts.models import Group, Transition
from escalation import carrying, runs
from escalation.carrying import Claimed
from escalation.models import DueStep, Policy, Run, Step
from notifications.models import Channel, Contact, Delivery
from tenants.models import Member
from tenants.rls import in_tenant
from tests.cast import Cast, make_member

PASS = """
UPDATE due_step SET due_at = due_at - %(s)s * interval '1 second',
  not_before = not_before - %(s)s * interval '1 second',
  done_at = done_at - %(s)s * interval '1 second'
"""


@dataclass
class Play:
    """The tenant `acme`, where everybody has a mailbox of his own name."""

    acme: Cast
    numbers: int = 0
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        pk: UUID = self.acme.id
        return pk

    @property
    def now(self) -> datetime:
        return lifecycle.database_time()

    def member(self, name: str) -> Member:
        if name not in self.acme.members:
            self.acme.members[name] = make_member(self.acme.tenant, name, "responder")
        found: Member = self.acme.members[name]
        Contact.objects.get_or_create(
            tenant_id=self.id, member=found, kind="email", address=f"{name}@acme.test"
        )
        return found

    def ids(self, *names: str) -> list[str]:
        return [str(self.member(name).pk) for name in names]

    def channel(self, slug: str = "ops", kind: str = "slack") -> Channel:
        found, _new = Channel.objects.get_or_create(
            tenant_id=self.id,
            slug=slug,
            defaults={
                "kind": kind,
                "name": f"#{slug}",
                "settings": {"channel": slug, "team_id": "T1"}
                if kind == "slack"
                else {"url": "https://hook.example"},
                "secret": "{}",
            },
        )
        return found

    def policy(self, *steps: dict[str, Any], name: str = "P", **more: Any) -> Policy:
        """Write a policy; each step is checked as a form would."""
        policy = Policy.objects.create(tenant_id=self.id, name=name, **more)
        for position, given in enumerate(steps, 1):
            columns = {k: v for k, v in given.items() if k in COLUMNS}
            params = {k: v for k, v in given.items() if k not in COLUMNS}
            step = Step(
                tenant_id=self.id,
                policy=policy,
                position=position,
                params=params,
                **columns,
            )
            step.full_clean()
            step.save()
        return policy

    def group(self, severity: int = 5, **labels: str) -> Group:
        self.numbers += 1
        return Group.objects.create(
            tenant_id=self.id,
            number=self.numbers,
            key=f"{self.numbers:064}",
            severity=severity,
            title=f"G{self.numbers}",
            labels=labels,
            opened_at=self.now,
            changed_at=self.now,
            firing_count=1,
            alert_count=1,
        )

    def begin(self, policy: Policy, severity: int = 5, **labels: str) -> Group:
        """Let a policy go to work on a new group, and do what is due at once."""
        group = self.group(severity, **labels)
        runs.start(self.id, [runs.Start(group, policy.pk)])
        self.work()
        return group

    def claim(self) -> list[Claimed]:
        rows = DueStep.objects.filter(state="due", due_at__lte=self.now)
        return [
            Claimed(row, Group.objects.get(pk=row.group_id))
            for row in rows.select_related("run").order_by("due_at", "id")
        ]

    def work(self) -> int:
        """Carry out what is due until nothing is; return how many steps."""
        done = 0
        while claimed := self.claim():
            carrying.carry_out(self.id, claimed)
            done += len(claimed)
            assert done < 500, "it never ends"
        return done

    def wait(self, seconds: int) -> int:
        """Let time pass, then work."""
        with connection.cursor() as cursor:
            cursor.execute(PASS, {"s": seconds})
        return self.work()

    @property
    def told(self) -> list[str]:
        """Who was told, in order: names of members and channels."""
        rows = Delivery.objects.filter(kind="page").order_by("id")
        return [
            str(row.channel or row.address.partition("@")[0])
            for row in rows.select_related("channel")
        ]

    def lines(self, group: Group | None = None) -> list[tuple[str, str]]:
        """What the timeline says: (kind, reason)."""
        rows = Transition.objects.exclude(group_id=None).order_by("id")
        if group is not None:
            rows = rows.filter(group_id=group.pk)
        return list(rows.values_list("kind", "reason"))

    def due_in(self) -> list[int]:
        """In how many seconds steps are due."""
        rows = DueStep.objects.filter(state="due").order_by("due_at", "id")
        return [round((row.due_at - self.now) / timedelta(seconds=1)) for row in rows]

    def states(self) -> Sequence[str]:
        return list(Run.objects.order_by("id").values_list("state", flat=True))


COLUMNS = ("kind", "channel", "member", "schedule", "wait_seconds")


@pytest.fixture
def play(acme):
    with in_tenant(acme.id):
        yield Play(acme)
