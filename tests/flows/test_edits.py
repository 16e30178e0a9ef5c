"""Does an edit hold for the next event, two seconds later, in every process?"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

WITHIN = 2.0
# Enough that each web process takes some, whoever the kernel gives a connection.
EVENTS = 12
EDIT = """
import json
from alertcenter.alerts.models import Route, Rule
from tenants.rls import in_tenant

pk = json.loads({tenant!r})
with in_tenant(pk):
{edit}
"""
ADD_RULE = """
    Rule.objects.create(tenant_id=pk, name="Edited", position=1, matchers=[],
                        set_labels={"edited": "yes"})
"""
CHANGE_RULE = """
    Rule.objects.update(set_labels={"edited": "again"})
"""
DROP_RULE = """
    Rule.objects.all().delete()
"""
GROUP_ALONE = """
    Route.objects.update(group_by=["alertname", "number"])
"""


@pytest.fixture(scope="module")
def place() -> Iterator[World]:
    stack = Stack(WEB_CONCURRENCY="2")
    try:
        stack.start()
        with FakeSlack() as slack:
            world = build(stack, slack, "edits")
            # What is kept of before is what could be wrong after.
            fire(world, "Warm")
            yield world
            stack.stop()
    finally:
        stack.remove()


def edit(world: World, how: str) -> None:
    given = EDIT.format(tenant=json.dumps(world.tenant), edit=how.strip("\n"))
    world.stack.manage("shell", "-c", given)
    time.sleep(WITHIN)


def fire(world: World, name: str) -> None:
    for number in range(EVENTS):
        assert world.fire(name, number=str(number)) == 200
    until(lambda: count(world, "group_alert m JOIN alert a ON a.id = m.alert_id", name))


def count(world: World, table: str, name: str) -> bool:
    query = f"SELECT count(*) FROM {table} WHERE a.title = '{name}'"
    return bool(world.rows(query)[0][0] == EVENTS)


def labels(world: World, name: str) -> set[str | None]:
    query = f"SELECT DISTINCT labels->>'edited' FROM alert WHERE title = '{name}'"
    return {row[0] for row in world.rows(query)}


def test_rules_that_come_change_and_go(place: World) -> None:
    for name, how, expected in (
        ("RuleAdded", ADD_RULE, "yes"),
        ("RuleChanged", CHANGE_RULE, "again"),
        ("RuleGone", DROP_RULE, None),
    ):
        edit(place, how)
        fire(place, name)
        assert labels(place, name) == {expected}


def test_a_route_that_groups_otherwise(place: World) -> None:
    query = "SELECT count(*) FROM alert_group WHERE labels->>'alertname' = '{}'"
    assert place.rows(query.format("Warm"))[0][0] == 1
    edit(place, GROUP_ALONE)
    fire(place, "Regrouped")
    assert place.rows(query.format("Regrouped"))[0][0] == EVENTS


def test_a_silence_that_comes_and_is_lifted(place: World) -> None:
    query = (
        "SELECT count(*) FILTER (WHERE quiet_count > 0), count(*) FROM alert_group"
        " WHERE labels->>'alertname' = '{}'"
    )
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "alertname", "value": "Hushed", "isRegex": False}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "alice",
        "comment": "an edit",
    }
    assert place.post("/api/v2/silences", silence) == 200
    time.sleep(WITHIN)
    fire(place, "Hushed")
    quiet, all_of_them = place.rows(query.format("Hushed"))[0]
    assert quiet == all_of_them > 0
    ((silence_id,),) = place.rows("SELECT id FROM silence WHERE tenant_id = {t}")
    lift = urllib.request.Request(
        f"{place.stack.url}/t/{place.slug}/api/v2/silence/{silence_id}",
        headers={"Authorization": f"Bearer {place.key}"},
        method="DELETE",
    )
    assert urllib.request.urlopen(lift, timeout=15).status == 200
    until(lambda: place.rows(query.format("Hushed"))[0][0] == 0, 2)
