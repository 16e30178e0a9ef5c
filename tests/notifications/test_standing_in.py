"""Who is told in the place of another, when, and how often? The hard cases."""

from __future__ import annotations

from datetime import time
from uuid import UUID

import pytest
from django.db.models.functions import Now

from notifications import delivery, digests, outbox, standing_in
from notifications.models import Channel, Contact, Delivery, Destination
from notifications.models.personal import PersonalRule, QuietHours, every_day
from notifications.standing_in import LATE_SECONDS
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


def fallback(ops: Outbox, kind: str = "email", **given) -> Channel:
    """Give #ops a fallback."""
    settings = {"email": {"to": ["boss@acme.example"]}}.get(kind, {})
    with in_tenant(ops.tenant_id):
        made = Channel.objects.create(
            tenant_id=ops.tenant_id, kind=kind, slug=f"fallback-{kind}", name=kind,
            settings=settings, **given,
        )  # fmt: skip
        Channel.objects.filter(pk=ops.channel.pk).update(fallback=made)
    return made


def in_trouble(ops: Outbox, address: str = "", **state) -> None:
    """Let #ops, or a person in its Slack, be a place that rests."""
    with in_tenant(ops.tenant_id):
        key = ops.entry("x", a_message(), address=address).destination
        Destination.objects.create(
            tenant_id=ops.tenant_id, key=key, **({"failures": 3} | state)
        )


def late(ops: Outbox) -> None:
    ops.change(f"created_at = created_at - interval '{LATE_SECONDS + 1} seconds'")


def told(ops: Outbox) -> list[Delivery]:
    """Return the deliveries in another's place, in their order."""
    with in_tenant(ops.tenant_id):
        rows = Delivery.objects.filter(instead_of__isnull=False)
        return list(rows.order_by("id"))


def bobs(ops: Outbox, bob, *addresses: tuple[str, str]) -> None:
    with in_tenant(ops.tenant_id):
        for position, (kind, address) in enumerate(addresses):
            Contact.objects.create(
                tenant_id=ops.tenant_id, member=bob, kind=kind, address=address,
                position=position,
            )  # fmt: skip


def test_a_later_step_is_not_passed_on_before_its_time(ops, slack):
    fallback(ops)
    in_trouble(ops)
    pk = ops.put("1", delay_seconds=600)
    late(ops)
    assert standing_in.sweep() == 0
    ops.change("next_at = now()")
    assert standing_in.sweep() == 0
    ops.change(f"next_at = now() - interval '{LATE_SECONDS + 1} seconds'")
    assert standing_in.sweep() == 1
    assert [row.instead_of for row in told(ops)] == [pk]


def test_a_page_that_keeps_failing_does_not_go_round_all_addresses(
    ops, slack, smtp, acme
):
    bob = acme.members["bob"]
    bobs(
        ops, bob, ("slack", "UBOB"), ("email", "1@bob.example"),
        ("email", "2@bob.example"), ("email", "3@bob.example"),
    )  # fmt: skip
    slack.status(500, times=20)
    pk = ops.put("1", address="UBOB", member_id=bob.pk)
    ops.deliver(rounds=10)
    assert ops.row(pk).state == "dead"
    assert [row.address for row in told(ops)] == ["1@bob.example"]


def test_the_sweep_passes_on_nothing_that_an_attempt_has_passed_on(
    ops, slack, smtp, acme
):
    bob = acme.members["bob"]
    bobs(
        ops, bob, ("slack", "UBOB"), ("email", "1@bob.example"),
        ("email", "2@bob.example"),
    )  # fmt: skip
    slack.status(500, times=3)
    ops.put("1", address="UBOB", member_id=bob.pk)
    ops.deliver(rounds=3)
    late(ops)
    standing_in.sweep()
    assert [row.address for row in told(ops)] == ["1@bob.example"]


def test_an_address_of_a_later_step_may_stand_in_now(ops, slack, smtp, acme):
    bob = acme.members["bob"]
    bobs(ops, bob, ("slack", "UBOB"), ("email", "bob@home.example"))
    slack.ok_false("user_not_found")
    message = a_message()
    ops.put("1", message, address="UBOB", member_id=bob.pk)
    ops.put(
        "2", message, address="bob@home.example", member_id=bob.pk,
        channel_kind="email", channel_id=None, delay_seconds=600,
    )  # fmt: skip
    delivery.deliver_due(20)
    assert [mail.recipients for mail in smtp.mails] == [["bob@home.example"]]


def test_a_place_that_asks_for_a_long_wait_is_passed_over(ops, slack, smtp):
    fallback(ops)
    slack.rate_limited(7200)
    ops.put("1")
    delivery.deliver_due(20)
    ops.put("2")
    assert standing_in.sweep() == 0
    late(ops)
    assert standing_in.sweep() == 2
    delivery.deliver_due(20)
    assert len(smtp.mails) == 2


