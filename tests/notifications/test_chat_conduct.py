"""Every chat behaves alike when its vendor answers, refuses, or says nothing."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from notifications import delivery, signing
from notifications.channels import http
from notifications.channels.base import DeliveryError
from notifications.channels.registry import spec_of
from notifications.models import Channel, SimulatedMessage
from tenants.rls import in_tenant
from tests.fakes.vendor import FakeVendor, Reply
from tests.notifications.chats import (
    EVIL,
    FAKES,
    LOOPBACK,
    a_chat_parcel,
    huge,
    send,
)
from tests.notifications.scene import a_message, acknowledged

TITLE, LINK = "Disks are full", "https://alerts.example/t/acme/groups/12"


@pytest.fixture(params=sorted(FAKES))
def kind(request) -> str:
    return str(request.param)


@pytest.fixture
def fake(kind, settings) -> Iterator[FakeVendor]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FAKES[kind]() as running:
        yield running


def failure(parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(parcel)
    return caught.value


def test_a_page_shows_title_severity_and_link(fake, kind):
    receipt = send(a_chat_parcel(fake, kind))
    (shown,) = [json.dumps(one, ensure_ascii=False) for one in fake.messages]
    assert TITLE in shown
    assert "Critical" in shown
    assert LINK in shown
    assert "Two disks are full." in shown
    assert receipt.answer


def test_what_the_reader_may_do_is_a_link(fake, kind, monkeypatch):
    url = "https://alerts.example/a/" + "t" * 106
    links = [("acknowledge", "Acknowledge", url)]
    monkeypatch.setattr(signing, "act_links", lambda _parcel: links)
    send(a_chat_parcel(fake, kind))
    shown = json.dumps(fake.messages)
    assert url in shown
    assert "Acknowledge" in shown


def test_a_test_arrives(fake, kind):
    assert send(a_chat_parcel(fake, kind, "test")).answer
    assert "Acme" in json.dumps(fake.messages)


def test_the_vendor_s_wait_is_obeyed(fake, kind):
    fake.rate_limited(7)
    error = failure(a_chat_parcel(fake, kind))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, 7)


def test_a_server_s_error_is_tried_again(fake, kind):
    fake.status(503, "upstream")
    error = failure(a_chat_parcel(fake, kind))
    assert (error.permanent, error.ambiguous, error.retry_after) == (False, False, None)
    assert "503" in error.reason


def test_no_answer_in_time_may_have_arrived(fake, kind, monkeypatch):
    monkeypatch.setitem(http.call.__kwdefaults__, "seconds", 0.3)
    fake.slow(0.9)
    error = failure(a_chat_parcel(fake, kind))
    assert (error.permanent, error.ambiguous) == (False, True)
    assert len(fake.requests) == 1


def test_a_cut_connection_may_have_arrived(fake, kind):
    fake.reset_after_read()
    error = failure(a_chat_parcel(fake, kind))
    assert (error.permanent, error.ambiguous) == (False, True)
    assert len(fake.requests) == 1


def test_a_truncated_answer_is_no_reason_to_say_it_twice(fake, kind):
    fake.truncates()
    try:
        send(a_chat_parcel(fake, kind))
    except DeliveryError as error:
        assert error.ambiguous  # noqa: PT017 - both ends are right
    assert len(fake.requests) == 1


def test_what_the_vendor_refuses_for_good_is_not_tried_again(fake, kind):
    fake.refuses()
    error = failure(a_chat_parcel(fake, kind))
    assert (error.permanent, error.ambiguous) == (True, False)


def test_however_long_it_is_title_severity_and_link_arrive(fake, kind):
    message = huge(url=LINK)
    body = "\n".join("字" * 900 for _ in range(100))
    send(a_chat_parcel(fake, kind, message=message, title=message.title, body=body))
    (shown,) = [json.dumps(one, ensure_ascii=False) for one in fake.messages]
    assert "漢" * 60 in shown
    assert "Critical" in shown
    assert LINK in shown


def test_what_comes_from_outside_is_shown_and_nothing_else(fake, kind):
    message = a_message(title=EVIL, tenant=EVIL, actor=EVIL, next_who=EVIL)
    send(a_chat_parcel(fake, kind, message=message, title=EVIL, body=EVIL))
    assert len(fake.messages) == 1


def test_an_address_in_a_text_stays_whole(fake, kind):
    send(a_chat_parcel(fake, kind, body="See https://wiki.example/run_book-1#a_b."))
    shown = json.dumps(fake.messages)
    assert "https://wiki.example/run_book-1#a_b" in shown


@pytest.mark.parametrize("answer", [400, 403, 404, 429, 500, 302])
def test_secrets_stand_in_no_error_and_no_log(fake, kind, answer, caplog):
    caplog.set_level(logging.DEBUG)
    secret = json.dumps(fake.secret())
    fake.answers(Reply(answer, f"no such thing: {secret} {fake.SECRET_TEXT}"))
    error = failure(a_chat_parcel(fake, kind))
    for text in (error.reason, str(error), repr(error), caplog.text):
        assert fake.SECRET_TEXT not in text


def test_what_cannot_be_called_names_no_secret(fake, kind, settings):
    settings.OUTBOUND_ALLOW = []
    error = failure(a_chat_parcel(fake, kind))
    assert error.permanent
    assert fake.SECRET_TEXT not in error.reason
    assert not fake.requests


def test_without_its_secret_a_channel_says_so(fake, kind):
    assert failure(a_chat_parcel(fake, kind, secret={})).permanent


@pytest.mark.django_db
def test_in_simulation_nothing_leaves(fake, kind, acme, settings):
    settings.SIMULATION = True
    parcel = a_chat_parcel(fake, kind, tenant_id=acme.id)
    receipt = send(parcel)
    assert receipt.answer == "200 simulated"
    assert not fake.requests
    with in_tenant(acme.id):
        (row,) = SimulatedMessage.objects.all()
    assert (row.kind, row.payload["subject"]) == (kind, f"🔴 {TITLE}")
    assert "Two disks are full." in row.payload["text"]
    assert ["Open", LINK] in row.payload["actions"]
    assert fake.SECRET_TEXT not in json.dumps(row.payload)


@pytest.mark.django_db
def test_a_conversation_in_simulation_is_as_at_the_vendor(fake, kind, acme, settings):
    settings.SIMULATION = True
    first = a_chat_parcel(fake, kind, tenant_id=acme.id)
    receipt = send(first)
    later = replace(first, message=acknowledged(first.message), thread=receipt.thread)
    send(replace(later, kind="update", delivery_id=uuid4()))
    send(replace(later, kind="reply", delivery_id=uuid4()))
    with in_tenant(acme.id):
        page, *lines = SimulatedMessage.objects.order_by("id")
    redrawn = spec_of(kind).updates
    assert ("Acknowledged by Alice" in page.payload["text"]) is redrawn
    assert (page.edited_at is not None) is redrawn
    assert all(line.thread_ts == page.ts for line in lines)
    assert not fake.requests


@pytest.fixture
def queued(ops, fake, kind):
    """Write one page to a channel of this kind; return its row's id."""
    with in_tenant(ops.tenant_id):
        channel = Channel.objects.create(
            tenant_id=ops.tenant_id,
            kind=kind,
            slug=kind,
            name=kind,
            settings=fake.settings(),
            secret=json.dumps(fake.secret()),
        )
    return ops.put("once", channel_id=channel.pk, channel_kind=kind)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_before_the_vendor_s_wait_is_over(ops, fake, queued):
    fake.rate_limited(7)
    asked = time.time()
    delivery.deliver_due()
    row = ops.row(queued)
    assert row.state == "pending"
    assert row.next_at.timestamp() >= asked + 7
    delivery.deliver_due()
    assert len(fake.requests) == 1
    ops.deliver()
    assert ops.row(queued).state == "sent"
    assert len(fake.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_what_may_have_arrived_is_said_twice_at_most(ops, fake, queued):
    fake.reset_after_read(times=5)
    ops.deliver(rounds=4)
    assert ops.row(queued).state == "ambiguous"
    assert len(fake.requests) == 2
