"""A dispatcher that stands still is seen within a minute: by metric, and by silence."""

from __future__ import annotations

import re
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fakes.slack import FakeSlack
from tests.fakes.webhook import FakeWebhook
from tests.flows.world import build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

SEEN_WITHIN = 60


@pytest.fixture
def outside() -> Iterator[FakeWebhook]:
    with FakeWebhook() as fake:
        yield fake


def figure(stack: Stack, name: str) -> float:
    """Read one figure from the web's /metrics."""
    with urllib.request.urlopen(f"{stack.url}/metrics", timeout=15) as answer:
        text = answer.read().decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else -1.0


def test_a_dispatcher_that_stands_still_is_reported(outside: FakeWebhook) -> None:
    stack = Stack(
        ALERTCENTER_HEARTBEAT_URL=f"{outside.url}/ping",
        ALERTCENTER_OUTBOUND_ALLOW="127.0.0.0/8",
    )
    silent = 'alertcenter_dispatchers{state="silent"}'
    well = 'alertcenter_dispatchers{state="well"}'
    try:
        stack.start()
        until(lambda: outside.calls, 60)
        assert outside.calls[0].path == "/ping"
        until(lambda: figure(stack, well) == 1, 30)
        stack.kill("dispatcher", signal.SIGSTOP)
        stopped = time.monotonic()
        heard = len(outside.calls)
        until(lambda: figure(stack, silent) == 1, SEEN_WITHIN)
        assert figure(stack, well) == 0
        # Nobody is left who could call: that is the alarm outside.
        until(lambda: time.monotonic() - stopped > SEEN_WITHIN, 90, pause=1)
        assert len(outside.calls) == heard
        stack.kill("dispatcher", signal.SIGCONT)
        until(lambda: figure(stack, silent) == 0, 60)
        until(lambda: len(outside.calls) > heard, 90)
        stack.stop()
    finally:
        stack.remove()


@pytest.mark.soak
def test_one_of_two_that_stands_still_is_told_by_the_other(
    outside: FakeWebhook,
) -> None:
    stack = Stack(
        arguments=["--dispatchers=2"],
        ALERTCENTER_HEARTBEAT_URL=f"{outside.url}/ping",
        ALERTCENTER_OUTBOUND_ALLOW="127.0.0.0/8",
    )
    try:
        stack.start()
        until(lambda: figure(stack, 'alertcenter_dispatchers{state="well"}') == 2, 60)
        stack.kill("dispatcher-2", signal.SIGSTOP)
        until(
            lambda: any(call.path == "/ping/fail" for call in outside.calls),
            SEEN_WITHIN,
        )
        told = [call.body for call in outside.calls if call.path == "/ping/fail"]
        assert told[0]["silent"] == 1
        # A process that dies instead is replaced, and its row with it.
        stack.kill("dispatcher-2", signal.SIGKILL)
        until(lambda: figure(stack, 'alertcenter_dispatchers{state="silent"}') == 0, 60)
        stack.stop()
    finally:
        stack.remove()


@pytest.mark.parametrize("beats", [0, 2])
def test_escalation_does_not_need_beat_nor_mind_two(beats: int) -> None:
    """Nor does it need Celery: the dispatcher sends what nobody else does."""
    stack = Stack()
    with FakeSlack() as slack:
        try:
            stack.start()
            world = build(stack, slack, f"beats{beats}", wait=2)
            # Where it stands still, its supervisor sees no reason for another.
            stack.kill("beat", signal.SIGSTOP)
            others = [stack.run("beat") for _ in range(beats)]
            alive = stack.home / "log" / "beat-more.log"
            if others:
                until(lambda: alive.read_text().count("beat: Starting") == beats, 60)
            names = [f"Alert-{number}" for number in range(10)]
            for name in names:
                assert world.fire(name) == 200
            steps = "SELECT count(*) FROM due_step WHERE tenant_id = {t}"
            until(
                lambda: world.rows(f"{steps} AND state = 'done'") == [(20,)],
                60,
            )
            early = f"{steps} AND done_at < due_at"
            assert world.rows(early) == [(0,)]
            # #ops at once, bob after two seconds, and what #ops hears of it.
            until(lambda: len(slack.messages) == 20, 30)
            open_ones = "SELECT count(*) FROM delivery WHERE tenant_id = {t} AND "
            until(lambda: world.rows(open_ones + "next_at IS NOT NULL") == [(0,)], 30)
            # Two of beat's turns later nothing was said twice.
            swept = time.monotonic()
            until(lambda: time.monotonic() - swept > 11, 20, pause=1)
            assert told(slack) == {
                (place, name): 1 for place in ("C-ops", "U-bob") for name in names
            }
            tries = "SELECT sum(attempts), max(fence) FROM delivery"
            ((sent, fence),) = world.rows(tries + " WHERE tenant_id = {t}")
            said = ("chat.postMessage", "chat.update")
            assert fence == 1
            assert sum(call.method in said for call in slack.requests) == sent
            assert not others or "notifications.sweep" in alive.read_text()
            for other in others:
                other.terminate()
                other.wait(30)
            stack.kill("beat", signal.SIGCONT)
            stack.stop()
        finally:
            stack.remove()


def told(slack: FakeSlack) -> Counter[tuple[str, str]]:
    """Count the messages by place and alert."""
    found: Counter[tuple[str, str]] = Counter()
    for message in slack.messages:
        name = re.search(r"Alert-\d", str(message))
        assert name, str(message)
        found[message.channel, name[0]] += 1
    return found