def test_a_place_that_asks_for_a_short_wait_is_not(ops, slack):
    fallback(ops)
    slack.rate_limited(LATE_SECONDS // 2)
    ops.put("1")
    delivery.deliver_due(20)
    late(ops)
    assert standing_in.sweep() == 0


@pytest.mark.parametrize(
    "doubtful",
    ["state = 'ambiguous'", "state = 'leased', lease_until = now() - interval '1 s'"],
)
def test_what_is_in_doubt_behind_a_place_in_trouble_is_told_elsewhere(
    ops, slack, doubtful
):
    fallback(ops)
    in_trouble(ops)
    ops.put("1")
    late(ops)
    ops.change(doubtful)
    assert standing_in.sweep() == 1
    assert len(told(ops)) == 1


def test_a_message_nobody_can_read_hides_no_other_from_the_sweep(ops, slack):
    fallback(ops)
    in_trouble(ops)
    ops.put("1")
    ops.change("message = jsonb_build_object('nonsense', 1)")
    fine = ops.put("2")
    late(ops)
    standing_in.sweep()
    assert [row.instead_of for row in told(ops)] == [fine]
    assert standing_in.sweep() == 0


def test_a_message_nobody_can_read_is_given_up_in_the_end(ops, slack):
    fallback(ops)
    pk = ops.put("1")
    ops.change("message = jsonb_build_object('nonsense', 1)")
    ops.deliver(rounds=10)
    assert ops.row(pk).state == "dead"
    assert told(ops) == []


def test_a_tool_gets_each_page_of_a_digest_that_it_stands_in_for(ops, slack):
    fallback(ops, "pagerduty", secret='{"routing_key": "x"}')
    in_trouble(ops, open_at=Now())
    groups = [ops.put(str(n), a_message(number=n, title=f"No {n}")) for n in range(20)]
    late(ops)
    assert digests.sweep() == len(groups) - digests.STAY
    late(ops)
    assert standing_in.sweep() == digests.STAY + 1
    found = told(ops)
    assert {row.message["title"] for row in found} == {f"No {n}" for n in range(20)}
    assert all(row.group_id for row in found)


def test_people_get_the_digest_itself(ops, slack):
    fallback(ops)
    in_trouble(ops)
    for number in range(20):
        ops.put(str(number))
    late(ops)
    digests.sweep()
    late(ops)
    standing_in.sweep()
    kinds = [row.message["kind"] for row in told(ops)]
    assert kinds.count("digest") == 1
    assert len(kinds) == digests.STAY + 1


def test_what_is_acknowledged_meanwhile_is_passed_on_to_nobody(ops, slack):
    fallback(ops)
    in_trouble(ops)
    message = a_message()
    ops.put("1", message)
    late(ops)
    standing_in.sweep()
    with in_tenant(ops.tenant_id):
        outbox.cancel_pages(ops.tenant_id, [UUID(message.group_id)])
    assert ops.states() == ["cancelled", "cancelled"]


def test_a_fallback_that_is_off_passes_on_to_its_own(ops, slack, smtp):
    second = fallback(ops, active=False)
    with in_tenant(ops.tenant_id):
        third = Channel.objects.create(
            tenant_id=ops.tenant_id, kind="email", slug="third", name="third",
            settings={"to": ["third@acme.example"]},
        )  # fmt: skip
        Channel.objects.filter(pk=second.pk).update(fallback=third)
    slack.ok_false("channel_not_found")
    ops.put("1")
    delivery.deliver_due(20)
    assert [mail.recipients for mail in smtp.mails] == [["third@acme.example"]]


def test_fallbacks_that_are_off_and_name_each_other_are_no_endless_road(ops, slack):
    second = fallback(ops, active=False)
    with in_tenant(ops.tenant_id):
        Channel.objects.filter(pk=second.pk).update(fallback=second)
    slack.ok_false("channel_not_found")
    pk = ops.put("1")
    delivery.deliver_due(20)
    assert (ops.row(pk).state, told(ops)) == ("dead", [])


@pytest.mark.parametrize(
    ("severity", "how", "address", "later"),
    [
        (3, "hold", "second@bob.example", True),
        (3, "mail", "bob@home.example", False),
        (5, "hold", "second@bob.example", False),
    ],
)
def test_a_persons_quiet_hours_hold_for_what_stands_in(
    ops, slack, acme, severity, how, address, later
):
    bob = acme.members["bob"]
    bobs(ops, bob, ("slack", "UBOB"), ("ntfy", "second@bob.example"),
         ("email", "bob@home.example"))  # fmt: skip
    with in_tenant(ops.tenant_id):
        Channel.objects.create(
            tenant_id=ops.tenant_id, kind="ntfy", slug="n", name="n", settings={}
        )
        given = {"tenant_id": ops.tenant_id, "member": bob}
        PersonalRule.objects.create(**given, quiet_how=how)
        QuietHours.objects.create(
            **given, days=every_day(), begins=time(0), ends=time(23, 59, 59, 999999)
        )
    message = a_message(severity=severity)
    pk = ops.put("1", message, address="UBOB", member_id=bob.pk, severity=severity)
    with in_tenant(ops.tenant_id):
        standing_in.pass_on(ops.tenant_id, Delivery.objects.get(pk=pk))
    (row,) = told(ops)
    assert (row.address, row.put_off) == (address, later)
