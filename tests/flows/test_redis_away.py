"""Redis flushed, or gone for a while: pages still go out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
import redis

from alertcenter.settings.home import run_directory
from tests.fakes.slack import FakeSlack
from tests.flows.world import build
from tests.stack import Stack, until

SOCKET = "redis.sock"
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    stack = Stack()
    stack.start()
    yield stack
    stack.remove()


def test_with_redis_hanging_everything_still_arrives(
    own_stack: Stack, fake_slack: FakeSlack
) -> None:
    world = build(own_stack, fake_slack, "noredis", wait=2)
    pid = own_stack.pid_of("redis")
    os.kill(pid, signal.SIGSTOP)  # it accepts, and never answers
    slowest = 0.0
    try:
        for number in range(20):
            begun = time.monotonic()
            assert world.fire(f"Alert-{number:03}") == 200
            slowest = max(slowest, time.monotonic() - begun)
        # First and second level, by the dispatcher alone.
        until(lambda: len(fake_slack.messages) >= 40, 60)
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # the supervisor saw that it hangs and replaced it
    assert slowest < 3


def test_a_killed_and_a_flushed_redis_lose_nothing(
    own_stack: Stack, fake_slack: FakeSlack
) -> None:
    world = build(own_stack, fake_slack, "flushed")
    client = redis.Redis(unix_socket_path=str(run_directory(own_stack.home) / SOCKET))
    for number in range(30):
        assert world.fire(f"Alert-{number:03}") == 200
        if number == 5:
            own_stack.kill("redis")
            until(lambda: answers(client), 20)
        if number > 10:
            client.flushall()
    until(lambda: len(fake_slack.messages) == 30, 40)


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
