"""What follows from an attempt? Retries, rate limits, doubts, and the timeline."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from notifications import delivery, settling
from notifications.channels.base import DeliveryError
from notifications.leases import Lease
from notifications.models import Channel, Thread
from notifications.settling import Outcome, judge, pause
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message, a_parcel, acknowledged

pytestmark = pytest.mark.django_db(transaction=True)


def a_lease(**changes) -> Lease:
    given: dict[str, Any] = {
        "id": UUID(int=1), "tenant_id": UUID(int=2), "fence": 1, "attempts": 1,
        "doubts": 0, "lost": False, "kind": "page", "channel_kind": "slack",
        "channel_id": None, "correlation_id": "",
    }  # fmt: skip
    return Lease(**given | changes)


def test_a_page_arrives_and_all_is_written_down(ops, slack):
    pk = ops.put("1")
    assert delivery.deliver_due(20) == 1
    row = ops.row(pk)
    (shown,) = slack.messages
    assert (row.state, row.provider_id, row.attempts) == ("sent", shown.ts, 1)
    assert row.sent_at is not None
    assert row.next_at is None
    assert ops.outcomes(pk) == ["sent"]
    with in_tenant(ops.tenant_id):
        thread = Thread.objects.get()
    assert (thread.provider_channel, thread.provider_ts) == ("C1", shown.ts)


def test_a_delivery_leaves_a_line_in_the_log(ops, slack, caplog):
    pk = ops.put("1")
    with caplog.at_level("INFO", logger="notifications.settling"):
        ops.deliver()
    (record,) = caplog.records
    assert record.getMessage().startswith("delivery_sent: page by slack")
    assert record.delivery == pk
    assert record.correlation_id == ops.row(pk).correlation_id


def test_a_refresh_redraws_the_page_and_adds_a_line(ops, slack):
    message = a_message()
    ops.put("1", message)
    ops.refresh(acknowledged(message), 2)
    ops.deliver(3)
    (shown,) = slack.messages
    assert len(shown.edits) == 1
    assert "Alice" in shown.replies[0]["text"]
    assert set(ops.states()) == {"sent"}


def test_no_transaction_is_open_while_something_is_sent(ops, monkeypatch):
    ops.put("1")
    seen: list[str] = []

    def look(_parcel):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                "current_database() AND state LIKE 'idle in transaction%'"
            )
            seen.append(str(cursor.fetchone()[0]))
        raise DeliveryError("seen enough", permanent=True)

    monkeypatch.setattr("notifications.channels.slack.send", look)
    delivery.deliver_due(20)
    assert seen == ["0"]


def test_sending_inside_a_transaction_is_refused(ops):
    with in_tenant(ops.tenant_id), pytest.raises(RuntimeError, match="transaction"):
        delivery.send(a_parcel())


def test_a_server_error_is_tried_again_later(ops, slack):
    slack.status(500)
    pk = ops.put("1")
    ops.deliver()
    row = ops.row(pk)
    assert (row.state, row.attempts) == ("pending", 1)
    assert row.next_at > timezone.now()
    assert "500" in row.error
    ops.deliver()
    assert ops.row(pk).state == "sent"
    assert ops.row(pk).error == ""
    assert ops.outcomes(pk) == ["retry", "sent"]


def test_what_a_person_must_repair_is_given_up_at_once(ops, slack):
    slack.ok_false("channel_not_found")
    pk = ops.put("1")
    ops.deliver(2)
    assert (ops.row(pk).state, ops.row(pk).error) == ("dead", "channel_not_found")
    assert len(slack.requests) == 1


def test_after_eight_attempts_it_is_given_up(ops, slack):
    slack.status(503, times=20)
    pk = ops.put("1")
    ops.deliver(12)
    assert (ops.row(pk).state, len(slack.requests)) == ("dead", 8)


def test_a_rate_limit_is_obeyed_for_the_whole_channel_and_costs_no_attempt(ops, slack):
    slack.rate_limited(30)
    first = ops.put("1")
    delivery.deliver_due(20)
    row = ops.row(first)
    assert (row.state, row.attempts) == ("pending", 0)
    assert (row.next_at - timezone.now()).total_seconds() > 28
    assert ops.outcomes(first) == ["ratelimited"]


def test_what_waits_for_a_limited_channel_waits_as_well(ops, slack, globex):
    slack.rate_limited(30)
    ops.put("1", a_message(severity=5))
    waiting = ops.put("2", a_message(severity=1))
    (lease,) = delivery.claim(1)
    other = Outbox(globex.id, slack.url).put("1")
    delivery.work(lease)
    later = ops.put("3")
    assert [lease.id for lease in delivery.claim(10)] == [other]
    ops.rest()
    ops.change("next_at = now() WHERE fence > 0 AND state = 'pending'")
    assert {lease.id for lease in delivery.claim(10)} == {lease.id, waiting, later}


def test_a_page_in_doubt_is_sent_once_more_and_no_oftener(ops, slack):
    slack.reset_after_read(times=5, acted=False)
    pk = ops.put("1")
    ops.deliver()
    assert (ops.row(pk).state, ops.row(pk).doubts) == ("ambiguous", 1)
    (lease,) = claim_now(ops)
    delivery.work(lease)
    row = ops.row(pk)
    assert (row.state, row.doubts, row.next_at) == ("ambiguous", 2, None)
    assert delivery.deliver_due(20) == 0
    assert len(slack.requests) == 2


def claim_now(ops):
    with in_tenant(ops.tenant_id), connection.cursor() as cursor:
        cursor.execute("UPDATE delivery SET next_at = now() WHERE next_at IS NOT NULL")
    return delivery.claim(20)


def test_a_redraw_in_doubt_is_simply_drawn_again(ops, slack):
    message = a_message()
    ops.put("1", message)
    ops.deliver()
    ops.refresh(a_message(group_id=message.group_id), 2)
    slack.reset_after_read(times=2)
    for _ in range(3):
        for lease in claim_now(ops):
            delivery.work(lease)
    assert ops.states() == ["sent", "sent"]


def test_the_upper_rooms_hear_when_a_page_is_settled(ops, slack, monkeypatch):
    heard: list[tuple[UUID, str]] = []
    monkeypatch.setattr(
        settling, "on_settled", [lambda tenant, row: heard.append((tenant, row.state))]
    )
    ops.put("1")
    ops.deliver()
    slack.ok_false("invalid_auth")
    ops.put("2")
    delivery.deliver_due(20)
    assert heard == [(ops.tenant_id, "sent"), (ops.tenant_id, "dead")]


def test_a_listener_that_fails_does_not_make_it_be_sent_twice(ops, slack, monkeypatch):
    def fail(_tenant, _row):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(settling, "on_settled", [fail])
    pk = ops.put("1")
    ops.deliver()
    assert ops.row(pk).state == "sent"


def test_an_outcome_is_written_down_after_the_database_came_back(
    ops, slack, monkeypatch
):
    real, calls = settling.settle, []

    def away_at_first(*args):
        calls.append(args)
        if len(calls) == 1:
            raise OperationalError("terminating connection")
        return real(*args)

    monkeypatch.setattr(delivery, "settle", away_at_first)
    pk = ops.put("1")
    ops.deliver()
    assert (ops.row(pk).state, len(slack.requests)) == ("sent", 1)


def test_a_vendor_who_does_not_answer_holds_up_nobody_else(ops, slack, globex):
    slack.slow(5.0)
    stuck = ops.put("1", a_message(severity=5))
    (lease,) = delivery.claim(1)
    assert lease.id == stuck
    with in_tenant(ops.tenant_id), connection.cursor() as cursor:
        cursor.execute("UPDATE delivery SET state = 'pending', fence = 0")
    others = [ops.put(str(n), a_message(severity=3)) for n in range(2, 8)]
    began = time.monotonic()
    delivery.deliver_due(50)
    assert time.monotonic() - began < 9
    rows = [ops.row(pk) for pk in others]
    assert all(row.state == "sent" for row in rows)
    assert max(row.sent_at for row in rows) < ops.row(stuck).sent_at


def test_our_own_mistake_while_sending_leaves_doubt(ops, monkeypatch):
    def mistaken(_parcel):
        raise KeyError("ts")

    monkeypatch.setattr("notifications.channels.slack.send", mistaken)
    one, other = ops.put("1"), ops.put("2")
    assert delivery.deliver_due(20) == 2
    assert ops.row(one).state == ops.row(other).state == "ambiguous"


def test_a_channel_that_is_switched_off_sends_nothing(ops, slack):
    pk = ops.put("1")
    with in_tenant(ops.tenant_id):
        Channel.objects.update(active=False)
    ops.deliver()
    assert (ops.row(pk).state, slack.requests) == ("dead", [])


def test_a_message_nobody_can_read_does_not_stop_the_others(ops, slack):
    broken = ops.put("1")
    ops.change("message = '{}'")
    fine = ops.put("2")
    ops.deliver()
    assert ops.row(broken).state == "pending"
    assert ops.row(fine).state == "sent"


@pytest.mark.django_db(transaction=False)
@pytest.mark.parametrize(
    ("error", "lease", "verdict"),
    [
        (DeliveryError("x"), {}, ("retry", "pending", False)),
        (DeliveryError("x", permanent=True), {}, ("dead", "dead", True)),
        (DeliveryError("x"), {"attempts": 8}, ("dead", "dead", True)),
        (DeliveryError("x", retry_after=5), {"attempts": 8},
         ("ratelimited", "pending", False)),
        (DeliveryError("x", ambiguous=True), {}, ("ambiguous", "ambiguous", False)),
        (DeliveryError("x", ambiguous=True), {"doubts": 1},
         ("ambiguous", "ambiguous", True)),
        (DeliveryError("x", ambiguous=True), {"kind": "update", "doubts": 1},
         ("retry", "pending", False)),
    ],
)  # fmt: skip
def test_what_follows_from_an_error(error, lease, verdict):
    found = judge(a_lease(**lease), Outcome(1, error=error))
    assert (found.outcome, found.state, found.settled) == verdict


def test_pauses_are_jittered_bounded_and_never_shorter_than_asked():
    for attempts in range(1, 12):
        waits = [pause(attempts) for _ in range(200)]
        assert min(waits) >= 1.0
        assert max(waits) <= min(300.0, 3.0**attempts)
    assert len({pause(3) for _ in range(20)}) > 10
    assert all(30 <= pause(1, 30.0) <= 35 for _ in range(100))


def test_a_lost_database_error_is_not_swallowed_for_ever(ops, monkeypatch):
    monkeypatch.setattr(delivery, "SETTLE_PAUSES", (0.0, 0.0))

    def away(*_args):
        raise OperationalError("gone")

    monkeypatch.setattr(delivery, "settle", away)
    ops.put("1")
    with pytest.raises(DatabaseError):
        ops.deliver()
