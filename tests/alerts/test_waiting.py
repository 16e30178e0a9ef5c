"""Who is written next, and who has to wait?"""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import pytest

from alertcenter.alerts import waiting
from alertcenter.alerts.events import Event
from alertcenter.alerts.waiting import Job, Overloaded, Waiting

LOUD, QUIET = uuid4(), uuid4()
EVENT = Event({"alertname": "A"}, "A", 3, "test")


def job(tenant_id: UUID, events: int = 1) -> Job:
    return Job(
        tenant_id, "api", [EVENT] * events, list(range(events)), "", lambda _: None
    )


def test_tenants_take_turns():
    queue = Waiting()
    for _ in range(100):
        queue.put(job(LOUD, 50))
    queue.put(job(QUIET))
    taken = queue.take(600)
    assert [one.tenant_id for one in taken[:3]] == [LOUD, QUIET, LOUD]
    assert sum(len(one.events) for one in taken) <= 600


def test_what_one_tenant_sends_stays_in_order():
    queue = Waiting()
    jobs = [job(LOUD) for _ in range(10)]
    for one in jobs:
        queue.put(one)
    taken: list[Job] = []
    given_back = 0
    while len(taken) < 10:
        more = queue.take(4, given_back)
        taken += more
        given_back = len(more)
    assert taken == jobs


def test_half_of_a_crowd_is_taken_and_all_of_a_few():
    queue = Waiting()
    for _ in range(64):
        queue.put(job(LOUD))
    assert len(queue.take(600)) == 32
    few = Waiting()
    for _ in range(waiting.FEW):
        few.put(job(LOUD))
    assert len(few.take(600)) == waiting.FEW


def test_a_request_larger_than_a_commit_is_taken_alone():
    queue = Waiting()
    queue.put(job(LOUD, 5_000))
    queue.put(job(QUIET))
    assert [len(one.events) for one in queue.take(600)] == [5_000]
    assert [one.tenant_id for one in queue.take(600, 5_000)] == [QUIET]


def test_a_second_hand_helps_only_where_it_pays():
    queue = Waiting()
    queue.put(job(LOUD))
    assert queue.take(600)  # one event is being written
    queue.put(job(LOUD))
    second: list[list[Job]] = []
    hand = threading.Thread(target=lambda: second.append(queue.take(600)), daemon=True)
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
    assert len(queue.take(600)) == 1
    assert queue.take(600, 1) == []
