"""Rates, requests to wait, a circuit breaker, slow places; fallbacks and digests."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from notifications import delivery, destinations, digests, outbox, standing_in
from notifications.channels.slack import SPEC
from notifications.models import Channel, Contact, Delivery, Destination
from tenants.models import Member
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paced(settings) -> None:
    settings.DELIVERY_PACE = True


def place(ops: Outbox) -> Destination:
    with in_tenant(ops.tenant_id):
        return Destination.objects.get()


def later(ops: Outbox, seconds: float) -> None:
    """Let what waits have been made so much earlier."""
    ops.change(f"created_at = created_at - interval '{seconds} seconds'")


def mail_channel(ops: Outbox, to: str = "boss@acme.example", **more) -> Channel:
    with in_tenant(ops.tenant_id):
        return Channel.objects.create(
            tenant_id=ops.tenant_id,
            kind="email",
            slug=to.split("@")[0],
            name="Mail",
            settings={"to": [to]},
            **more,
        )


def fall_back(ops: Outbox, channel: Channel | None) -> None:
    with in_tenant(ops.tenant_id):
        Channel.objects.filter(pk=ops.channel.pk).update(fallback=channel)


def pages(ops: Outbox, kind: str) -> list[Delivery]:
    with in_tenant(ops.tenant_id):
        return list(Delivery.objects.filter(channel_kind=kind).order_by("id"))


# --- rates ---


def test_a_place_gets_no_more_than_its_rate(ops, slack, paced):
    for number in range(SPEC.burst + 3):
        ops.put(str(number))
    began = time.monotonic()
    while len(slack.messages) < SPEC.burst + 3:
        delivery.deliver_due(20)
        assert time.monotonic() - began < 15
    at = [call.monotonic_ns / 1e9 for call in slack.requests]
    gaps = [b - a for a, b in zip(at[SPEC.burst - 1 :], at[SPEC.burst :], strict=False)]
    assert len(gaps) == 3
    # Each claim keeps the rate; what lies between claim and call varies a little.
    assert min(gaps) > SPEC.pace * 0.5
    assert at[-1] - at[0] > SPEC.pace * 2.4


def test_a_channel_may_ask_for_a_lower_rate_than_its_kind(ops, slack, paced):
    with in_tenant(ops.tenant_id):
        settings = ops.channel.settings | {"rate_limit": 0.5}
        Channel.objects.filter(pk=ops.channel.pk).update(settings=settings)
    ops.put("first")
    delivery.deliver_due(1)
    assert place(ops).pace == 2.0
    ops.rest()
    for number in range(SPEC.burst + 1):
        ops.put(str(number))
    assert len(delivery.claim(20)) == SPEC.burst
    row = place(ops)
    assert row.open_at > timezone.now() + timedelta(seconds=1.2)


def test_what_waits_for_a_full_place_holds_up_no_other(ops, slack, paced, globex):
    for number in range(60):
        ops.put(str(number), a_message(severity=5))
    other = Outbox(globex.id, slack.url)
    pk = other.put("1", a_message(severity=1))
    began = time.monotonic()
    delivery.deliver_due(8)
    assert other.row(pk).state == "sent"
    assert time.monotonic() - began < 3


def test_waiting_for_a_rate_costs_no_attempt(ops, slack, paced):
    for number in range(SPEC.burst + 2):
        ops.put(str(number))
    delivery.claim(20)
    with in_tenant(ops.tenant_id):
        waiting = Delivery.objects.filter(state="pending")
        assert list(waiting.values_list("attempts", flat=True)) == [0, 0]


# --- what a provider asks for ---


def test_nothing_leaves_before_what_was_asked_not_even_what_comes_later(ops, slack):
    slack.rate_limited(2)
    ops.put("1")
    delivery.deliver_due(1)
    asked = slack.requests[-1].monotonic_ns
    for number in range(4):
        ops.put(f"later {number}")
    began = time.monotonic()
    while len(slack.messages) < 5:
        delivery.deliver_due(20)
        assert time.monotonic() - began < 12
    early = [c for c in slack.requests[1:] if (c.monotonic_ns - asked) / 1e9 < 2]
    assert early == []


def test_a_success_in_flight_does_not_lift_what_was_asked(ops, slack):
    ops.put("1")
    ops.put("2")
    one, two = delivery.claim(2)
    slack.rate_limited(30)
    delivery.work(one)
    delivery.work(two)
    assert ops.states() == ["pending", "sent"]
    assert place(ops).open_at > timezone.now() + timedelta(seconds=25)


# --- a place in trouble ---


def test_after_three_failures_a_place_rests_and_one_tries_it(ops, slack):
    slack.status(500, times=4)
    for number in range(9):
        ops.put(str(number))
    for lease in delivery.claim(3):
        delivery.work(lease)
    row = place(ops)
    assert row.failures == destinations.BREAKS_AT
    assert row.open_at > timezone.now() + timedelta(seconds=3)
    assert delivery.claim(10) == []
    ops.rest()
    (trial,) = delivery.claim(10)
    assert delivery.claim(10) == []
    delivery.work(trial)
    assert place(ops).open_at > timezone.now() + timedelta(seconds=8)
    ops.rest()
    (trial,) = delivery.claim(10)
    delivery.work(trial)
    assert place(ops).failures == 0
    assert len(delivery.claim(10)) > 1


def test_a_trial_whose_sender_died_is_followed_by_another(ops, slack):
    slack.status(500, times=3)
    for number in range(5):
        ops.put(str(number))
    for lease in delivery.claim(3):
        delivery.work(lease)
    ops.rest()
    assert len(delivery.claim(10)) == 1
    ops.rest()
    assert len(delivery.claim(10)) == 1


def test_a_refusal_for_good_is_no_trouble_of_the_place(ops, slack):
    for number in range(5):
        slack.ok_false("channel_not_found")
        ops.put(str(number))
        delivery.deliver_due(1)
    with in_tenant(ops.tenant_id):
        assert not Destination.objects.filter(failures__gt=0).exists()


def test_a_slow_place_gets_one_at_a_time_until_it_is_quick(ops, slack, monkeypatch):
    monkeypatch.setattr(destinations, "SLOW_MILLISECONDS", 0)
    for number in range(5):
        ops.put(str(number))
    (first,) = delivery.claim(1)
    delivery.work(first)
    assert place(ops).slow
    (second,) = delivery.claim(10)
    assert delivery.claim(10) == []
    monkeypatch.setattr(destinations, "SLOW_MILLISECONDS", 60_000)
    delivery.work(second)
    ops.change("next_at = now() WHERE state = 'pending'")
    assert len(delivery.claim(10)) == 3


# --- fallbacks ---


def test_what_is_given_up_goes_to_the_fallback_at_once(ops, slack, smtp):
    fall_back(ops, mail_channel(ops))
    slack.ok_false("channel_not_found")
    ops.put("1")
    began = time.monotonic()
    delivery.deliver_due(20)
    assert time.monotonic() - began < 5
    (mail,) = smtp.mails
    assert "because #ops could not be reached" in mail.message.as_string()
    (page,) = pages(ops, "email")
    assert page.instead_of == pages(ops, "slack")[0].pk


def test_a_fallback_that_fails_too_has_one_of_its_own(ops, slack, smtp):
    last = mail_channel(ops, "second@acme.example")
    fall_back(ops, mail_channel(ops, "first@acme.example", fallback=last))
    with in_tenant(ops.tenant_id):
        Channel.objects.filter(pk=last.pk).update(fallback=ops.channel)
    slack.ok_false("channel_not_found")
    with in_tenant(ops.tenant_id):
        Channel.objects.filter(slug="first").update(settings={"to": ["no mailbox"]})
    ops.put("1", a_message())
    ops.deliver(rounds=6)
    assert [row.state for row in pages(ops, "email")] == ["dead", "sent"]
    assert [mail.recipients for mail in smtp.mails] == [["second@acme.example"]]
    assert len(pages(ops, "slack")) == 1


def test_a_circle_of_fallbacks_tells_each_place_once(ops, slack, smtp):
    mail = mail_channel(ops)
    fall_back(ops, mail)
    with in_tenant(ops.tenant_id):
        Channel.objects.filter(pk=mail.pk).update(
            fallback=ops.channel, settings={"to": ["no mailbox"]}
        )
    slack.ok_false("channel_not_found", times=9)
    ops.put("1", a_message())
    ops.deliver(rounds=8)
    assert [row.state for row in pages(ops, "slack")] == ["dead"]
    assert [row.state for row in pages(ops, "email")] == ["dead"]


def test_a_person_is_told_by_his_next_address(ops, slack, smtp, acme):
    bob = acme.members["bob"]
    with in_tenant(ops.tenant_id):
        Contact.objects.create(
            tenant_id=acme.id, member=bob, kind="slack", address="UBOB", position=1
        )
        Contact.objects.create(
            tenant_id=acme.id, member=bob, kind="email",
            address="bob@home.example", position=2,
        )  # fmt: skip
    slack.ok_false("user_not_found")
    ops.put("1", address="UBOB", member_id=bob.pk)
    delivery.deliver_due(20)
    (mail,) = smtp.mails
    assert mail.recipients == ["bob@home.example"]


def test_a_person_without_another_address_is_told_by_his_mailbox(
    ops, slack, smtp, acme
):
    bob = acme.members["bob"]
    with in_tenant(ops.tenant_id):
        Contact.objects.create(
            tenant_id=acme.id, member=bob, kind="slack", address="UBOB"
        )
        mailbox = Member.objects.select_related("user").get(pk=bob.pk).user.email
    slack.ok_false("user_not_found")
    ops.put("1", address="UBOB", member_id=bob.pk)
    delivery.deliver_due(20)
    assert smtp.mails[0].recipients == [mailbox]


def test_a_redraw_that_fails_is_told_to_nobody_else(ops, slack, smtp):
    fall_back(ops, mail_channel(ops))
    slack.ok_false("channel_not_found")
    ops.put("1", kind="update")
    delivery.deliver_due(20)
    assert smtp.mails == []


def test_a_page_that_keeps_failing_is_told_elsewhere_once_and_goes_on(ops, slack, smtp):
    fall_back(ops, mail_channel(ops))
    slack.status(500, times=5)
    pk = ops.put("1")
    ops.deliver(rounds=7)
    assert len(smtp.mails) == 1
    assert ops.row(pk).state == "sent"


def test_what_is_stuck_behind_a_place_in_trouble_is_told_elsewhere(ops, slack, smtp):
    fall_back(ops, mail_channel(ops))
    slack.status(500, times=3)
    for number in range(5):
        ops.put(str(number))
    for lease in delivery.claim(3):
        delivery.work(lease)
    assert standing_in.sweep() == 0
    later(ops, standing_in.LATE_SECONDS + 1)
    assert standing_in.sweep() == 5
    assert standing_in.sweep() == 0
    assert len(pages(ops, "email")) == 5


# --- digests ---


def crowd(ops: Outbox, count: int) -> None:
    """Let pages wait for a place that has asked for half an hour."""
    with in_tenant(ops.tenant_id):
        Destination.objects.create(
            tenant_id=ops.tenant_id,
            key=ops.entry("x", a_message()).destination,
            open_at=Now() + timedelta(minutes=30),
        )
    for number in range(count):
        ops.put(str(number), a_message(number=number, severity=1 + number % 5))
    later(ops, digests.PATIENCE_SECONDS + 1)


def test_few_that_wait_are_left_alone(ops):
    crowd(ops, digests.MOST_WAITING)
    assert digests.sweep() == 0


def test_many_that_wait_become_one_that_lists_them(ops, slack):
    crowd(ops, 40)
    assert digests.sweep() == 40 - digests.STAY
    assert digests.sweep() == 0
    states = ops.states()
    assert states.count("merged") == 40 - digests.STAY
    assert states.count("pending") == digests.STAY + 1
    ops.deliver(rounds=3)
    assert len(slack.messages) == digests.STAY + 1
    digest = str(slack.messages[-1])
    assert "37 groups in one message" in digest
    assert "groups/12" in digest
    with in_tenant(ops.tenant_id):
        merged = Delivery.objects.filter(state="merged")
        (into,) = {row.merged_into for row in merged}
        assert into
        assert Delivery.objects.get(pk=into).state == "sent"


def test_the_worst_are_said_by_themselves(ops):
    crowd(ops, 40)
    digests.sweep()
    with in_tenant(ops.tenant_id):
        alone = Delivery.objects.filter(state="pending", message__kind="firing")
        assert set(alone.values_list("severity", flat=True)) == {5}


def test_tools_hear_of_everything_by_itself(ops):
    crowd(ops, 40)
    ops.change("channel_kind = 'webhook'")
    assert digests.sweep() == 0


def test_a_digest_is_not_put_into_a_digest(ops):
    crowd(ops, 40)
    digests.sweep()
    for number in range(100, 130):
        ops.put(str(number), a_message(number=number))
    later(ops, 60)
    digests.sweep()
    with in_tenant(ops.tenant_id):
        found = Delivery.objects.filter(message__kind="digest")
        assert [row.state for row in found] == ["pending"] * 2


def test_a_page_in_a_digest_gets_no_redraws_of_its_own(ops):
    crowd(ops, 40)
    digests.sweep()
    with in_tenant(ops.tenant_id):
        row = Delivery.objects.filter(state="merged")[0]
        assert row.group_id
        message = a_message(group_id=str(row.group_id), state="resolved")
        assert outbox.refresh(ops.tenant_id, row.group_id, message, version=9) == 0


def test_what_is_known_of_places_is_no_secret_canary(ops, slack):
    slack.status(500, times=3)
    for number in range(3):
        ops.put(str(number))
    delivery.deliver_due(3)
    assert "xoxb" not in json.dumps(place(ops).why)
