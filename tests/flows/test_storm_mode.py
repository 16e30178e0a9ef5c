"""Thousands of groups at once, with real processes: one page, and others unharmed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import pytest

from tests.fakes.slack import FakeMessage, FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

ALERTS, MORE, BODY = 3_000, 100, 300
ALLOWED = 30
FAIRNESS_SECONDS = 2.0


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def pour(world: World, first: int, count: int) -> None:
    for start in range(first, first + count, BODY):
        events = [
            {"labels": {"alertname": "Storm", "instance": f"host-{n:05}"}}
            for n in range(start, min(start + BODY, first + count))
        ]
        assert world.post("/api/v1/events", events, timeout=60) == 200


def about(fake_slack: FakeSlack, text: str) -> list[FakeMessage]:
    return [m for m in fake_slack.messages if text in str(m)]


def seconds_until_told(world: World, fake_slack: FakeSlack, name: str) -> float:
    begun = time.monotonic()
    assert world.fire(name) == 200
    until(lambda: about(fake_slack, name), 30, 0.01)
    return time.monotonic() - begun


def groups(world: World) -> int:
    ((count,),) = world.rows("SELECT count(*) FROM alert_group WHERE tenant_id = {t}")
    return int(count)


def test_a_storm_is_one_page_and_another_tenants_page_comes_in_time(
    stack: Stack, fake_slack: FakeSlack
) -> None:
    by_host = ["instance"]
    hit = build(stack, fake_slack, "stormy", group_by=by_host, storm=ALLOWED)
    calm = build(stack, fake_slack, "calm")
    begun = time.monotonic()
    pour(hit, 0, ALERTS // 2)
    taken = [seconds_until_told(calm, fake_slack, f"Other-{n}") for n in range(2)]
    stack.kill("dispatcher")
    pour(hit, ALERTS // 2, ALERTS // 2)
    # The storm's own group is one more.
    until(lambda: groups(hit) == ALERTS + 1, 90)
    taken += [seconds_until_told(calm, fake_slack, f"More-{n}") for n in range(3)]
    assert statistics.median(taken) <= FAIRNESS_SECONDS, taken
    (page,) = until(lambda: about(fake_slack, "Storm on all"), 30)
    # A digest a minute at most and only with news, below the one page; killing said
    # nothing twice.
    pour(hit, ALERTS, MORE)
    until(lambda: len(page.replies) >= 1, 100)
    minutes = (time.monotonic() - begun) / 60
    assert len(page.replies) <= minutes
    known = str(page.replies[0])
    assert str(ALERTS) in known or str(ALERTS + MORE) in known
    told = [m for m in fake_slack.messages if "host-" in str(m) or "Storm" in str(m)]
    assert told == [page]
    ((runs, storms, pages),) = hit.rows(
        "SELECT (SELECT count(*) FROM run WHERE tenant_id = {t}), "
        "(SELECT count(*) FROM storm WHERE tenant_id = {t}), "
        "(SELECT count(*) FROM delivery WHERE tenant_id = {t} AND kind = 'page')"
    )
    assert (runs, storms, pages) == (1, 1, 1)
