"""Does the rate hold, and the memory?"""

from __future__ import annotations

import pytest

from alertcenter.common import buckets
from alertcenter.common.buckets import Buckets


class Ticks:
    """A clock that goes when it is told to."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def ticks(monkeypatch) -> Ticks:
    clock = Ticks()
    monkeypatch.setattr(buckets, "time", clock)
    return clock


def test_a_burst_and_then_the_rate(ticks):
    many = Buckets(rate=2, burst=10)
    taken = 0
    while not many.wait("a"):
        many.take("a")
        taken += 1
    assert taken == 10
    assert many.wait("a") == pytest.approx(0.5)
    assert many.wait("b") == 0
    for _ in range(100):
        ticks.now += 0.1
        if not many.wait("a"):
            many.take("a")
            taken += 1
    assert 29 <= taken <= 31


def test_what_comes_in_one_piece_passes_and_is_paid_for(ticks):
    many = Buckets(rate=10, burst=10)
    many.take("a", 20)
    assert many.wait("a") > 1
    ticks.now += 1.2
    assert many.wait("a") == 0


def test_a_debt_is_never_deeper_than_one_burst(ticks):
    many = Buckets(rate=10, burst=10)
    many.take("a", 1_000_000)
    ticks.now += 1.2
    assert many.wait("a") == 0


def test_a_million_names_need_no_more_room_than_some(ticks):
    many = Buckets(rate=1, burst=1, most=1_000)
    for number in range(1_000_000):
        if number % 100_000 == 0:
            many.take("busy")
        many.of(number)
    assert len(many) <= 1_500


def test_who_is_busy_is_not_forgotten_by_a_crowd(ticks):
    many = Buckets(rate=0.001, burst=1, most=1_000)
    many.take("busy")
    for number in range(10_000):
        many.of(number)
        assert many.wait("busy")
