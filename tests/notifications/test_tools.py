"""What every tool's channel does when the tool misbehaves: one table, all kinds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from notifications.channels import tooling
from notifications.channels.base import DeliveryError, Parcel
from notifications.channels.registry import channel_of
from notifications.models import SimulatedMessage
from tenants.rls import in_tenant
from tests.fakes.opsgenie import FakeOpsgenie
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.servicenow import FakeServiceNow
from tests.fakes.tool import LOOPBACK, FakeTool
from tests.notifications.scene import a_message, a_parcel

SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Tool:
    """A kind of channel beside its fake."""

    parcel: Parcel
    fake: FakeTool

    def send(self, **changes: Any) -> Any:
        return channel_of(self.parcel.channel_kind).send(
            replace(self.parcel, **changes)
        )


KINDS: dict[str, tuple[Callable[[], FakeTool], dict[str, Any], dict[str, str]]] = {
    "opsgenie": (lambda: FakeOpsgenie(SECRET), {}, {"api_key": SECRET}),
    "pagerduty": (lambda: FakePagerDuty(SECRET), {}, {"routing_key": SECRET}),
    "servicenow": (
        lambda: FakeServiceNow("bot", SECRET),
        {"user": "bot", "auth": "basic"},
        {"password": SECRET},
    ),
}


@pytest.fixture(params=sorted(KINDS))
def tool(request, monkeypatch, settings) -> Iterator[Tool]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    make, own, secret = KINDS[request.param]
    with make() as fake:
        given = {"api_url": fake.url} | own
        yield Tool(
            a_parcel(channel_kind=request.param, settings=given, secret=secret), fake
        )


def failure(tool: Tool, **changes: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        tool.send(**changes)
    for value in tool.parcel.secret.values():
        assert value not in caught.value.reason
        assert value not in str(caught.value)
    return caught.value


def test_it_is_told(tool):
    receipt = tool.send()
    assert receipt.provider_id
    assert receipt.answer.startswith("20")


@pytest.mark.parametrize("kind", ["digest", "reminder"])
def test_what_is_about_no_group_opens_nothing(tool, kind):
    tool.send(message=a_message(kind=kind))
    assert tool.fake.calls == []


def test_told_to_wait_it_waits(tool):
    tool.fake.status(429, '{"message": "slow down"}', Retry_After="17")
    error = failure(tool)
    assert (error.permanent, error.ambiguous) == (False, False)
    assert error.retry_after == 17


def test_a_server_in_trouble_is_tried_again(tool):
    tool.fake.status(503, "<html>busy</html>")
    error = failure(tool)
    assert not error.permanent
    assert "503" in error.reason


def test_a_server_that_does_not_answer_leaves_doubt(tool, monkeypatch):
    monkeypatch.setattr(tooling, "SECONDS", 0.3)
    tool.fake.slow(1.0)
    error = failure(tool)
    assert (error.permanent, error.ambiguous) == (False, True)


def test_a_connection_that_is_cut_leaves_doubt(tool):
    tool.fake.reset_after_read()
    error = failure(tool)
    assert (error.permanent, error.ambiguous) == (False, True)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_is_for_ever(tool, status):
    tool.fake.status(status, '{"message": "no"}')
    assert failure(tool).permanent


def test_a_secret_that_the_tool_repeats_is_struck_out(tool):
    shown = " ".join(tool.parcel.secret.values())
    tool.fake.status(400, f"you said {shown}")
    assert "you said ***" in failure(tool).reason


def test_an_address_inside_is_not_called(tool, settings):
    settings.OUTBOUND_ALLOW = []
    assert failure(tool).permanent
    assert tool.fake.calls == []


def test_without_its_key_nothing_is_called(tool):
    error = failure(tool, secret={})
    assert error.permanent
    assert tool.fake.calls == []


@pytest.mark.django_db(transaction=True)
def test_in_simulation_nothing_leaves_the_house(tool, acme, settings):
    settings.SIMULATION = True
    receipt = tool.send(tenant_id=acme.id, secret={})
    assert receipt.answer == "200 simulated"
    assert tool.fake.calls == []
    with in_tenant(acme.id):
        kept = SimulatedMessage.objects.get()
    assert "Disks are full" in json.dumps(kept.payload)
    assert SECRET not in json.dumps(kept.payload)
