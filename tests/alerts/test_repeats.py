"""Which repeats are answered from memory, and what reaches the database of them?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from alertcenter.alerts import repeats
from alertcenter.alerts.repeats import Repeats, Sifted
from alertcenter.alerts.rows import CLOCK
from alertcenter.alerts.waiting import Accepted

ACME, GLOBEX = uuid4(), uuid4()
NOW = datetime.now(UTC)


class Ticks:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def ticks(monkeypatch) -> Ticks:
    clock = Ticks()
    monkeypatch.setattr(repeats, "time", clock)
    CLOCK.hear(NOW.timestamp())
    return clock


def alert(name: str = "A", ends: float = 300, **more: Any) -> dict[str, Any]:
    return {
        "labels": {"alertname": name},
        "annotations": {"summary": "It is bad"},
        "startsAt": (NOW - timedelta(hours=1)).isoformat(),
        "endsAt": (NOW + timedelta(seconds=ends)).isoformat(),
    } | more


def sift(memory: Repeats, *alerts: dict[str, Any], tenant=ACME) -> Sifted:
    sifted = memory.sift(tenant, json.dumps(alerts).encode())
    assert sifted is not None
    return sifted


def commit(memory: Repeats, *alerts: dict[str, Any]) -> None:
    memory.confirm(sift(memory, *alerts), Accepted())


def test_what_was_committed_a_moment_ago_is_remembered(ticks):
    memory = Repeats()
    commit(memory, alert("A"), alert("B"))
    sifted = sift(memory, alert("A"), alert("B"), alert("C"))
    assert sifted.remembered == 2
    assert [e.labels["alertname"] for e in sifted.parsed.events] == ["C"]
    assert sifted.parsed.indexes == [2]


def test_before_the_commit_nothing_is(ticks):
    memory = Repeats()
    sift(memory, alert())
    assert sift(memory, alert()).remembered == 0


def test_after_a_second_it_is_written_again_with_its_repeats(ticks):
    memory = Repeats()
    commit(memory, alert())
    for _ in range(3):
        ticks.now += 0.3
        assert sift(memory, alert()).remembered == 1
    ticks.now += 0.3
    sifted = sift(memory, alert())
    assert sifted.remembered == 0
    assert sifted.counts == [4]


@pytest.mark.parametrize(
    "other",
    [
        alert(annotations={"summary": "It is worse"}),
        alert(startsAt=NOW.isoformat()),
        alert(generatorURL="http://example.org"),
        alert(labels={"alertname": "A", "n": "1"}),
        alert(ends=-10),
        alert(ends=5),
    ],
    ids=["annotations", "start", "link", "labels", "resolved", "soon over"],
)
def test_what_says_anything_else_takes_the_whole_road(other, ticks):
    memory = Repeats()
    commit(memory, alert())
    assert sift(memory, other).remembered == 0


def test_an_end_that_moves_on_is_no_change_and_the_latest_is_written(ticks):
    memory = Repeats()
    commit(memory, alert(ends=300))
    assert sift(memory, alert(ends=400), alert(ends=350)).remembered == 2
    ticks.now += 1.1
    written: list[Sifted] = []
    assert memory.flush(written.append) == 1
    (event,) = written[0].parsed.events
    assert event.ends_at == NOW + timedelta(seconds=400)
    assert written[0].counts == [2]
    assert memory.flush(written.append, everything=True) == 0


def test_without_an_end_and_with_one_are_two_things(ticks):
    memory = Repeats()
    endless = alert()
    del endless["endsAt"]
    commit(memory, endless)
    assert sift(memory, endless).remembered == 1
    assert sift(memory, alert()).remembered == 0


def test_a_resolve_is_never_remembered(ticks):
    memory = Repeats()
    commit(memory, alert(ends=-10))
    assert sift(memory, alert(ends=-10)).remembered == 0


def test_tenants_do_not_share_it(ticks):
    memory = Repeats()
    commit(memory, alert())
    assert sift(memory, alert(), tenant=GLOBEX).remembered == 0


def test_what_was_dropped_or_refused_is_not_remembered(ticks):
    memory = Repeats()
    sifted = sift(memory, alert("A"), alert("B"))
    memory.confirm(sifted, Accepted(without={0}))
    assert sift(memory, alert("A"), alert("B")).parsed.indexes == [0]


def test_the_flush_confirms_and_what_it_cannot_write_waits(ticks):
    memory = Repeats()
    commit(memory, alert())
    sift(memory, alert())
    ticks.now += 1.1
    written: list[Sifted] = []
    memory.flush(written.append)
    memory.restore(written[0])
    ticks.now += 1.1
    memory.flush(written.append)
    assert [w.counts for w in written] == [[1], [1]]
    memory.confirm(written[1], Accepted())
    assert sift(memory, alert()).remembered == 1


def test_while_the_database_is_away_nothing_is_answered_from_memory(ticks):
    memory = Repeats()
    commit(memory, alert())
    memory.forget()
    assert sift(memory, alert()).remembered == 0


def test_what_is_not_plainly_good_is_left_to_the_parser(ticks):
    memory = Repeats()
    commit(memory, alert())
    for body in (b"{}", b"[", b'[{"labels": 5}]', b'[{"labels": {}}]', b"\xff"):
        assert memory.sift(ACME, body) is None
    # A good repeat beside a bad item is counted once, by the parser's road.
    bad = json.dumps([alert(), {"labels": {"a": "\0"}}]).encode()
    assert memory.sift(ACME, bad) is None
    assert memory.flush(lambda _: None, everything=True) == 0


def test_the_memory_is_bounded(ticks, monkeypatch):
    monkeypatch.setattr(repeats, "MOST_REMEMBERED", 10)
    memory = Repeats()
    commit(memory, *(alert(str(n)) for n in range(50)))
    remembered = sift(memory, *(alert(str(n)) for n in range(50))).remembered
    assert remembered == 10


def test_a_moment_of_a_million_digits_is_not_remembered(ticks):
    memory = Repeats()
    ends = f"{NOW.year + 1}-01-01T00:00:00.{'0' * 100_000}1Z"
    commit(memory, alert("A", endsAt=ends))
    assert sum(map(len, memory._moments)) < 1_000
