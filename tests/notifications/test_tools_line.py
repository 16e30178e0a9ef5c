"""From the outbox to the tool and on: what is promised arrives, once, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from notifications import delivery, outbox
from notifications.message import Message, Note
from notifications.models import Attempt, Channel, Delivery, Thread
from tenants.rls import in_tenant
from tests.fakes.opsgenie import FakeOpsgenie
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.servicenow import FakeServiceNow
from tests.fakes.tool import LOOPBACK
from tests.notifications.scene import a_message, acknowledged

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "0123456789abcdef0123456789abcdef"
KINDS: dict[str, tuple[Any, dict[str, str], str]] = {
    "pagerduty": (lambda: FakePagerDuty(SECRET), {}, "routing_key"),
    "opsgenie": (lambda: FakeOpsgenie(SECRET), {}, "api_key"),
    "servicenow": (lambda: FakeServiceNow("bot", SECRET), {"user": "bot"}, "password"),
}


@dataclass
class Line:
    """One channel of a kind, its tool, and a group it is told of."""

    channel: Channel
    fake: Any
    message: Message

    def put(self) -> UUID:
        entry = outbox.Entry(
            "page",
            self.message,
            self.channel.pk,
            self.channel.kind,
            group_id=UUID(self.message.group_id),
        )
        with in_tenant(self.channel.tenant_id):
            return outbox.put(self.channel.tenant_id, [entry])[0]

    def refresh(self, message: Message, version: int) -> None:
        with in_tenant(self.channel.tenant_id):
            group = UUID(message.group_id)
            outbox.refresh(self.channel.tenant_id, group, message, version=version)

    def deliver(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            with in_tenant(self.channel.tenant_id), connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE delivery SET next_at = now() WHERE next_at IS NOT NULL"
                )
            delivery.deliver_due(20)

    def states(self) -> list[str]:
        with in_tenant(self.channel.tenant_id):
            rows = Delivery.objects.order_by("id")
            return list(rows.values_list("state", flat=True))

    def told(self) -> list[Any]:
        """What people see at the tool."""
        kept: list[Any] = getattr(self.fake, KEPT[self.channel.kind])
        return kept


KEPT = {"pagerduty": "incidents", "opsgenie": "alerts", "servicenow": "records"}
ENDS = {"pagerduty": "resolved", "opsgenie": "closed", "servicenow": "6"}


def end_of(kept: Any) -> str:
    return str(getattr(kept, "status", None) or kept.state)


@pytest.fixture(params=sorted(KINDS))
def line(request, as_engine, acme, nudged, settings) -> Iterator[Line]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    make, given, secret = KINDS[request.param]
    with make() as fake:
        with in_tenant(acme.id):
            channel = Channel.objects.create(
                tenant_id=acme.id,
                kind=request.param,
                slug="tool",
                name="tool",
                settings={"api_url": fake.url} | given,
                secret=json.dumps({secret: SECRET}),
            )
        yield Line(channel, fake, a_message())


def over(message: Message) -> Message:
    note = Note("resolved", "", "2026-11-21T02:09:00+00:00")
    return replace(message, kind="resolved", state="resolved", note=note)


def test_page_acknowledgement_and_end_arrive_in_order(line):
    line.put()
    line.refresh(acknowledged(line.message), version=2)
    line.deliver()
    line.refresh(over(line.message), version=3)
    line.deliver()
    assert set(line.states()) == {"sent"}
    (kept,) = line.told()
    assert end_of(kept) == ENDS[line.channel.kind]


def test_what_may_have_arrived_is_there_once(line):
    line.fake.reset_after_read()
    pk = line.put()
    line.deliver(rounds=2)
    line.refresh(over(line.message), version=2)
    line.deliver()
    (kept,) = line.told()
    assert end_of(kept) == ENDS[line.channel.kind]
    with in_tenant(line.channel.tenant_id):
        outcomes = Attempt.objects.filter(delivery_id=pk).order_by("id")
        assert list(outcomes.values_list("outcome", flat=True)) == ["ambiguous", "sent"]


def test_no_secret_is_in_attempts_and_errors(line):
    line.fake.status(500, f"you said {SECRET}")
    line.fake.status(400, f"you said {SECRET}")
    pk = line.put()
    line.deliver()
    assert line.states() == ["dead"]
    with in_tenant(line.channel.tenant_id):
        said = [row.answer for row in Attempt.objects.filter(delivery_id=pk)]
        said.append(Delivery.objects.get(pk=pk).error)
    assert len(said) == 3
    assert all("***" in text and SECRET not in text for text in said)


def test_servicenows_record_is_remembered(line):
    line.put()
    line.deliver()
    with in_tenant(line.channel.tenant_id):
        places = list(Thread.objects.values_list("provider_channel", "provider_ts"))
    (kept,) = line.told()
    wanted = [(kept.sys_id, kept.number)] if line.channel.kind == "servicenow" else []
    assert places == wanted
