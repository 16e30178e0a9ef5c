"""Does anything that the OpenAPI document allows, or nearly allows, end in a 5xx?

schemathesis makes requests from our own document and sends them to a running server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack

pytestmark = pytest.mark.timeout(900)

SLUG = "fuzz"


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    with FakeSlack() as slack:
        made = build(stack, slack, SLUG)
        for name in ("one", "two"):
            assert made.fire(name) == 200
        yield made


usually = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_request_ends_in_a_server_error(world: World) -> None:
    document = schemathesis.openapi.from_url(f"{world.stack.url}/api/schema/")
    seen: Counter[int] = Counter()
    for found in document.get_all_operations():
        try_out(found.ok(), world, seen)  # type: ignore[union-attr]
    print(f"answers: {dict(sorted(seen.items()))}")
    assert seen[200] > 20
    assert sum(seen.values()) > 200


MINT = """
from uuid import UUID
from tenants import apikeys
from tenants.actors import Actor
from tenants.rls import in_tenant
pk = UUID({tenant!r})
with in_tenant(pk):
    key = apikeys.mint(pk, "all", ["read", "act", "admin"],
                       actor=Actor("operator", "", "test"))[1]
print("KEY " + key)
"""
WRITTEN = r"/(teams|service_levels|availability|absences|schedules)\b"


def test_no_write_of_an_administrator_ends_in_a_server_error(world: World) -> None:
    """Of people and schedules, at objects that are there: past 403 and 404."""
    output = world.stack.manage("shell", "-c", MINT.format(tenant=world.tenant))
    line = next(x for x in output.splitlines() if x.startswith("KEY "))
    admin = replace(world, key=line.removeprefix("KEY "))
    ((order,),) = world.rows("SELECT id FROM schedule WHERE tenant_id = {t}")
    (member, *_others) = world.rows("SELECT id FROM member WHERE tenant_id = {t}")
    document = schemathesis.openapi.from_url(f"{world.stack.url}/api/schema/")
    wanted = document.include(path_regex=WRITTEN, method=["POST", "PUT", "PATCH"])
    seen: Counter[int] = Counter()
    for found in wanted.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        pk = str(order if "/schedules" in operation.path else member[0])
        try_out(operation, admin, seen, pk=pk)
    print(f"answers: {dict(sorted(seen.items()))}")
    assert seen[200] + seen[201] > 5
    assert 403 not in seen


def try_out(operation: Any, world: World, seen: Counter[int], pk: str = "") -> None:
    """Send what schemathesis makes of one operation, `pk` in the place of its own."""

    @given(case=operation.as_strategy())
    @usually
    def send(case: Any) -> None:
        if "slug" in case.path_parameters:
            case.path_parameters["slug"] = SLUG
        if pk and "pk" in case.path_parameters:
            case.path_parameters["pk"] = pk
        key = {"Authorization": f"Bearer {world.key}"}
        answer = case.call(headers=key, timeout=20)
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=[not_a_server_error])

    send()
