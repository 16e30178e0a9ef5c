"""Who is written next, and who has to wait?"""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest

from alertcenter.alerts import waiting
from alertcenter.alerts.events import Event
from alertcenter.alerts.waiting import Batch, Job, Overloaded, Waiting

LOUD, QUIET, OTHER = uuid4(), uuid4(), uuid4()
EVENT = Event({"alertname": "A"}, "A", 3, "test")


def job(tenant_id: UUID, events: int = 1) -> Job:
    return Job(
        tenant_id, "api", [EVENT] * events, list(range(events)), "", lambda _: None
    )


def sizes(batch: Batch) -> list[int]:
    return [len(one.events) for one in batch.jobs]


def test_light_tenants_go_first_and_in_turns():
    queue = Waiting()
    for _ in range(100):
        queue.put(job(LOUD, 50))
    queue.put(job(QUIET))
    queue.put(job(OTHER))
    queue.put(job(QUIET))
    batch = queue.take(600, Batch())
    assert [one.tenant_id for one in batch.jobs] == [QUIET, OTHER, QUIET]
    assert not batch.heavy


def test_heavy_tenants_take_turns_too():
    queue = Waiting()
    for tenant_id in (LOUD, LOUD, LOUD, OTHER, OTHER, OTHER):
        queue.put(job(tenant_id, 90))
    batch = queue.take(400, Batch())
    assert [one.tenant_id for one in batch.jobs] == [LOUD, OTHER, LOUD]


def test_the_light_do_not_starve_the_heavy():
    queue = Waiting()
    for _ in range(10):
        queue.put(job(LOUD, 200))
    kinds, batch = [], Batch()
    for _ in range(6):
        queue.put(job(QUIET))
        batch = queue.take(600, batch)
        kinds.append(batch.heavy)
    assert kinds == [False, True] * 3


def test_one_hand_is_kept_free_while_both_kinds_come():
    queue = Waiting()
    for _ in range(10):
        queue.put(job(LOUD, 200))
    queue.put(job(QUIET))
    light = queue.take(600, Batch())
    heavy = queue.take(600, light)
    assert (light.heavy, heavy.heavy) == (False, True)
    found: list[Batch] = []
    hand = threading.Thread(
        target=lambda: found.append(queue.take(600, Batch())), daemon=True
    )
    hand.start()
    hand.join(0.2)
    assert hand.is_alive()  # though much of LOUD waits
    queue.put(job(QUIET))
    hand.join(5)
    assert [one.tenant_id for one in found[0].jobs] == [QUIET]


def test_alone_a_heavy_tenant_has_both_hands():
    queue = Waiting()
    for _ in range(10):
        queue.put(job(LOUD, 200))
    assert queue.take(600, Batch()).heavy
    assert queue.take(600, Batch()).heavy


def test_what_one_tenant_sends_stays_in_order():
    queue = Waiting()
    jobs = [job(LOUD) for _ in range(10)]
    for one in jobs:
        queue.put(one)
    taken: list[Job] = []
    batch = Batch()
    while len(taken) < 10:
        batch = queue.take(4, batch)
        taken += batch.jobs
    assert taken == jobs


def test_half_of_a_crowd_is_taken_and_all_of_a_few():
    queue = Waiting()
    for _ in range(64):
        queue.put(job(LOUD))
    assert queue.take(600, Batch()).events == 32
    few = Waiting()
    for _ in range(waiting.FEW):
        few.put(job(LOUD))
    assert few.take(600, Batch()).events == waiting.FEW


def test_a_request_larger_than_a_commit_is_taken_alone():
    queue = Waiting()
    queue.put(job(LOUD, 5_000))
    queue.put(job(LOUD, 1))
    batch = queue.take(600, Batch())
    assert sizes(batch) == [5_000]
    assert sizes(queue.take(600, batch)) == [1]


def test_a_second_hand_helps_only_where_it_pays():
    queue = Waiting()
    queue.put(job(LOUD))
    assert queue.take(600, Batch()).events  # one event is being written
    queue.put(job(LOUD))
    second: list[Batch] = []
    hand = threading.Thread(
        target=lambda: second.append(queue.take(600, Batch())), daemon=True
    )
    hand.start()
    hand.join(0.2)
    assert hand.is_alive()  # it will go with the next commit
    queue.put(job(LOUD, waiting.CROWD))
    hand.join(5)
    assert second


def test_a_flood_of_one_tenant_leaves_room_for_others():
    queue = Waiting()
    for _ in range(waiting.MOST_OF_ONE // 1_000):
        queue.put(job(LOUD, 1_000))
    with pytest.raises(Overloaded):
        queue.put(job(LOUD))
    queue.put(job(QUIET, 1_000))
    assert queue.events == waiting.MOST_OF_ONE + 1_000
    while queue.events < waiting.MOST_WAITING:
        queue.put(job(uuid4(), 1_000))
    with pytest.raises(Overloaded):
        queue.put(job(uuid4()))


def test_after_the_close_the_rest_is_given_out_and_nothing_more_taken():
    queue = Waiting()
    queue.put(job(LOUD))
    queue.close()
    with pytest.raises(Overloaded):
        queue.put(job(LOUD))
    batch = queue.take(600, Batch())
    assert sizes(batch) == [1]
    assert queue.take(600, batch).jobs == []


def long_job(tenant_id: UUID) -> Job:
    one = job(tenant_id)
    one.size = 1 << 20
    return one


def test_what_is_long_counts_as_several():
    """Few requests of long events would fill the memory, here and in PostgreSQL."""
    queue = Waiting()
    most = waiting.MOST_OF_ONE * waiting.BYTES_OF_AN_EVENT >> 20
    for _ in range(most):
        queue.put(long_job(LOUD))
    with pytest.raises(Overloaded):
        queue.put(long_job(LOUD))
    queue.put(job(QUIET))
    assert [one.tenant_id for one in queue.take(600, Batch()).jobs] == [QUIET]
    assert len(queue.take(600, Batch()).jobs) == 1
