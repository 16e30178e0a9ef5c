"""How promised messages leave: in order, fairly, by one sender, each told once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from notifications import delivery, outbox, settling, tasks
from notifications.channels.base import DeliveryError, Receipt
from notifications.models import Attempt, Delivery, Thread
from tenants.rls import in_tenant
from tests.fakes.slack import FakeSlack
from tests.notifications.scene import Outbox, a_message, a_parcel, acknowledged

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def settled(monkeypatch) -> list[tuple[UUID, str]]:
    """Deliveries that upper rooms were told about: id and state."""
    told: list[tuple[UUID, str]] = []
    listener = lambda _tenant, row: told.append((row.pk, row.state))  # noqa: E731
    monkeypatch.setattr(settling, "on_settled", [listener])
    return told


# --- the whole way ---


def test_a_page_arrives_once_and_is_told_once(ops: Outbox, slack: FakeSlack, settled):
    pk = ops.put("a")
    assert delivery.deliver_due() == 1
    assert delivery.deliver_due() == 0
    row = ops.row(pk)
    assert (row.state, row.attempts, row.error) == ("sent", 1, "")
    assert row.provider_id == slack.messages[0].ts
    assert row.sent_at is not None
    assert ops.outcomes(pk) == ["sent"]
    assert settled == [(pk, "sent")]


def test_what_happens_later_redraws_the_page_and_adds_a_line(ops, slack):
    message = a_message()
    ops.put("a", message)
    delivery.deliver_due()
    ops.refresh(acknowledged(message), version=2)
    ops.deliver(rounds=3)
    (seen,) = slack.messages
    assert len(seen.edits) == 1
    assert "Acknowledged by Alice" in str(seen)
    assert [line["text"] for line in seen.replies] == ["Alice acknowledged."]
    assert set(ops.states()) == {"sent"}


def test_a_second_level_on_the_same_channel_goes_into_the_thread(ops, slack):
    message = a_message()
    ops.put("level-1", message)
    ops.put("level-2", message)
    ops.deliver(rounds=2)
    (seen,) = slack.messages
    assert len(seen.replies) == 1
    with in_tenant(ops.tenant_id):
        assert Thread.objects.get().provider_ts == seen.ts


def test_a_deleted_conversation_begins_anew_and_is_redrawn_there(ops, slack):
    message = a_message()
    ops.put("level-1", message)
    delivery.deliver_due()
    slack.messages.clear()
    ops.put("level-2", message)
    delivery.deliver_due()
    ops.refresh(acknowledged(message), version=2)
    ops.deliver(rounds=2)
    (seen,) = slack.messages
    assert "Acknowledged by Alice" in str(seen)
    assert len(seen.replies) == 1


def test_a_mailbox_is_told_of_the_acknowledgement_by_a_mail(ops):
    message = a_message()
    address = {"channel_id": None, "channel_kind": "email", "address": "b@acme.example"}
    ops.put("a", message, **address)
    assert ops.refresh(acknowledged(message), version=2) == 1
    assert ops.refresh(message, version=3) == 0
    with in_tenant(ops.tenant_id):
        kinds = Delivery.objects.order_by("id").values_list("kind", flat=True)
        assert list(kinds) == ["page", "reply"]


def test_nothing_is_sent_while_a_transaction_is_open(ops, monkeypatch):
    open_while_sending = []

    class Spy:
        @staticmethod
        def send(_parcel):
            open_while_sending.append(connection.in_atomic_block)
            return Receipt()

    monkeypatch.setattr(delivery, "channel_of", lambda _kind: Spy)
    ops.put("a")
    delivery.deliver_due()
    assert open_while_sending == [False]
    with transaction.atomic(), pytest.raises(RuntimeError):
        delivery.send(a_parcel())


# --- promises ---


def test_a_promise_made_twice_is_one_promise(ops, nudged):
    message = a_message()
    first = ops.put("a", message)
    assert ops.put("a", message) is None
    assert nudged == [str(first)]


def test_a_promise_of_a_transaction_that_fails_was_never_made(ops, nudged):
    with in_tenant(ops.tenant_id):
        outbox.put(ops.tenant_id, [ops.entry("a", a_message())])
        transaction.set_rollback(True)
    assert ops.states() == []
    assert nudged == []


def test_very_long_addresses_can_be_promised(ops):
    pk = ops.put(
        "i" * 500, kind="answer", address="https://hooks.slack.com/" + "x" * 370
    )
    assert len(ops.row(pk).lane) <= 200


def test_redraws_that_wait_become_one(ops):
    message = a_message()
    ops.put("a", message)
    ops.refresh(a_message(group_id=message.group_id, firing_count=2), version=2)
    ops.refresh(a_message(group_id=message.group_id, firing_count=9), version=3)
    with in_tenant(ops.tenant_id):
        (waiting,) = Delivery.objects.filter(kind="update")
    assert waiting.message["firing_count"] == 9


def test_a_redraw_that_is_being_sent_is_not_overwritten(ops):
    message = a_message()
    ops.put("a", message)
    delivery.deliver_due()
    ops.refresh(message, version=2)
    (lease,) = delivery.claim(5)
    ops.refresh(message, version=3)
    delivery.work(lease)
    assert ops.states() == ["sent", "sent", "pending"]


def test_pages_nobody_needs_any_more_are_cancelled(ops, slack):
    wanted, other = a_message(), a_message()
    ops.put("a", wanted)
    ops.put("b", other)
    with in_tenant(ops.tenant_id):
        assert outbox.cancel_pages(ops.tenant_id, [UUID(wanted.group_id)]) == 1
    ops.deliver(rounds=2)
    assert ops.states() == ["cancelled", "sent"]
    assert len(slack.messages) == 1


def test_a_page_that_is_being_sent_is_not_cancelled(ops):
    message = a_message()
    ops.put("a", message)
    (lease,) = delivery.claim(5)
    with in_tenant(ops.tenant_id):
        assert outbox.cancel_pages(ops.tenant_id, [UUID(message.group_id)]) == 0
    delivery.work(lease)
    assert ops.states() == ["sent"]


# --- order and fairness ---


def test_in_a_lane_the_next_waits_for_the_one_before(ops, slack):
    message = a_message()
    slack.status(500)
    ops.put("first", message)
    second = ops.put("second", message)
    assert delivery.deliver_due() == 1
    assert delivery.deliver_due() == 0
    assert ops.row(second).attempts == 0
    ops.deliver(rounds=2)
    assert [call.json["metadata"]["event_payload"] for call in slack.requests][-1] == {
        "delivery_id": str(second)
    }
    assert ops.states() == ["sent", "sent"]


def test_what_was_given_up_does_not_hold_up_its_lane(ops, slack):
    message = a_message()
    slack.ok_false("channel_not_found")
    ops.put("first", message)
    ops.put("second", message)
    ops.deliver(rounds=2)
    assert ops.states() == ["dead", "sent"]


def test_pages_go_before_the_rest_and_the_worse_first(ops):
    ops.put("reply", kind="reply", severity=5)
    mild = ops.put("mild", severity=2)
    grave = ops.put("grave", severity=5)
    assert [delivery.claim(1)[0].id for _ in range(2)] == [grave, mild]


def test_a_storm_of_one_tenant_does_not_delay_another(ops, globex):
    for number in range(30):
        ops.put(f"storm-{number}")
    theirs = Outbox(globex.id).put("one")
    claimed = [lease.id for lease in delivery.claim(2)]
    assert theirs in claimed


def test_what_is_young_is_left_to_the_workers(ops):
    ops.put("a")
    assert delivery.claim(5, older_than=timedelta(seconds=3)) == []
    ops.change("next_at = now() - interval '4 seconds'")
    assert len(delivery.claim(5, older_than=timedelta(seconds=3))) == 1


# --- leases and fences ---


def test_what_is_leased_is_nobody_elses(ops):
    ops.put("a")
    assert len(delivery.claim(5)) == 1
    assert delivery.claim(5) == []


def test_when_a_sender_dies_another_sends(ops, slack):
    pk = ops.put("a")
    delivery.claim(5)
    ops.change("lease_until = now() - interval '1 second'")
    (again,) = delivery.claim(5)
    assert (again.fence, again.attempts, again.in_doubt) == (2, 2, True)
    delivery.work(again)
    assert ops.row(pk).state == "sent"
    assert len(slack.messages) == 1


def test_a_sender_who_comes_back_too_late_changes_nothing(ops, monkeypatch, settled):
    pk = ops.put("a")
    (late,) = delivery.claim(5)
    send = delivery.send

    def slowly(parcel):
        receipt = send(parcel)
        ops.change("lease_until = now() - interval '1 second'")
        monkeypatch.setattr(delivery, "send", send)
        (other,) = delivery.claim(5)
        delivery.work(other)
        return receipt

    monkeypatch.setattr(delivery, "send", slowly)
    delivery.work(late)
    row = ops.row(pk)
    assert (row.state, row.fence) == ("sent", 2)
    assert settled == [(pk, "sent")]


def test_a_late_failure_does_not_undo_a_success(ops, monkeypatch):
    pk = ops.put("a")
    (late,) = delivery.claim(5)
    send = delivery.send

    def slowly(_parcel):
        ops.change("lease_until = now() - interval '1 second'")
        monkeypatch.setattr(delivery, "send", send)
        (other,) = delivery.claim(5)
        delivery.work(other)
        raise DeliveryError("no answer", ambiguous=True)

    monkeypatch.setattr(delivery, "send", slowly)
    delivery.work(late)
    assert ops.row(pk).state == "sent"


# --- failures ---


def test_told_to_wait_we_wait_so_long_and_count_no_attempt(ops, slack):
    slack.rate_limited(120)
    pk = ops.put("a")
    delivery.deliver_due()
    row = ops.row(pk)
    assert (row.state, row.attempts) == ("pending", 0)
    with in_tenant(ops.tenant_id), connection.cursor() as cursor:
        cursor.execute("SELECT next_at - now() > interval '119 s' FROM delivery")
        assert cursor.fetchone() == (True,)
    assert ops.outcomes(pk) == ["ratelimited"]
    assert delivery.deliver_due() == 0


def test_a_storm_of_waits_gives_nothing_up(ops, slack):
    slack.rate_limited(1, times=12)
    pk = ops.put("a")
    ops.deliver(rounds=13)
    assert ops.row(pk).state == "sent"


def test_after_eight_failures_it_is_given_up_and_told(ops, slack, settled):
    slack.status(500, times=8)
    pk = ops.put("a")
    ops.deliver(rounds=10)
    row = ops.row(pk)
    assert (row.state, row.attempts, row.next_at) == ("dead", 8, None)
    assert "500" in row.error
    assert ops.outcomes(pk) == ["retry"] * 7 + ["dead"]
    assert settled == [(pk, "dead")]
    assert slack.messages == []


def test_what_a_person_must_repair_is_given_up_at_once(ops, slack, settled):
    slack.ok_false("not_in_channel")
    pk = ops.put("a")
    ops.deliver(rounds=2)
    assert ops.row(pk).error == "not_in_channel"
    assert settled == [(pk, "dead")]


def test_in_doubt_it_is_sent_once_more_and_never_again(ops, slack, settled):
    slack.reset_after_read(times=5)
    pk = ops.put("a")
    delivery.deliver_due()
    assert ops.row(pk).state == "ambiguous"
    ops.deliver(rounds=4)
    row = ops.row(pk)
    assert (row.state, row.doubts, row.next_at) == ("ambiguous", 2, None)
    assert ops.outcomes(pk) == ["ambiguous", "ambiguous"]
    assert len(slack.requests) == 2
    assert settled == [(pk, "ambiguous")]


def test_in_doubt_a_second_try_that_arrives_settles_it(ops, slack):
    slack.reset_after_read()
    pk = ops.put("a")
    ops.deliver(rounds=2)
    assert ops.row(pk).state == "sent"
    twins = {str(m.json["metadata"]["event_payload"]) for m in slack.messages}
    assert twins == {str({"delivery_id": str(pk)})}


def test_a_program_error_while_sending_leaves_doubt(ops, monkeypatch):
    class Broken:
        @staticmethod
        def send(_parcel):
            raise KeyError("ts")

    monkeypatch.setattr(delivery, "channel_of", lambda _kind: Broken)
    pk = ops.put("a")
    other = ops.put("b")
    assert delivery.deliver_due() == 2
    assert ops.row(pk).state == ops.row(other).state == "ambiguous"


def test_a_channel_that_is_off_takes_nothing(ops, slack):
    pk = ops.put("a")
    with in_tenant(ops.tenant_id):
        ops.channel.active = False
        ops.channel.save()
    ops.deliver()
    assert ops.row(pk).state == "dead"
    assert slack.requests == []


def test_the_pause_grows_and_is_never_shorter_than_asked():
    for attempts in range(1, 12):
        assert 1 <= settling.pause(attempts) <= min(300, 3**attempts)
        assert settling.pause(attempts, 90) >= 90


# --- Celery ---


def test_a_worker_sends_all_that_is_due(ops, slack):
    for number in range(9):
        ops.put(str(number))
    assert tasks.deliver([]) == 9
    assert len(slack.messages) == 9


def test_an_outsider_sees_nothing_of_it(ops, globex):
    ops.put("a")
    delivery.deliver_due()
    # The engine sees all deliveries, to claim them; what belongs to them it does not.
    with in_tenant(globex.id):
        assert not Thread.objects.exists()
        assert not Attempt.objects.exists()


# --- a round that ends in trouble ---


def away(*_given, **_named):
    raise OperationalError("server closed the connection")


def test_what_is_in_the_air_is_settled_although_the_database_went(
    ops, slack, monkeypatch
):
    pk = ops.put("a")
    slack.slow(1)
    claims = iter([delivery.claim, away])
    monkeypatch.setattr(
        delivery, "claim", lambda *given, **named: next(claims)(*given, **named)
    )
    with pytest.raises(OperationalError):
        delivery.deliver_due()
    assert (ops.row(pk).state, ops.outcomes(pk)) == ("sent", ["sent"])


def test_what_was_claimed_and_not_begun_is_for_others_at_once(ops, slack, monkeypatch):
    for name in "abc":
        ops.put(name)
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "prepared", away)
        with pytest.raises(OperationalError):
            delivery.deliver_due()
    with in_tenant(ops.tenant_id):
        rows = Delivery.objects.values_list("state", "attempts", "lease_until")
        assert set(rows) == {("pending", 0, None)}
    assert delivery.deliver_due() == 3
    assert len(slack.messages) == 3


def test_what_is_given_back_stays_in_doubt_if_it_was(ops, slack, monkeypatch):
    pk = ops.put("a")
    delivery.claim(1)
    ops.change("lease_until = now() - interval '1 second'")
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "prepared", away)
        with pytest.raises(OperationalError):
            delivery.deliver_due()
    assert (ops.row(pk).state, ops.row(pk).doubts) == ("ambiguous", 1)
