"""Is a telephone used only after its code was typed in, and never too often?"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from notifications import delivery, proving, quotas, recipients
from notifications.models import Channel, Contact, Delivery, Destination
from tenants.actors import THE_ENGINE
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.fakes.twilio import TOKEN, FakeTwilio
from tests.notifications.phones import BOB, account
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


def make_channel(cast: Cast, fake: FakeTwilio, kind: str = "sms") -> Channel:
    with in_tenant(cast.id):
        return Channel.objects.create(
            tenant_id=cast.id,
            kind=kind,
            slug=kind,
            name=kind,
            settings=account(fake),
            secret=json.dumps({"auth_token": TOKEN}),
        )


def make_contact(cast: Cast, kind: str = "sms", name: str = "bob") -> Contact:
    with in_tenant(cast.id):
        return Contact.objects.create(
            tenant_id=cast.id, member=cast.members[name], kind=kind, address=BOB
        )


def change(row: Contact, **values: Any) -> None:
    with in_tenant(row.tenant_id):
        Contact.objects.filter(pk=row.pk).update(**values)


def fresh(row: Contact) -> Contact:
    with in_tenant(row.tenant_id):
        return Contact.objects.get(pk=row.pk)


def send_code(row: Contact) -> str:
    change(row, code_sent_at=None)  # a minute has passed
    return proving.send_code(row.tenant_id, row.pk, actor=THE_ENGINE)


def typed(row: Contact, code: str) -> str:
    with in_tenant(row.tenant_id):
        return proving.prove(row.tenant_id, row.pk, code, actor=THE_ENGINE)


def sent_code(fake: FakeTwilio) -> str:
    found = re.search(r"\d{6}", fake.texts[-1]["Body"])
    assert found
    return found[0]


@pytest.fixture
def contact(acme: Cast, twilio: FakeTwilio) -> Contact:
    make_channel(acme, twilio)
    return make_contact(acme)


# --- the code ---


def test_a_code_goes_to_the_number_and_proves_it(contact, twilio):
    send_code(contact)
    assert twilio.texts[0]["To"] == BOB
    assert twilio.texts[0]["Body"].startswith("Your AlertCenter code is ")
    assert "StatusCallback" not in twilio.texts[0]
    assert typed(contact, f" {sent_code(twilio)} ") == "done"
    row = fresh(contact)
    assert row.verified_at is not None
    assert row.code_hash == ""
    with in_tenant(contact.tenant_id):
        assert Audit.objects.filter(action="contact.verified").exists()
    assert typed(contact, sent_code(twilio)) == "expired", "it is good once"


def test_a_code_is_read_out_digit_by_digit(acme, twilio):
    make_channel(acme, twilio, "voice")
    row = make_contact(acme, "voice")
    send_code(row)
    found = re.search(r"(\d, ){5}\d", twilio.calls[0]["Twiml"])
    assert found
    assert typed(row, found[0]) == "done"


def test_the_code_itself_is_kept_nowhere(contact, twilio):
    send_code(contact)
    with in_tenant(contact.tenant_id):
        stored = json.dumps(list(Contact.objects.values()), default=str)
        stored += json.dumps(list(Audit.objects.values()), default=str)
        assert not Delivery.objects.exists()
    assert sent_code(twilio) not in re.findall(r"\b\d{6}\b", stored)


def test_five_wrong_tries_end_it(contact, twilio):
    send_code(contact)
    code = sent_code(twilio)
    wrong = "000000" if code != "000000" else "111111"
    assert [typed(contact, wrong) for _ in range(5)] == ["wrong"] * 5
    assert typed(contact, code) == "too_many"
    assert fresh(contact).verified_at is None


@pytest.mark.parametrize("nothing", ["", "abc", "12345", "٠١٢٣٤٥", "1" * 40])
def test_what_is_no_code_is_wrong(contact, twilio, nothing):
    assert typed(contact, nothing) == "expired"
    send_code(contact)
    assert typed(contact, nothing) == "wrong"


def test_after_ten_minutes_it_is_too_late(contact, twilio):
    send_code(contact)
    change(contact, code_sent_at=Now() - timedelta(minutes=11))
    assert typed(contact, sent_code(twilio)) == "expired"


def test_a_code_proves_only_the_number_that_it_was_sent_to(contact, twilio):
    send_code(contact)
    change(contact, address="+4915199999999")
    assert typed(contact, sent_code(twilio)) == "wrong"


def test_codes_are_few(contact, twilio, monkeypatch):
    proving.send_code(contact.tenant_id, contact.pk, actor=THE_ENGINE)
    with pytest.raises(proving.NotSent, match="wait a minute"):
        proving.send_code(contact.tenant_id, contact.pk, actor=THE_ENGINE)
    for _ in range(4):
        change(contact, code_sent_at=Now() - timedelta(minutes=2))
        proving.send_code(contact.tenant_id, contact.pk, actor=THE_ENGINE)
    change(contact, code_sent_at=Now() - timedelta(minutes=2))
    with pytest.raises(proving.NotSent, match="tomorrow"):
        proving.send_code(contact.tenant_id, contact.pk, actor=THE_ENGINE)
    monkeypatch.setattr(proving, "DAY", timedelta(0))  # a day has passed
    proving.send_code(contact.tenant_id, contact.pk, actor=THE_ENGINE)
    assert len(twilio.texts) == 6


def test_who_writes_a_number_anew_gets_no_more_codes(acme, contact, twilio):
    """Any member may delete his contact and write it again, as often as he likes."""
    for _ in range(proving.MOST_A_DAY):
        send_code(contact)
        with in_tenant(acme.id):
            contact.delete()
        contact = make_contact(acme)
    with pytest.raises(proving.NotSent, match="tomorrow"):
        send_code(contact)
    assert len(twilio.texts) == proving.MOST_A_DAY


def test_numbers_written_anew_count_for_the_tenant(acme, contact, twilio, monkeypatch):
    monkeypatch.setattr(proving, "MOST_A_DAY_OF_ALL", 1)
    send_code(contact)
    change(contact, address="+4915199999999")
    with in_tenant(acme.id):
        contact.delete()
    with pytest.raises(proving.NotSent, match="tomorrow"):
        send_code(make_contact(acme, name="alice"))


def test_one_tenant_cannot_disturb_half_the_world(contact, twilio, monkeypatch):
    monkeypatch.setattr(proving, "MOST_A_DAY_OF_ALL", 1)
    send_code(contact)
    change(contact, code_sent_at=Now() - timedelta(minutes=2))
    with pytest.raises(proving.NotSent, match="tomorrow"):
        proving.send_code(contact.tenant_id, contact.pk, actor=THE_ENGINE)


def test_why_no_code_came_is_said(contact, twilio):
    twilio.refuse(21614, "'To' number is not a valid mobile number")
    with pytest.raises(proving.NotSent, match="not a valid mobile"):
        send_code(contact)
    with in_tenant(contact.tenant_id):
        Channel.objects.update(active=False)
    with pytest.raises(proving.NotSent, match="switched on"):
        send_code(contact)


# --- who is told ---


def places(cast: Cast) -> list[str]:
    with in_tenant(cast.id):
        return [kind for kind, *_ in recipients.for_member(cast.id, bob(cast))]


def bob(cast: Cast) -> UUID:
    pk: UUID = cast.members["bob"].pk
    return pk


def test_a_number_that_nobody_has_proven_is_never_used(acme, contact):
    assert places(acme) == ["email"]
    change(contact, verified_at=Now())
    assert places(acme) == ["sms"]


def test_who_said_stop_is_told_elsewhere(acme, contact):
    change(contact, verified_at=Now(), stopped_at=Now())
    assert places(acme) == ["email"]


# --- the admin ---


def login(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(row: Contact, what: str = "change") -> str:
    return reverse(f"admin:notifications_contact_{what}", args=[row.pk])


def test_a_member_proves_his_own_number_in_the_admin(contact, twilio, acme):
    client = login(acme.user("bob"))
    assert "Send code" in client.get(page(contact)).content.decode()
    answer = client.post(page(contact, "send_code"))
    code_page = page(contact, "code")
    assert answer["Location"] == code_page
    assert BOB in client.get(code_page).content.decode()
    wrong = client.post(code_page, {"code": "x"})
    assert "not the code" in wrong.content.decode()
    right = client.post(code_page, {"code": sent_code(twilio)}, follow=True)
    assert "is proven" in right.content.decode()
    assert "Send code" not in right.content.decode()
    with in_tenant(acme.id):
        done = Audit.objects.get(action="contact.verified")
    assert done.actor_label == "Bob"


def test_others_may_not_unless_they_administer(contact, twilio, acme):
    vera, alice = login(acme.user("vera")), login(acme.user("alice"))
    assert "Send code" not in vera.get(page(contact)).content.decode()
    assert vera.post(page(contact, "send_code")).status_code == 403
    assert vera.post(page(contact, "code"), {"code": "1"}).status_code == 403
    assert twilio.texts == []
    assert alice.post(page(contact, "send_code")).status_code == 302
    assert len(twilio.texts) == 1


def test_another_number_has_to_be_proven_anew(contact, acme):
    change(contact, verified_at=Now())
    client = login(acme.user("alice"))
    given = {"member": str(bob(acme)), "kind": "sms", "position": "2"}
    client.post(page(contact), given | {"address": BOB})
    assert fresh(contact).verified_at is not None
    client.post(page(contact), given | {"address": "+49 151 99999999"})
    row = fresh(contact)
    assert (row.address, row.verified_at) == ("+4915199999999", None)


# --- how many ---


@pytest.mark.parametrize(
    ("ages", "wait"),
    [
        ([], 0),
        ([1, 2, 3, 4], 0),
        ([1, 2, 3, 4, 5], 895),
        ([0, 0, 0, 0, 899], 1),
        ([0, 0, 0, 0, 900], 0),
        ([1000] * 11, 2600),
        ([4000] * 21, 6800),
    ],
)
def test_a_rule_is_full_until_its_oldest_leaves(ages, wait):
    rules = ((5, 900), (11, 3600), (21, 10800))
    assert quotas.seconds_to_wait(ages, rules) == wait


def send_pages(ops: Outbox, channel: Channel, address: str, numbers: range) -> None:
    for number in numbers:
        ops.put(
            f"{address}/{number}",
            a_message(number=number),
            channel_id=channel.pk,
            channel_kind=channel.kind,
            address=address,
        )
        delivery.deliver_due(20)


@pytest.mark.parametrize(("kind", "most"), [("sms", 5), ("voice", 3)])
def test_one_phone_gets_so_many_and_the_rest_waits(acme, ops, twilio, kind, most):
    channel = make_channel(acme, twilio, kind)
    send_pages(ops, channel, BOB, range(most + 2))
    assert len(twilio.requests) == most
    assert ops.states() == ["sent"] * most + ["pending"] * 2
    with in_tenant(acme.id):
        waiting = Delivery.objects.filter(state="pending").order_by("id")[0]
    assert "this number has had" in waiting.error
    send_pages(ops, channel, "+4915199999999", range(1))  # others need not wait
    assert len(twilio.requests) == most + 1


def test_after_a_while_the_next_may_go(acme, ops, twilio):
    channel = make_channel(acme, twilio)
    send_pages(ops, channel, BOB, range(6))
    assert len(twilio.texts) == 5
    ops.change("sent_at = sent_at - interval '16 minutes' WHERE sent_at IS NOT NULL")
    ops.change("next_at = now() WHERE state = 'pending'")
    with in_tenant(acme.id):
        Destination.objects.update(open_at=Now(), asked_until=Now())
    delivery.deliver_due(20)
    assert len(twilio.texts) == 6
