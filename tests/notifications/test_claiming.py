"""Whose turn is it? Fairness, order in a lane, leases and fences."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

from alertcenter.common import world_time
from notifications import delivery, outbox, parcels
from notifications.channels.base import Receipt
from notifications.claiming import claim
from notifications.settling import Outcome, settle
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


def ids(leases) -> list[UUID]:
    return [lease.id for lease in leases]


def test_who_claims_hears_what_time_it_is(ops, monkeypatch):
    monkeypatch.setattr(world_time, "_ahead", 0.0)
    ops.put("1")
    claim(10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        ((now,),) = cursor.fetchall()
    assert abs(now - world_time.now()) < 1


def test_a_claimed_delivery_is_not_claimed_again(ops):
    first = ops.put("1")
    assert ids(claim(10)) == [first]
    assert claim(10) == []


def test_two_claimers_at_once_share_the_work(ops):
    wanted = {ops.put(str(n)) for n in range(40)}
    found: list[UUID] = []

    def take() -> None:
        while leases := claim(3):
            found.extend(ids(leases))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert set(found) == wanted


def test_rows_locked_by_another_do_not_hide_the_rest(ops):
    locked, free = ops.put("1"), ops.put("2")
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with in_tenant(ops.tenant_id), connection.cursor() as cursor:
            cursor.execute("SELECT FROM delivery WHERE id = %s FOR UPDATE", [locked])
            holds.set()
            done.wait(10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait(10)
    assert ids(claim(1)) == [free]
    done.set()
    thread.join()


def test_in_a_lane_the_next_waits_for_the_one_before(ops):
    group = str(uuid4())
    page = ops.put("1", a_message(group_id=group))
    redraw = ops.put("2", a_message(group_id=group), kind="update")
    line = ops.put("3", a_message(group_id=group), kind="reply")
    elsewhere = ops.put("4", a_message())
    assert set(ids(claim(10))) == {page, elsewhere}
    assert claim(10) == []
    ops.change("state = 'sent'")
    with in_tenant(ops.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery SET state = 'pending' WHERE id = ANY(%s)", [[redraw, line]]
        )
    assert ids(claim(10)) == [redraw]


def test_a_page_does_not_wait_for_a_redraw_that_is_put_off(ops):
    group = str(uuid4())
    ops.put("1", a_message(group_id=group), kind="update")
    ops.change("next_at = now() + interval '5 minutes'")
    page = ops.put("2", a_message(group_id=group))
    assert ids(claim(10)) == [page]


def test_a_second_page_waits_for_the_first(ops):
    group = str(uuid4())
    ops.put("1", a_message(group_id=group))
    ops.change("next_at = now() + interval '5 minutes'")
    ops.put("2", a_message(group_id=group))
    assert claim(10) == []


def test_what_nobody_will_try_again_holds_up_nothing(ops):
    group = str(uuid4())
    ops.put("1", a_message(group_id=group))
    ops.change("state = 'ambiguous', next_at = NULL")
    redraw = ops.put("2", a_message(group_id=group), kind="update")
    assert ids(claim(10)) == [redraw]


def test_tenants_take_turns(ops, globex):
    flood = [ops.put(str(n)) for n in range(20)]
    quiet = Outbox(globex.id).put("1")
    first_two = ids(claim(2))
    assert quiet in first_two
    assert len(set(first_two) & set(flood)) == 1


def test_who_has_much_in_the_air_waits_behind_the_others(ops, globex):
    for n in range(20):
        ops.put(str(n))
    claim(5)
    other = Outbox(globex.id)
    wanted = {other.put(str(n)) for n in range(3)}
    assert set(ids(claim(3))) == wanted


def test_pages_and_the_worse_go_first(ops):
    line = ops.put("1", a_message(severity=5), kind="reply")
    mild = ops.put("2", a_message(severity=2))
    grave = ops.put("3", a_message(severity=5))
    assert [ids(claim(1))[0] for _ in range(3)] == [grave, mild, line]


def test_the_dispatcher_takes_only_what_has_lain_for_a_while(ops):
    pk = ops.put("1")
    assert claim(10, older_than=timedelta(seconds=3)) == []
    ops.change("next_at = now() - interval '4 seconds'")
    assert ids(claim(10, older_than=timedelta(seconds=3))) == [pk]


def test_a_lease_that_runs_out_is_taken_over_and_noted(ops, slack):
    pk = ops.put("1")
    claim(10)
    ops.change("lease_until = now() - interval '1 second'")
    (lease,) = claim(10)
    assert (lease.lost, lease.in_doubt, lease.attempts, lease.fence) == (
        True, True, 2, 2,
    )  # fmt: skip
    delivery.work(lease)
    assert ops.row(pk).state == "sent"
    assert ops.outcomes(pk) == ["lost", "sent"]


def test_who_comes_back_too_late_is_refused_by_his_fence(ops):
    pk = ops.put("1")
    (zombie,) = claim(10)
    ops.change("lease_until = now() - interval '1 second'")
    (heir,) = claim(10)
    with in_tenant(ops.tenant_id):
        parcel = parcels.prepare(pk, in_doubt=False)
    assert settle(zombie, parcel, Outcome(1, Receipt("zombie"))) is False
    assert ops.row(pk).state == "leased"
    assert settle(heir, parcel, Outcome(1, Receipt("heir"))) is True
    assert settle(zombie, parcel, Outcome(1, Receipt("zombie"))) is False
    assert (ops.row(pk).state, ops.row(pk).provider_id) == ("sent", "heir")
    assert ops.outcomes(pk) == ["lost", "late", "sent", "late"]


def test_a_sender_that_slept_over_its_lease_does_not_send(ops, slack):
    ops.put("1")
    (sleeper,) = claim(10)
    ops.change("lease_until = now() - interval '1 second'")
    (heir,) = claim(10)
    delivery.work(sleeper)
    assert slack.requests == []
    delivery.work(heir)
    assert len(slack.messages) == 1


def test_what_kills_every_sender_is_given_up_in_the_end(ops, slack):
    pk = ops.put("1")
    for _ in range(9):
        leases = claim(10)
        ops.change("lease_until = now() - interval '1 second'")
    (last,) = leases
    delivery.work(last)
    assert slack.requests == []
    assert ops.row(pk).state == "dead"


def test_a_sudden_backlog_does_not_slow_claims_down(ops):
    # No ANALYZE has seen these rows: a plan that trusts statistics takes minutes.
    with in_tenant(ops.tenant_id):
        entries = [ops.entry(str(n), a_message()) for n in range(5_000)]
        outbox.put(ops.tenant_id, entries)
    began = time.monotonic()
    assert len(claim(8)) == 8
    assert time.monotonic() - began < 1.5
