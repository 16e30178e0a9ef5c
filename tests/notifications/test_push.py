"""Do browsers get what is meant for them, sealed, and what does each refusal mean?"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from alertcenter.common import crypto, outbound
from notifications import delivery, push_keys, signing, subscribing
from notifications.channels import push, push_crypto
from notifications.channels.base import DeliveryError, Parcel
from notifications.message import AlertLine
from notifications.models import (
    Contact,
    PushKey,
    PushSubscription,
    SimulatedMessage,
)
from tenants.actors import Actor
from tenants.models import Audit, Member
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.fakes.push import Behaviour, FakeBrowser, FakePush, claims_of
from tests.notifications.scene import a_message, a_parcel, acknowledged

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor("member", "1", "Bob")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36"


@pytest.fixture
def service(settings) -> Iterator[FakePush]:
    settings.PUSH_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    settings.EMAIL_FROM = "AlertCenter <alerts@alerts.example>"
    with FakePush() as fake:
        yield fake


@dataclass
class Reader:
    """Bob and his browser."""

    tenant_id: UUID
    member: Member
    browser: FakeBrowser
    address: str

    def parcel(self, kind: str = "page", **changes: Any) -> Parcel:
        given: dict[str, Any] = {
            "channel_kind": "push",
            "channel_id": None,
            "address": self.address,
        }
        given |= {"tenant_id": self.tenant_id, "member_id": self.member.pk}
        return a_parcel(kind, **given | changes)

    def contacts(self) -> list[str]:
        with in_tenant(self.tenant_id):
            rows = Contact.objects.filter(member=self.member)
            return list(rows.values_list("address", flat=True))


def subscribe(acme: Cast, name: str, browser: FakeBrowser) -> PushSubscription:
    with in_tenant(acme.id):
        return subscribing.subscribe(
            acme.members[name], browser.subscription, agent=AGENT, actor=BOB
        )


@pytest.fixture
def reader(acme, service) -> Reader:
    browser = service.browser()
    address = subscribe(acme, "bob", browser).contact.address
    return Reader(acme.id, acme.members["bob"], browser, address)


def failure(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        push.send(parcel)
    return caught.value


# --- what arrives ---


def test_a_page_is_read_by_the_browser_and_by_nobody_else(reader, service):
    parcel = reader.parcel()
    receipt = push.send(parcel)
    (call,) = service.calls
    assert b"Disks" not in call.body
    said = reader.browser.open(call.body)
    assert said["title"] == "Critical: Disks are full"
    assert said["body"] == "Two disks are full."
    assert said["url"] == parcel.message.url
    assert said["tag"] == parcel.message.group_id
    assert said["actions"][-1]["action"] == "open"
    assert receipt.provider_id == str(parcel.delivery_id)
    assert receipt.answer.startswith("201")
    with pytest.raises(Exception, match=r".*"):
        service.browser("other").open(call.body)


def test_the_call_says_who_sends_for_how_long_and_what_it_replaces(reader, service):
    parcel = reader.parcel()
    push.send(parcel)
    headers = service.calls[0].headers
    assert claims_of(headers["authorization"])["sub"] == "mailto:alerts@alerts.example"
    assert headers["urgency"] == "high"
    assert headers["topic"] == UUID(parcel.message.group_id).hex
    assert int(headers["ttl"]) > 0


def test_no_two_messages_are_sealed_alike(reader, service):
    parcel = reader.parcel()
    push.send(parcel)
    push.send(parcel)
    first, second = service.calls
    assert first.body[:100] != second.body[:100]


def test_the_end_replaces_the_page_in_silence(reader, service):
    message = acknowledged(a_message())
    push.send(reader.parcel("reply", message=message))
    said = reader.browser.open(service.calls[0].body)
    assert said["title"] == "Acknowledged: Disks are full"
    assert (said["body"], said["silent"]) == ("Alice", True)
    assert said["tag"] == message.group_id
    assert service.calls[0].headers["urgency"] == "normal"
    push.send(reader.parcel("update"))
    assert len(service.calls) == 1


def test_a_signed_link_becomes_a_button_that_acts(reader, service, monkeypatch):
    url = "https://alerts.example/a/token"
    links = lambda _parcel: [  # noqa: E731
        ("acknowledge", "Acknowledge", url),
        ("resolve", "Resolve", "https://alerts.example/a/other"),
    ]
    monkeypatch.setattr(signing, "act_links", links, raising=False)
    push.send(reader.parcel())
    said = reader.browser.open(service.calls[0].body)
    assert [one["action"] for one in said["actions"]] == ["acknowledge", "open"]
    assert said["actions"][0]["url"] == url


def test_it_speaks_the_readers_language(reader, service):
    push.send(reader.parcel("test", language="en"))
    push.send(reader.parcel(language="de"))
    said = [reader.browser.open(call.body) for call in service.calls]
    assert said[0]["title"] == "Test of AlertCenter"
    assert said[1]["title"].startswith("Kritisch")


def test_what_is_long_is_cut_and_keeps_severity_title_and_link(reader, service):
    lines = tuple(AlertLine("x" * 500, 5, "firing") for _ in range(10))
    message = a_message(title="日本" * 2_000, alerts=lines)
    push.send(reader.parcel(message=message, body="é\n" * 9_000))
    (call,) = service.calls
    assert len(call.body) <= 4096
    said = reader.browser.open(call.body)
    assert said["title"].startswith("Critical: 日本")
    assert said["title"].endswith("…")
    assert said["url"] == message.url


def test_the_longest_message_of_all_still_fits():
    said = {"title": "\x01" * 120, "body": "\x01" * 400, "actions": []}
    said |= {"url": "u" * 500, "tag": "t"}
    packed = push.packed(said)
    assert len(packed) <= push_crypto.MOST_PLAINTEXT
    assert json.loads(packed)["title"] == said["title"]


# --- refusals ---


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_has_gone_is_no_contact_any_more(reader, service, status):
    service.behaviours = [Behaviour(status)]
    error = failure(reader.parcel())
    assert error.permanent
    assert reader.contacts() == []
    with in_tenant(reader.tenant_id):
        assert not PushSubscription.objects.exists()
        assert Audit.objects.filter(action="contact.delete").count() == 1
    assert "not subscribed" in failure(reader.parcel()).reason
    assert len(service.calls) == 1


def test_a_service_that_is_asked_too_much_is_left_alone_as_long_as_it_wants(
    reader, service
):
    service.behaviours = [Behaviour(429, {"Retry-After": "17"})]
    error = failure(reader.parcel())
    assert (error.permanent, error.retry_after) == (False, 17.0)


def test_a_broken_service_is_asked_again(reader, service):
    service.behaviours = [Behaviour(500)]
    error = failure(reader.parcel())
    assert (error.permanent, error.ambiguous) == (False, False)


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_a_refusal_is_final_and_keeps_the_contact(reader, service, status):
    service.behaviours = [Behaviour(status)]
    assert failure(reader.parcel()).permanent
    assert reader.contacts() == [reader.address]


@pytest.mark.parametrize(
    "behaviour", [Behaviour(201, seconds=2), Behaviour(201, reset=True)]
)
def test_no_answer_may_mean_that_it_arrived(reader, service, monkeypatch, behaviour):
    real = outbound.request
    monkeypatch.setattr(
        outbound, "request", lambda *a, **k: real(*a, **k | {"seconds": 0.5})
    )
    service.behaviours = [behaviour]
    error = failure(reader.parcel())
    assert error.ambiguous
    assert not error.permanent


def test_a_truncated_answer_still_says_by_its_status_that_it_was_taken(reader, service):
    """RFC 8030 5: what was accepted is told by 201, whatever follows."""
    service.behaviours = [Behaviour(201, truncated=True)]
    assert push.send(reader.parcel()).answer.startswith("201")


def test_an_address_inside_is_not_called(acme, service, settings):
    """Not even one that is open to channels: a viewer may name this address."""
    row = subscribe(acme, "vera", service.browser())
    settings.OUTBOUND_ALLOW, settings.PUSH_ALLOW = settings.PUSH_ALLOW, []
    parcel = a_parcel(
        tenant_id=acme.id, channel_kind="push", address=row.contact.address
    )
    assert failure(parcel).permanent
    assert service.calls == []


def test_no_error_tells_the_browsers_address(reader, service):
    secret = reader.browser.endpoint
    service.behaviours = [Behaviour(400, body=f"bad {secret}".encode())]
    assert secret not in failure(reader.parcel()).reason
    with in_tenant(reader.tenant_id):
        row = PushSubscription.objects.get()
        assert secret.encode() not in bytes(row.secret)
        assert secret not in reader.address


def test_in_simulation_nothing_leaves(reader, service, settings):
    settings.SIMULATION = True
    push.send(reader.parcel())
    assert service.calls == []
    with in_tenant(reader.tenant_id):
        kept = SimulatedMessage.objects.get()
    assert kept.payload["subject"] == "Critical: Disks are full"


def test_it_goes_through_the_outbox_like_everything_else(as_engine, ops, acme, service):
    row = subscribe(acme, "bob", browser := service.browser())
    pk = ops.put(
        "a",
        channel_id=None,
        channel_kind="push",
        address=row.contact.address,
        member_id=acme.members["bob"].pk,
    )
    assert delivery.deliver_due() == 1
    assert ops.row(pk).state == "sent"
    assert browser.open(service.calls[0].body)["title"] == "Critical: Disks are full"


# --- subscribing ---


def test_a_browser_is_named_and_replaces_itself(acme, service):
    browser = service.browser()
    subscribe(acme, "bob", browser)
    row = subscribe(acme, "bob", browser)
    assert row.contact.address.startswith("Chrome Linux ")
    assert push.an_address(row.contact.address)
    with in_tenant(acme.id):
        assert Contact.objects.count() == 1


def test_whoever_uses_the_browser_now_is_notified_there(acme, service):
    browser = service.browser()
    subscribe(acme, "bob", browser)
    subscribe(acme, "alice", browser)
    with in_tenant(acme.id):
        assert Contact.objects.get().member == acme.members["alice"]
        gone = subscribing.unsubscribe(acme.members["bob"], browser.endpoint, actor=BOB)
        assert not gone
        assert subscribing.unsubscribe(
            acme.members["alice"], browser.endpoint, actor=BOB
        )
        assert not Contact.objects.exists()


def test_a_browser_may_serve_two_tenants(acme, globex, service):
    browser = service.browser()
    subscribe(acme, "bob", browser)
    subscribe(globex, "charlie", browser)
    with in_tenant(acme.id):
        assert Contact.objects.count() == 1
    with in_tenant(globex.id):
        assert Contact.objects.count() == 1


def test_one_member_has_ten_browsers_at_most(acme, service):
    for number in range(10):
        subscribe(acme, "bob", service.browser(str(number)))
    with pytest.raises(ValidationError):
        subscribe(acme, "bob", service.browser("11"))


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "javascript:alert(1)"},
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": "https://push.example/" + "x" * 3_000},
        {"endpoint": None},
        {"keys": None},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {"p256dh": "é", "auth": "!"}},
    ],
)
def test_what_is_no_subscription_is_refused(acme, service, change):
    given = service.browser().subscription | change
    with in_tenant(acme.id), pytest.raises(ValidationError):
        subscribing.subscribe(acme.members["bob"], given, agent="", actor=BOB)


def test_nobody_types_a_browser_in():
    for address in ("", "https://push.example/x", "<b>", "Chrome Linux 123"):
        with pytest.raises(ValidationError):
            push.an_address(address)


# --- our own key ---


def test_the_key_is_made_once_and_stored_sealed(db, settings):
    first = push_keys.private_key()
    assert push_keys.private_key() == first
    held = PushKey.objects.get()
    assert b"PRIVATE" not in bytes(held.sealed)
    assert len(push_crypto.from_text(push_keys.public_key())) == 65
    push_keys._opened.cache_clear()
    settings.KEK = b"x" * 32
    with pytest.raises(crypto.SealBroken):
        push_keys.private_key()
    push_keys._opened.cache_clear()


def test_keys_of_no_curve_are_refused():
    with pytest.raises(push_crypto.BadKeys):
        push_crypto.seal(b"x", push_crypto.to_text(b"\x04" + b"\x01" * 64), "AAAA")


def test_a_deleted_contact_takes_the_subscription_along(reader):
    with in_tenant(reader.tenant_id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM contact")
        assert not PushSubscription.objects.exists()
