"""A group that #ops of a fake Slack has a card about, and people who act there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from alertcenter.alerts.models import Alert, Group, GroupAlert
from alertcenter.common.ids import uuid7
from escalation.messages import message_for
from notifications import delivery, outbox
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.api.client import Answer, call
from tests.api.test_slack import SECRET, make_contact, make_group, run_engine
from tests.cast import Cast
from tests.conftest import login_as
from tests.fakes.slack import FakeMessage, FakeSlack

URL = "/slack/interactions"


@pytest.fixture(name="fake")
def _fake(monkeypatch) -> Iterator[FakeSlack]:
    monkeypatch.setattr(outbox, "nudge", lambda _ids: None)
    with FakeSlack() as slack:
        yield slack


@pytest.fixture(name="group")
def _group(acme, fake) -> Group:
    with in_tenant(acme.id):
        Channel.objects.create(
            tenant_id=acme.id,
            kind="slack",
            slug="ops",
            name="#ops",
            settings={
                "channel": "#ops",
                "team_id": "T1",
                "app_id": "A1",
                "api_url": fake.url,
            },
            secret=json.dumps({"bot_token": "xoxb-1", "signing_secret": SECRET}),
        )
    for name in ("bob", "vera", "alice"):
        make_contact(acme, name, f"U{name.upper()}")
    found = make_group(acme)
    add_alert(acme, found, env="staging", host="db-1")
    add_alert(acme, found, env="staging", host="db-2")
    return found


def add_alert(cast: Cast, group: Group | None, **labels: str) -> None:
    now = timezone.now()
    with in_tenant(cast.id):
        alert = Alert.objects.create(
            tenant_id=cast.id,
            dedup_key=uuid7().hex,
            title="Disk full",
            severity=5,
            labels=labels,
            state="firing",
            episode_id=uuid7(),
            state_at=now,
            starts_at=now,
            last_at=now,
        )
        if group:
            GroupAlert.objects.create(
                tenant_id=cast.id,
                group=group,
                alert=alert,
                episode_id=str(alert.episode_id),
                joined_at=now,
            )


def said_in_slack(cast: Cast, group: Group, fake: FakeSlack) -> FakeMessage:
    """Page #ops about the group, and return the card."""
    with in_tenant(cast.id):
        channel = Channel.objects.get(slug="ops")
        message = message_for(Group.objects.get(pk=group.pk))
        entry = outbox.Entry(
            idem=uuid7().hex,
            message=message,
            channel_id=channel.pk,
            channel_kind="slack",
            group_id=group.pk,
        )
        outbox.put(cast.id, [entry])
    deliver()
    return fake.messages[-1]


def deliver() -> None:
    with login_as("engine"):
        while delivery.deliver_due(20):
            pass


@pytest.fixture(name="card")
def _card(acme, group, fake) -> FakeMessage:
    return said_in_slack(acme, group, fake)


def send(signed: tuple[bytes, dict[str, str]]) -> Answer:
    body, headers = signed
    answer = call("POST", URL, body, headers)
    assert answer.status == 200, answer.body
    return answer


def choose(
    fake: FakeSlack, card: FakeMessage, act: str, user: str = "UBOB", menu: str = "more"
) -> None:
    send(fake.choose(card, menu, act, user, SECRET))


def opened(
    fake: FakeSlack, card: FakeMessage, act: str, user: str = "UBOB"
) -> dict[str, Any]:
    choose(fake, card, act, user)
    return dict(fake.views[-1])


def submit(
    fake: FakeSlack, view: dict[str, Any], user: str = "UBOB", **values: Any
) -> dict[str, Any]:
    answer = send(fake.submit(view, values, user, SECRET))
    return dict(answer.json) if answer.body else {}


def text(words: str) -> dict[str, Any]:
    return {"value": words}


def option(value: str) -> dict[str, Any]:
    return {"selected_option": {"value": value}}


def heard(cast: Cast, fake: FakeSlack) -> list[str]:
    """Return what the engine tells those who pressed."""
    run_engine()
    deliver()
    return [answer["text"] for answer in fake.answers]
