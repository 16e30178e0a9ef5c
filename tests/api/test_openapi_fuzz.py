"""Does anything that the OpenAPI document allows, or nearly allows, end in a 5xx?

schemathesis makes requests from our own document and sends them to a running server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
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


def try_out(operation: Any, world: World, seen: Counter[int]) -> None:
    """Send what schemathesis makes of one operation."""

    @given(case=operation.as_strategy())
    @usually
    def send(case: Any) -> None:
        if "slug" in case.path_parameters:
            case.path_parameters["slug"] = SLUG
        key = {"Authorization": f"Bearer {world.key}"}
        answer = case.call(headers=key, timeout=20)
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=[not_a_server_error])

    send()
