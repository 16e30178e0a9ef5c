"""Does one limit hold for several processes, and for each while Redis is away?"""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
import redis
from django.conf import settings

from alertcenter.common import shared_buckets
from alertcenter.common.shared_buckets import SharedBuckets


@pytest.fixture
def what() -> str:
    return f"test-{uuid4().hex}"


def processes(what: str, count: int = 2) -> list[SharedBuckets]:
    """Return what several processes have: nothing of their own is shared."""
    return [SharedBuckets(what, rate=1 / 60, burst=4) for _ in range(count)]


def test_what_one_process_takes_the_other_has_not(what):
    first, second = processes(what)
    for _ in range(2):
        first.take("bob")
        second.take("bob")
    assert 0 < first.wait("bob") <= 60
    assert 0 < second.wait("bob") <= 60
    assert first.wait("alice") == 0.0


def test_it_fills_again(what):
    fast = SharedBuckets(what, rate=1000.0, burst=2)
    fast.take("bob", 2)
    deadline = threading.Event()
    deadline.wait(0.05)
    assert fast.wait("bob") == 0.0


def test_debt_is_one_burst_deep_at_most(what):
    first, _second = processes(what)
    first.take("bob", 1000)
    assert first.wait("bob") <= 5 * 60


def test_many_at_once_are_all_counted(what):
    buckets = SharedBuckets(what, rate=1 / 3600, burst=50)

    def take_five() -> None:
        for _ in range(5):
            buckets.take("bob")

    threads = [threading.Thread(target=take_five) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert buckets.wait("bob") > 0


def test_redis_learns_no_token_and_forgets(what):
    first, _second = processes(what)
    first.take("secret-token")
    client = redis.Redis.from_url(settings.REDIS_URL)
    (key,) = client.keys(f"bucket:{what}:*")
    assert b"secret" not in key
    assert 0 < client.pttl(key) <= 2 * 4 * 60 * 1000 + 1


def test_without_redis_each_process_keeps_to_the_limit(what, monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(shared_buckets, "_redis", shared_buckets._Redis())
    first, second = processes(what)
    for _ in range(4):
        assert first.wait("bob") == 0.0
        first.take("bob")
    assert first.wait("bob") > 0
    assert second.wait("bob") == 0.0
