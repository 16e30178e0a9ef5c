"""The hub gives each socket every frame once and in order, or gives the socket up."""

from __future__ import annotations

import asyncio

import pytest

from alertcenter.common.ids import uuid7
from alertcenter.dashboard import hub as hub_module
from alertcenter.dashboard.frames import Frame, parsed
from alertcenter.dashboard.hub import MOST_WAITING, Hub, Socket

TENANT = uuid7()


def frame(number: int) -> Frame:
    return Frame(number, number, f'{{"n": {number}}}')


def waiting(socket: Socket) -> list[int | None]:
    found = []
    while not socket.queue.empty():
        item = socket.queue.get_nowait()
        found.append(item.last if item else None)
    return found


@pytest.fixture
def hub(monkeypatch) -> Hub:
    """A hub whose background tasks do not start."""
    made = Hub()
    monkeypatch.setattr(hub_module.Hub, "_listen", lambda _self: asyncio.sleep(0))
    monkeypatch.setattr(hub_module.Hub, "_poll", lambda _self: asyncio.sleep(0))
    return made


def run(scene) -> None:
    asyncio.run(scene())


def test_a_frame_heard_twice_is_handed_on_once(hub):
    async def scene():
        socket = hub.join(TENANT)
        for number in (1, 2, 1, 2, 3):
            hub.offer(TENANT, frame(number))
        assert waiting(socket) == [1, 2, 3]

    run(scene)


def test_a_missing_number_is_asked_for_and_not_skipped(hub):
    async def scene():
        socket = hub.join(TENANT)
        hub.offer(TENANT, frame(1))
        hub.offer(TENANT, frame(3))
        assert waiting(socket) == [1]
        assert hub._poll_now.is_set()
        hub._fill(TENANT, [frame(2), frame(3)])
        assert waiting(socket) == [2, 3]

    run(scene)


def test_frames_of_other_tenants_go_nowhere(hub):
    async def scene():
        socket = hub.join(TENANT)
        hub.offer(uuid7(), frame(1))
        assert waiting(socket) == []

    run(scene)


def test_a_slow_socket_is_given_up_and_costs_the_others_nothing(hub):
    async def scene():
        slow, quick = hub.join(TENANT), hub.join(TENANT)
        got: list[int | None] = []
        for number in range(1, MOST_WAITING + 11):
            hub.offer(TENANT, frame(number))
            got += waiting(quick)
        assert got == list(range(1, MOST_WAITING + 11))
        assert slow.slow
        left = waiting(slow)
        assert left[-1] is None
        assert len(left) == MOST_WAITING

    run(scene)


def test_the_last_screen_to_leave_ends_the_watch(hub):
    async def scene():
        one, two = hub.join(TENANT), hub.join(TENANT)
        hub.knows(TENANT, 5)
        hub.leave(one)
        hub.leave(one)
        assert hub.seen == {TENANT: 5}
        hub.leave(two)
        assert (hub.rooms, hub.seen) == ({}, {})

    run(scene)


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"from": "x", "to": 1}'])
def test_a_frame_that_is_none_is_passed_over(hub, text):
    async def scene():
        socket = hub.join(TENANT)
        hub._receive(b"ac:live:" + TENANT.hex.encode(), text)
        hub._receive(b"ac:live:nonsense", b'{"from": 1, "to": 1}')
        assert waiting(socket) == []

    run(scene)


def test_a_frame_is_kept_as_text():
    text = '{"t": "delta", "from": 4, "to": 6, "groups": []}'
    assert parsed(text) == Frame(4, 6, text)


def test_where_frames_were_pruned_the_screens_begin_anew(hub):
    async def scene():
        socket = hub.join(TENANT)
        hub.knows(TENANT, 4)
        hub._fill(TENANT, [Frame(9, 9, '{"t": "resync"}')])
        assert waiting(socket) == [9]
        assert hub.seen[TENANT] == 9

    run(scene)
