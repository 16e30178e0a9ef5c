"""kill -9 at a group's timer, and a restart of everything: told once, none lost."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack
from tests.fakes.webhook import FakeWebhook
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

POINTS = ["flush.after_claim", "flush.before_commit"]
SETUP = """
import json
from alertcenter.alerts.models import Route, RouteChannel
from notifications.models import Channel
from tenants.rls import in_tenant

given = json.loads({given!r})
with in_tenant(given["tenant"]):
    hook = Channel.objects.create(
        tenant_id=given["tenant"], kind="webhook", slug="hook", name="hook",
        settings={{"url": given["url"]}})
    route = Route.objects.get(is_default=True)
    RouteChannel.objects.create(
        tenant_id=given["tenant"], route=route, channel=hook)
    Route.objects.update(group_wait_seconds=2, group_interval_seconds=2,
                         repeat_interval_seconds=3600)
"""


def told(ledger: FakeWebhook) -> Counter[tuple[str, str]]:
    """Count the calls by alert and reason."""
    return Counter(
        (call.body["groupLabels"]["alertname"], call.body["notification_reason"])
        for call in list(ledger.calls)
    )


def over(world: World, name: str) -> int:
    body = {"labels": {"alertname": name}, "status": "resolved"}
    return world.post("/api/v1/events", body)


def test_a_death_at_a_timer_tells_everybody_once(tmp_path: Path) -> None:
    order = tmp_path / "failpoint"
    stack = Stack(
        ALERTCENTER_FAILPOINT=str(order),
        ALERTCENTER_SIMULATION="0",
        ALERTCENTER_OUTBOUND_ALLOW="127.0.0.0/8",
    )
    with FakeSlack() as slack, FakeWebhook() as ledger:
        try:
            stack.start()
            world = build(stack, slack, "timers")
            given = json.dumps({"tenant": world.tenant, "url": f"{ledger.url}/x"})
            stack.manage("shell", "-c", SETUP.format(given=given))
            names = []
            for turn, point in enumerate(POINTS):
                order.write_text(point)
                for number in range(5):
                    names.append(f"Timer-{turn}{number}")
                    assert world.fire(names[-1]) == 200
                until(lambda: not order.exists(), 40)
            first = {(name, "first"): 1 for name in names}
            until(lambda: set(told(ledger)) >= set(first), 60)
            # Timers that run while everything is down are not forgotten either.
            for name in names:
                assert over(world, name) == 200
            stack.stop()
            stack.start()
            expected = first | {(name, "all_resolved"): 1 for name in names}
            until(lambda: set(told(ledger)) >= set(expected), 60)
            time.sleep(5)  # two more intervals: nothing is said twice
            assert told(ledger) == expected
            assert world.rows("SELECT count(*) FROM flush WHERE tenant_id = {t}") == [
                (0,)
            ]
            stack.stop()
        finally:
            stack.remove()
