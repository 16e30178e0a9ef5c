"""kill -9 where it hurts: nothing accepted is lost, nobody is told too early."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifications.delivery import HANDS
from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

ALERTS = 200
POOL = 2  # processes of a Celery worker


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def send_many(world: World, count: int, kept: list[str]) -> threading.Thread:
    """Send alerts from a thread, each until it is answered with 2xx."""

    def work() -> None:
        for number in range(count):
            name = f"Alert-{number:03}"
            for _ in range(100):
                if world.fire(name) == 200:
                    kept.append(name)
                    break
                time.sleep(0.1)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def told(fake_slack: FakeSlack) -> Counter[str]:
    """Count the first-level messages by alert."""
    found: Counter[str] = Counter()
    for message in fake_slack.messages:
        text = str(message)
        start = text.index("Alert-")
        found[text[start : start + 9]] += 1
    return found


@pytest.mark.parametrize("victim", ["web", "dispatcher", "worker"])
def test_killed_under_load_loses_nothing(
    stack: Stack, fake_slack: FakeSlack, victim: str
) -> None:
    world = build(stack, fake_slack, f"kill-{victim}")
    kept: list[str] = []
    sender = send_many(world, ALERTS, kept)
    until(lambda: len(kept) > 40, 60)
    kills = 2
    for _ in range(kills):
        stack.kill(victim)
        time.sleep(2.5)
    sender.join(90)
    assert len(kept) == ALERTS
    stored = world.rows("SELECT labels->>'alertname' FROM alert WHERE tenant_id = {t}")
    assert set(kept) <= {name for (name,) in stored}
    # A lease that a dead worker held runs out after thirty seconds.
    until(lambda: set(told(fake_slack)) >= set(kept), 60)
    # Of any one message at most one copy more for each kill; and only those that
    # were in the air at that moment, HANDS in each process of the pool, came twice.
    copies = told(fake_slack)
    assert max(copies.values()) <= 1 + kills
    assert sum(copies.values()) - ALERTS <= kills * POOL * HANDS
    early = world.rows(
        "SELECT count(*) FROM due_step WHERE tenant_id = {t} AND done_at < due_at"
    )
    assert early == [(0,)]


POINTS = [
    "claim.after_commit",
    "send.before_http",
    "send.after_http_before_commit",
    "send.after_commit",
    "flow.after_take",
    "flow.before_commit",
    "escalate.after_claim",
    "escalate.after_insert_outbox",
    "escalate.after_commit",
]


def test_a_death_at_every_step_still_tells_everybody(
    fake_slack: FakeSlack, tmp_path: Path
) -> None:
    order = tmp_path / "failpoint"
    stack = Stack(ALERTCENTER_FAILPOINT=str(order))
    try:
        stack.start()
        world = build(stack, fake_slack, "points")
        names = []
        for turn, point in enumerate(POINTS):
            order.write_text(point)
            for number in range(3):
                names.append(f"Alert-{turn}{number:02}")
                assert world.fire(names[-1]) == 200
            until(lambda: not order.exists(), 40)
        # A lease that the dead held runs out after thirty seconds.
        until(lambda: set(told(fake_slack)) >= set(names), 90)
        assert sum(told(fake_slack).values()) - len(names) <= len(POINTS)
        stack.stop()
    finally:
        stack.remove()
