"""Who takes or closes a record in ServiceNow takes or resolves its group here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alertcenter.alerts.models import Group
from alertcenter.api import servicenow
from alertcenter.common.buckets import Buckets
from alertcenter.common.ids import uuid7
from notifications import outbox
from notifications.message import Message
from notifications.models import Channel, Delivery
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import Answer, bearer, call, post
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "what the rule of acme knows"


@pytest.fixture
def channel(acme: Cast) -> Channel:
    with in_tenant(acme.id):
        return Channel.objects.create(
            tenant_id=acme.id,
            kind="servicenow",
            slug="snow",
            name="snow",
            settings={"url": "https://acme.example", "user": "alertcenter"},
            secret=json.dumps({"password": "p", "inbound_secret": SECRET}),
        )


@pytest.fixture
def group(acme: Cast, channel: Channel) -> Group:
    made = make_group(acme)
    tell(made, channel)
    return made


def make_group(cast: Cast, number: int = 1) -> Group:
    now = "2026-01-01T00:00:00Z"
    with in_tenant(cast.id):
        return Group.objects.create(
            tenant_id=cast.id,
            number=number,
            key=f"{number:064x}",
            severity=5,
            title="Disk full",
            opened_at=now,
            changed_at=now,
        )


def tell(group: Group, channel: Channel) -> None:
    """Let the channel have been told of the group."""
    message = Message(
        kind="firing",
        tenant="Acme",
        title=group.title,
        severity=5,
        state="firing",
        number=group.number,
        group_id=str(group.pk),
        url="",
    )
    with in_tenant(group.tenant_id):
        entry = outbox.Entry("p", message, channel.pk, channel.kind, group_id=group.pk)
        outbox.put(group.tenant_id, [entry])
        Delivery.objects.update(state="sent", next_at=None)


def say(channel: Channel, group: Group, secret: str = SECRET, **said: Any) -> Answer:
    body = {"correlation_id": str(group.pk), "number": "INC0010001"} | said
    return post(address(channel), body, **bearer(secret))


def address(channel: Channel) -> str:
    return f"/servicenow/{channel.tenant_id}/{channel.pk}"


def state(group: Group) -> str:
    with in_tenant(group.tenant_id):
        return Group.objects.get(pk=group.pk).state


def test_who_takes_the_record_takes_the_group(channel, group):
    answer = say(channel, group, state="2", user="bob.b")
    assert (answer.status, answer.json) == (200, {"result": "done"})
    assert state(group) == "acknowledged"
    with in_tenant(group.tenant_id):
        assert Group.objects.get(pk=group.pk).acked_by == "bob.b (ServiceNow)"
        audit = Audit.objects.get(action="group.acknowledged")
    assert (audit.actor_kind, audit.actor_label) == ("source", "bob.b (ServiceNow)")


def test_who_is_assigned_has_taken_it(channel, group):
    say(channel, group, state="1", assigned_to="Bob", user="dispatcher")
    assert state(group) == "acknowledged"


@pytest.mark.parametrize("closed", ["6", "7", "8"])
def test_what_is_closed_there_is_over_here(channel, group, closed):
    assert say(channel, group, state=closed, user="bob").json == {"result": "done"}
    assert state(group) == "resolved"


def test_what_is_said_twice_is_done_once(channel, group):
    say(channel, group, state="6", user="bob")
    assert say(channel, group, state="7", user="bob").json == {"result": "resolved"}
    with in_tenant(group.tenant_id):
        assert Audit.objects.filter(action="group.resolved").count() == 1


def test_what_our_own_user_wrote_there_is_not_listened_to(channel, group):
    answer = say(channel, group, state="6", user="alertcenter")
    assert answer.json == {"result": "own"}
    assert state(group) == "firing"


@pytest.mark.parametrize("said", [{"state": "1"}, {"state": "3"}, {}, {"state": [6]}])
def test_what_means_nothing_here_changes_nothing(channel, group, said):
    assert say(channel, group, **said).json == {"result": "nothing"}
    assert state(group) == "firing"


def test_the_act_is_told_back_as_what_it_is(channel, group):
    say(channel, group, state="2", user="bob")
    with in_tenant(group.tenant_id):
        update = Delivery.objects.get(kind="update")
    assert update.channel_id == channel.pk
    assert update.message["note"]["actor"].endswith(" (ServiceNow)")


def test_a_name_cannot_break_a_line(channel, group):
    say(channel, group, state="2", user="bob\r\n<!channel>\u2028x" + "y" * 500)
    with in_tenant(group.tenant_id):
        who = Group.objects.get(pk=group.pk).acked_by
    assert who.isprintable()
    assert len(who) < 200


# --- who is not believed ---


@pytest.mark.parametrize("secret", ["", "guess", "null", SECRET + "x"])
def test_a_wrong_secret_finds_nothing(channel, group, secret):
    assert say(channel, group, secret, state="6").status == 404
    assert state(group) == "firing"


def test_who_guesses_has_to_wait(channel, group, monkeypatch):
    guesses = Buckets(rate=1 / 3600, burst=3)
    monkeypatch.setattr(servicenow, "GUESSES", guesses)
    found = [say(channel, group, f"{n}", state="6").status for n in range(4)]
    assert found == [404, 404, 404, 429]
    assert say(channel, group, state="6").status == 429
    assert state(group) == "firing"


def test_a_channel_without_a_secret_lets_nobody_in(channel, group):
    with in_tenant(channel.tenant_id):
        channel.secret = json.dumps({"password": "p"})
        channel.save()
    assert say(channel, group, "", state="6").status == 404
    assert post(address(channel), {}).status == 404


def test_a_channel_that_is_off_lets_nobody_in(channel, group):
    with in_tenant(channel.tenant_id):
        channel.active = False
        channel.save()
    assert say(channel, group, state="6").status == 404


def test_a_group_that_the_channel_was_not_told_of_is_not_its(channel, acme):
    other = make_group(acme, 2)
    assert say(channel, other, state="6").status == 404
    assert state(other) == "firing"


def test_another_tenants_group_is_not_its(channel, globex):
    other = make_group(globex)
    assert say(channel, other, state="6").status == 404
    assert state(other) == "firing"


def test_another_tenants_address_does_not_know_the_channel(channel, group, globex):
    elsewhere = f"/servicenow/{globex.id}/{channel.pk}"
    body = {"correlation_id": str(group.pk), "state": "6"}
    assert post(elsewhere, body, **bearer(SECRET)).status == 404
    nowhere = f"/servicenow/{uuid7()}/{channel.pk}"
    assert post(nowhere, body, **bearer(SECRET)).status == 404


# --- strange requests ---


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"[" * 5_000,
        b'{"state": "6"}',
        b'{"correlation_id": "x"}',
        b"\xff\xfe",
    ],
)
def test_a_strange_body_is_refused(channel, body):
    assert post(address(channel), body, **bearer(SECRET)).status == 400


def test_a_large_body_is_refused(channel):
    body = b" " * (servicenow.MOST_BYTES + 1)
    assert post(address(channel), body, **bearer(SECRET)).status == 413


def test_other_methods_are_refused(channel):
    assert call("GET", address(channel)).status == 405


def test_a_rule_that_runs_wild_is_told_to_wait(channel, group, monkeypatch):
    from alertcenter.common.buckets import Buckets

    monkeypatch.setattr(servicenow, "CALLS", Buckets(rate=0.1, burst=1))
    assert say(channel, group, state="1").status == 200
    answer = say(channel, group, state="1")
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
