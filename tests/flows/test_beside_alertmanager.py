"""The real Alertmanager and AlertCenter, told the same: do they say the same?"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.binaries import require_binary
from tests.fakes.slack import FakeSlack
from tests.fakes.webhook import FakeWebhook
from tests.flows.beside import Beside, alerts_of, random_tree
from tests.flows.world import build
from tests.stack import Stack, until

pytestmark = pytest.mark.flow

WAIT, INTERVAL, REPEAT = 1, 2, 4
# Of two that repeat at the same pace, one may be a tick ahead at the end.
TOLERATED_REPEATS = 2
LATEST = 15
SILENCED = [
    [("team", "web", "="), ("severity", "critical", "!=")],
    [("alertname", "D.*", "=~")],
    [("cluster", "a|b", "!~"), ("alertname", ".+", "=~")],
]


def soak(seed: int) -> Any:
    """Leave this one to the long runs: it takes half a minute."""
    return pytest.param(seed, marks=pytest.mark.soak)


@pytest.fixture(scope="module")
def own_stack_of_module() -> Iterator[Stack]:
    one = Stack()
    one.environment["ALERTCENTER_OUTBOUND_ALLOW"] = "127.0.0.0/8"
    one.environment["ALERTCENTER_SIMULATION"] = "0"
    try:
        one.start()
        yield one
        one.stop()
    finally:
        one.remove()


@pytest.fixture
def ledger() -> Iterator[FakeWebhook]:
    with FakeWebhook() as fake:
        yield fake


def beside(stack: Stack, ledger: FakeWebhook, seed: int, folder: Path) -> Beside:
    program = require_binary("prometheus-alertmanager")
    with FakeSlack() as slack:
        world = build(stack, slack, f"beside-{seed}-{folder.name[:20]}".lower())
    return Beside(world, program, random_tree(Random(seed)), ledger.url, folder)


def firing(labels: dict[str, str]) -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(minutes=5)
    return {"labels": labels, "endsAt": ends.isoformat()}


def over(labels: dict[str, str]) -> dict[str, Any]:
    return {"labels": labels, "endsAt": datetime.now(UTC).isoformat()}


def listing(groups: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Return what a list of groups says: who is where, told to whom, and how quiet."""
    return {
        (
            group["receiver"]["name"],
            tuple(sorted(group["labels"].items())),
            alert["fingerprint"],
            alert["status"]["state"],
            bool(alert["status"]["inhibitedBy"]),
            len(alert["status"]["silencedBy"]),
            tuple(sorted(one["name"] for one in alert["receivers"])),
        )
        for group in groups
        for alert in group["alerts"]
    }


@pytest.mark.parametrize("seed", [1, soak(2), soak(3)])
def test_both_group_route_and_mute_the_same_alerts(
    own_stack_of_module: Stack, ledger: FakeWebhook, tmp_path: Path, seed: int
) -> None:
    two = beside(own_stack_of_module, ledger, seed, tmp_path)
    try:
        two.start(wait=600, interval=600, repeat=3600)
        alerts = alerts_of(Random(seed), 60)
        two.both("/alerts", [firing(labels) for labels in alerts])
        for matchers in SILENCED[:2]:
            two.silence(matchers, seconds=600)

        def same() -> bool:
            theirs, ours = (listing(one) for one in two.both("/alerts/groups"))
            return len(theirs) >= 60 and theirs == ours

        until(same, 30)
        theirs, _ours = (listing(one) for one in two.both("/alerts/groups"))
        assert any(inhibited for *_, inhibited, _n, _r in theirs)
        assert any(silences for *_, silences, _r in theirs)
        assert len({receiver for receiver, *_ in theirs}) > 1
    finally:
        two.stop()


Said = tuple[str, tuple[tuple[str, str], ...]]


def told(ledger: FakeWebhook, whose: str) -> dict[Said, list[tuple[Any, ...]]]:
    """Return what each receiver was told of each group: contents in their order."""
    found: dict[Said, list[tuple[Any, ...]]] = defaultdict(list)
    for call in sorted(ledger.calls, key=lambda call: call.at):
        if not call.path.startswith(f"/{whose}/"):
            continue
        body = call.body
        group = (call.path.split("/")[2], body["groupKey"])
        content = sorted((a["fingerprint"], a["status"]) for a in body["alerts"])
        found[group].append((body["status"], tuple(content)))
    return found


def without_repeats(contents: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        one
        for number, one in enumerate(contents)
        if number == 0 or one != contents[number - 1]
    ]


@pytest.mark.parametrize("seed", [12, 14, soak(11), soak(13)])
def test_the_ledgers_of_both_webhooks_agree_over_time(
    own_stack_of_module: Stack, ledger: FakeWebhook, tmp_path: Path, seed: int
) -> None:
    """Events come at even seconds, so that timers, which began a second after one, look
    between them. Agreed upon: receivers, groups, contents and their order; of mere
    repeats at most TOLERATED_REPEATS more or fewer."""
    random = Random(seed)
    two = beside(own_stack_of_module, ledger, seed, tmp_path)
    try:
        two.start(wait=WAIT, interval=INTERVAL, repeat=REPEAT)
        alerts = alerts_of(random, 14)
        up: set[int] = set()
        begun = time.monotonic()
        for tick in range(12):
            time.sleep(max(0.0, begun + tick * INTERVAL - time.monotonic()))
            flips = random.sample(range(len(alerts)), 3) if tick < 10 else []
            body = [over(alerts[n]) for n in flips if n in up]
            up ^= set(flips)
            body += [firing(alerts[n]) for n in sorted(up)]
            two.both("/alerts", body)
            if tick % 3 == 1:
                two.silence(random.choice(SILENCED), seconds=INTERVAL * 3)
        time.sleep(WAIT + INTERVAL)

        def differences() -> list[Any]:
            theirs, ours = told(ledger, "theirs"), told(ledger, "ours")
            found: list[Any] = sorted(set(ours) ^ set(theirs))
            for group, said in theirs.items():
                mine = ours.get(group, [])
                if without_repeats(mine) != without_repeats(said):
                    found.append((group, mine, said))
                elif abs(len(mine) - len(said)) > TOLERATED_REPEATS:
                    found.append((group, len(mine), len(said)))
            return found

        # What is on its way still may arrive; nothing new happens any more.
        deadline = time.monotonic() + LATEST
        while differences() and time.monotonic() < deadline:
            time.sleep(0.5)
        assert differences() == [], two.tree
        assert sum(map(len, told(ledger, "theirs").values())) > 20
    finally:
        two.stop()
