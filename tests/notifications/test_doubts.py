"""What may have arrived stays in doubt until it is settled, whatever comes between."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from notifications import delivery
from notifications.claiming import claim
from notifications.models import Channel, Delivery, Destination
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


def die(ops: Outbox) -> None:
    """Let whoever holds leases have died."""
    ops.change("lease_until = now() - interval '1 second' WHERE state = 'leased'")


def a_place(ops: Outbox, **state) -> None:
    with in_tenant(ops.tenant_id):
        key = ops.entry("x", a_message()).destination
        Destination.objects.create(tenant_id=ops.tenant_id, key=key, **state)


def place(ops: Outbox) -> Destination:
    with in_tenant(ops.tenant_id):
        return Destination.objects.get()


def fall_back_on_mail(ops: Outbox) -> None:
    with in_tenant(ops.tenant_id):
        mail = Channel.objects.create(
            tenant_id=ops.tenant_id, kind="email", slug="mail", name="Mail",
            settings={"to": ["boss@acme.example"]},
        )  # fmt: skip
        Channel.objects.filter(pk=ops.channel.pk).update(fallback=mail)


def test_what_its_sender_left_stays_in_doubt_when_it_is_put_back_at_the_door(ops):
    first, second = ops.put("1"), ops.put("2")
    assert len(claim(10)) == 2
    die(ops)
    a_place(ops, failures=3)
    (trial,) = claim(10)  # one tries the place, the other is put back
    waiting = ({first, second} - {trial.id}).pop()
    row = ops.row(waiting)
    assert (row.state, row.doubts, row.attempts) == ("ambiguous", 1, 1)
    assert ops.outcomes(waiting) == ["lost"]
    ops.rest()
    found = {lease.id: lease for lease in claim(10)}
    assert found[waiting].in_doubt


def test_what_its_sender_left_stays_in_doubt_after_a_failure(ops, slack):
    ops.put("1")
    claim(10)
    die(ops)
    slack.status(500)
    (heir,) = claim(10)
    delivery.work(heir)
    ops.change("next_at = now()")
    (third,) = claim(10)
    assert third.in_doubt


def test_a_page_that_stays_in_doubt_is_told_elsewhere_too(ops, slack, smtp):
    fall_back_on_mail(ops)
    slack.reset_after_read(times=5, acted=False)
    pk = ops.put("1")
    ops.deliver()
    assert smtp.mails == []
    ops.deliver()
    assert (ops.row(pk).state, ops.row(pk).next_at) == ("ambiguous", None)
    ops.deliver()
    assert len(smtp.mails) == 1
    assert len(slack.requests) == 2


def test_a_message_nobody_can_read_says_nothing_about_its_place(ops, slack):
    for number in range(4):
        ops.put(str(number))
    ops.change("message = '{}'")
    ops.deliver()
    with in_tenant(ops.tenant_id):
        assert not Destination.objects.filter(failures__gt=0).exists()


def test_what_is_not_sent_does_not_make_a_place_well(ops, slack):
    a_place(ops, failures=5, open_at=Now())
    with in_tenant(ops.tenant_id):
        Channel.objects.update(active=False)
    ops.put("1")
    ops.deliver()
    assert ops.states() == ["dead"]
    assert place(ops).failures == 5


def test_a_place_that_only_ever_asks_to_wait_is_given_up_in_the_end(ops, slack, smtp):
    fall_back_on_mail(ops)
    slack.rate_limited(1, times=30)
    pk = ops.put("1")
    ops.deliver(rounds=12)
    assert ops.row(pk).state == "pending"
    ops.change("created_at = created_at - interval '2 hours'")
    ops.deliver(rounds=12)
    assert ops.row(pk).state == "dead"
    assert len(smtp.mails) == 1


def test_a_listener_that_cannot_go_on_does_not_make_it_be_sent_twice(
    ops, slack, monkeypatch
):
    def broken(_tenant_id, _delivery: Delivery) -> None:
        raise ValueError

    monkeypatch.setattr("notifications.settling.on_settled", [broken])
    pk = ops.put("1")
    ops.deliver()
    assert ops.row(pk).state == "sent"
