"""What is promised? Once each, coalesced, cancelled, told to Celery without waiting."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import UUID

import pytest
from celery import current_app
from django.db import transaction

from alertcenter.common import tracing
from notifications import nudging, outbox, recipients
from notifications.message import Message, Note
from notifications.models import Channel, Contact, Delivery
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message, acknowledged

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def box(acme, nudged) -> Outbox:
    """Acme's outbox, as the web's login sees it."""
    return Outbox(acme.id)


def test_writing_twice_does_nothing(box):
    assert box.put("run/1/0/ops") is not None
    assert box.put("run/1/0/ops") is None
    assert box.states() == ["pending"]


def test_tenants_do_not_meet_in_their_keys(box, globex):
    assert box.put("same") is not None
    assert Outbox(globex.id).put("same") is not None


def test_a_batch_keeps_its_order(box):
    message = a_message()
    with in_tenant(box.tenant_id):
        entries = [box.entry(str(n), message) for n in range(50)]
        ids = outbox.put(box.tenant_id, entries)
        rows = Delivery.objects.order_by("id")
        assert [row.idem for row in rows] == [str(n) for n in range(50)]
    assert ids == sorted(ids)


def test_the_request_is_remembered(box):
    with tracing.bind("abc"):
        pk = box.put("1")
    assert box.row(pk).correlation_id == "abc"


def test_celery_is_told_after_the_commit_only(box, nudged):
    with in_tenant(box.tenant_id):
        (pk,) = outbox.put(box.tenant_id, [box.entry("1", a_message())])
        assert nudged == []
    assert nudged == [str(pk)]


def test_a_rollback_promises_nothing(box, nudged):
    with in_tenant(box.tenant_id):
        outbox.put(box.tenant_id, [box.entry("1", a_message())])
        transaction.set_rollback(True)
    assert (box.states(), nudged) == ([], [])


def test_long_addresses_and_keys_are_taken(box):
    message = a_message()
    pk = box.put("k" * 500, message, address="x" * 400, kind="answer")
    assert box.put("k" * 500, message, address="x" * 400, kind="answer") is None
    assert len(box.row(pk).idem) <= 200
    assert len(box.row(pk).lane) <= 200


def test_pages_nobody_has_begun_to_send_are_cancelled(box):
    message = a_message()
    begun, waiting = box.put("1", message), box.put("2", message)
    other = box.put("3", a_message())
    with in_tenant(box.tenant_id):
        Delivery.objects.filter(pk=begun).update(state="leased")
        group = UUID(message.group_id)
        assert outbox.cancel_pages(box.tenant_id, [group]) == 1
    states = [box.row(pk).state for pk in (begun, waiting, other)]
    assert states == ["leased", "cancelled", "pending"]


def test_redraws_that_wait_become_one(box):
    message = a_message()
    box.put("1", message)
    for version in range(2, 6):
        box.refresh(replace(message, title=f"v{version}"), version)
    with in_tenant(box.tenant_id):
        (row,) = Delivery.objects.filter(kind="update")
    assert row.message["title"] == "v5"


def test_a_redraw_that_is_being_sent_is_followed_by_another(box):
    message = a_message()
    box.put("1", message)
    box.refresh(message, 2)
    box.change("state = 'leased'")
    box.refresh(replace(message, title="newer"), 3)
    with in_tenant(box.tenant_id):
        rows = Delivery.objects.filter(kind="update").order_by("id")
        assert [row.message["title"] for row in rows] == [message.title, "newer"]


def grown(message: Message, count: int) -> Message:
    note = Note("grouped", "", "2026-11-20T10:00:00+00:00", {"count": count})
    return replace(message, note=note, title=f"{count} more")


def test_what_only_grew_waits_and_adds_up(box):
    message = a_message()
    box.put("1", message)
    for version, count in ((2, 3), (3, 4)):
        with in_tenant(box.tenant_id):
            outbox.refresh(
                box.tenant_id,
                UUID(message.group_id),
                grown(message, count),
                version=version,
                delay_seconds=15,
            )
    with in_tenant(box.tenant_id):
        (redraw,) = Delivery.objects.filter(kind="update")
        (line,) = Delivery.objects.filter(kind="reply")
        assert redraw.message["title"] == "4 more"
        assert line.message["note"]["data"]["count"] == 7
        assert redraw.next_at is not None
        assert redraw.next_at > redraw.created_at
    box.refresh(acknowledged(message), 4)
    with in_tenant(box.tenant_id):
        rows = Delivery.objects.filter(kind="update").order_by("id")
        assert [row.state for row in rows] == ["cancelled", "pending"]


def test_a_page_that_was_cancelled_leaves_nothing_to_refresh(box):
    message = a_message()
    box.put("1", message)
    with in_tenant(box.tenant_id):
        outbox.cancel_pages(box.tenant_id, [UUID(message.group_id)])
    assert box.refresh(acknowledged(message), 2) == 0


def mailed(box: Outbox, message: Message) -> list[str]:
    box.refresh(message, 2)
    with in_tenant(box.tenant_id):
        rows = Delivery.objects.filter(channel_kind="email").exclude(kind="page")
        return [row.message["kind"] for row in rows]


def test_a_mailbox_that_was_paged_is_told_of_the_end_once(box, acme):
    message = a_message()
    bob = acme.members["bob"].pk
    box.put(
        "1", message, channel_id=None, channel_kind="email", address="bob@acme.example",
        member_id=bob,
    )  # fmt: skip
    noted = replace(message, note=Note("noted", "", message.opened_at, {"count": 2}))
    assert mailed(box, noted) == []
    resolved = Note("resolved", "", message.opened_at)
    ended = replace(message, kind="resolved", state="resolved", note=resolved)
    assert mailed(box, ended) == ["resolved"]
    assert mailed(box, ended) == ["resolved"]


def test_a_message_survives_its_json():
    message = acknowledged(a_message())
    assert Message.from_json(message.to_json()) == message


def test_a_broker_that_is_away_costs_no_time(box, monkeypatch, settings):
    def away(*_args, **_kwargs):
        time.sleep(2)
        raise OSError("no broker")

    monkeypatch.undo()
    monkeypatch.setattr(current_app, "send_task", away)
    began = time.monotonic()
    for n in range(20):
        box.put(str(n))
    assert time.monotonic() - began < 1.5


def test_a_nudge_reaches_celery(monkeypatch):
    told: list[list[str]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda _name, args, **_k: told.append(args[0])
    )
    nudger = nudging.Nudger()
    nudger.nudge(["a", "b"])
    ends = time.monotonic() + 5
    while sum(map(len, told)) < 2 and time.monotonic() < ends:
        time.sleep(0.01)
    assert sorted(pk for ids in told for pk in ids) == ["a", "b"]


# --- where a member is reached ---


def addresses(acme, name: str):
    with transaction.atomic(), in_tenant(acme.id):
        return recipients.for_member(acme.id, acme.members[name].pk)


def contact(acme, name: str, kind: str, address: str, position: int = 1) -> None:
    with in_tenant(acme.id):
        Contact.objects.create(
            tenant_id=acme.id,
            member=acme.members[name],
            kind=kind,
            address=address,
            position=position,
        )


def test_contacts_come_in_their_order(box, acme):
    contact(acme, "bob", "email", "bob@phone.example", 2)
    contact(acme, "bob", "slack", "U1", 1)
    assert addresses(acme, "bob") == [
        ("slack", box.channel.pk, "U1"),
        ("email", None, "bob@phone.example"),
    ]


def test_without_contacts_the_users_own_mailbox_serves(acme):
    assert addresses(acme, "bob") == [("email", None, "bob@acme.example")]


def test_a_slack_contact_without_a_slack_falls_back_to_mail(acme):
    contact(acme, "bob", "slack", "U1")
    assert addresses(acme, "bob") == [("email", None, "bob@acme.example")]


def test_who_left_is_not_reached(acme):
    with in_tenant(acme.id):
        member = acme.members["bob"]
        member.active = False
        member.save()
    assert addresses(acme, "bob") == []


def test_a_mail_channel_without_addresses_reaches_nobody(acme):
    with in_tenant(acme.id):
        channel = Channel(tenant_id=acme.id, kind="email", settings={})
        assert recipients.for_channel(channel) == []
