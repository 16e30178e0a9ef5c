"""A job falls silent while dispatchers die: everybody is told, and told once."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

MAKE = """
from alertcenter.alerts import heartbeats
from alertcenter.alerts.models import Heartbeat
from tenants.rls import in_tenant
with in_tenant("{tenant}"):
    row = Heartbeat(tenant_id="{tenant}", name="Backup", slug="backup",
                    period_seconds=3600)
    token = heartbeats.give_address(row)
    row.full_clean()
    row.save()
print("TOKEN " + token)
"""
LAPSE = """
UPDATE heartbeat SET expected_at = now() - interval '1 minute', due_at = now(),
  last_ping_at = now() - interval '1 hour', changed_at = now() - interval '1 hour'
WHERE tenant_id = {t} RETURNING id
"""
ALERTS = """
SELECT state, title, count FROM alert WHERE tenant_id = {t} AND source = 'heartbeat'
"""
OPENED = "SELECT count(*) FROM episode WHERE tenant_id = {t}"


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def token_of(world: World) -> str:
    output = world.stack.manage("shell", "-c", MAKE.format(tenant=world.tenant))
    line = next(x for x in output.splitlines() if x.startswith("TOKEN "))
    return line.removeprefix("TOKEN ")


def ping(world: World, token: str) -> int:
    with urllib.request.urlopen(f"{world.stack.url}/h/{token}", timeout=15) as answer:
        return int(answer.status)


def test_a_dispatcher_killed_between_claim_and_alert(
    fake_slack: FakeSlack, tmp_path: Path
) -> None:
    order = tmp_path / "failpoint"
    stack = Stack(ALERTCENTER_FAILPOINT=str(order))
    try:
        stack.start()
        world = build(stack, fake_slack, "beats")
        token = token_of(world)
        assert ping(world, token) == 200
        order.write_text("heartbeat.after_claim")
        assert len(world.rows(LAPSE)) == 1
        until(lambda: not order.exists(), 30)
        until(lambda: "Backup is expired" in str(fake_slack.messages), 60)
        assert world.rows(ALERTS) == [("firing", "Backup is expired", 1)]
        assert ping(world, token) == 200
        assert world.rows(ALERTS)[0][0] == "resolved"
        assert world.rows(OPENED) == [(1,)]
        assert token not in stack.log("web") + stack.log("dispatcher")
        stack.stop()
    finally:
        stack.remove()
