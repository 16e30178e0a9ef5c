"""Does a person's chain work? Walked for real, with its waits shortened.

The messages are deliveries like any other: the engine sends them, and each provider's
own answer is on record. Quiet hours do not count; whoever tests wants to hear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from alertcenter.common.ids import uuid7
from notifications import outbox, personal
from notifications.models import Attempt, Delivery
from notifications.models.delivery import DeliveryState
from notifications.personal import Call
from notifications.testing import about_nothing
from tenants import audit
from tenants.actors import Actor
from tenants.models import Member, Tenant

LONGEST_WAIT = 3  # seconds that a wait of the chain lasts in a test
UNDER_WAY = (DeliveryState.PENDING, DeliveryState.LEASED)
IDEM = "chain-test"


@dataclass(frozen=True)
class Walked:
    """One message of a test, and what became of it."""

    delivery: Delivery
    planned_seconds: int
    answer: str
    milliseconds: int | None

    @property
    def under_way(self) -> bool:
        return self.delivery.state in UNDER_WAY


def begin(member: Member, *, important: bool, actor: Actor) -> UUID | None:
    """Promise the chain's messages; return the test's id, None if nobody is reached.

    Needs the tenant's context.
    """
    person = personal.read(member.tenant_id, member.pk)
    if person is None:
        return None
    calls = personal.plan(
        person, severity=0, at=personal.now(), important=important, quiet=False
    )
    if not calls:
        return None
    test = uuid7()
    message = about_nothing(Tenant.objects.get(pk=member.tenant_id))
    outbox.put(
        member.tenant_id,
        [
            outbox.Entry(
                idem=f"{IDEM}/{test}/{number}/{call.seconds}",
                message=message,
                channel_id=call.channel_id,
                channel_kind=call.kind,
                member_id=member.pk,
                address=call.address,
                kind="test",
                severity=message.severity,
                delay_seconds=delay,
                correlation_id=str(test),
            )
            for number, (call, delay) in enumerate(shortened(calls))
        ],
    )
    audit.record(
        member.tenant_id,
        actor,
        "person.test",
        kind="person",
        object_id=member.pk,
        important=important,
    )
    return test


def shortened(calls: Sequence[Call]) -> list[tuple[Call, int]]:
    """Return the calls with the seconds after which they are made in a test."""
    found, at, before = [], 0, 0
    for call in calls:
        at += min(LONGEST_WAIT, call.seconds - before)
        before = call.seconds
        found.append((call, at))
    return found


def walked(member: Member, test: UUID) -> list[Walked]:
    """Return what became of a test's messages, in their order."""
    rows = list(
        Delivery.objects.filter(
            tenant_id=member.tenant_id,
            member=member,
            kind="test",
            idem__startswith=f"{IDEM}/{test}/",
        ).order_by("id")
    )
    tries = Attempt.objects.filter(
        tenant_id=member.tenant_id, delivery_id__in=[row.pk for row in rows]
    )
    last = {one.delivery_id: one for one in tries.order_by("id")}
    return [_walked(row, last.get(row.pk)) for row in rows]


def _walked(row: Delivery, attempt: Attempt | None) -> Walked:
    return Walked(
        delivery=row,
        planned_seconds=int(row.idem.rsplit("/", 1)[1]),
        answer=attempt.answer if attempt else "",
        milliseconds=attempt.milliseconds if attempt else None,
    )
