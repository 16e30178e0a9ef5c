"""Every source lives a life through the real writer: each resolve closes its own alert.

Fire, fire another, repeat, change severity, resolve, and the first body again, late.
`artifacts/lifecycles.md` gets the table that docs/sources.md keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alertcenter.alerts import intake
from alertcenter.alerts.models import Alert, Episode
from alertcenter.alerts.sources.adapter import Adapter, Incoming
from alertcenter.alerts.sources.registry import adapters
from alertcenter.alerts.translate import translate
from tenants.rls import in_tenant
from tests.sending import sending
from tests.sources.lives import LIVES, Life

TABLE = Path(__file__).parents[2] / "artifacts" / "lifecycles.md"

pytestmark = pytest.mark.django_db(transaction=True)


HEAD = (
    "| source | severities | repeat | change | resolve | the other | late duplicate |",
    "|---|---|---|---|---|---|---|",
)
LINES: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    LINES.clear()
    yield
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join([*HEAD, *sorted(LINES)]) + "\n")


@dataclass
class Judge:
    """Says what a sender would say, and looks what became of it."""

    tenant_id: UUID
    adapter: Adapter
    life: Life
    begun: datetime

    def say(self, name: str, firing: bool, severity: str, minutes: int) -> Any:
        """Say it so many minutes after the beginning; return its event."""
        at = self.begun + timedelta(minutes=minutes)
        body = self.life.say(name, firing, severity, at)
        headers = self.life.headers
        if headers is None:
            headers = self.adapter.example_headers
        found = translate(self.adapter.name, Incoming(body, headers))
        assert not found.reason, found.reason
        accepted = intake.accept(
            self.tenant_id, found.parsed, correlation_id="life", scope="life"
        ).result(10)
        assert not accepted.errors, accepted.errors
        (event,) = found.parsed.events
        return event

    def alerts(self) -> list[Alert]:
        with in_tenant(self.tenant_id):
            return list(Alert.objects.order_by("created_at", "id"))

    def episodes(self) -> int:
        with in_tenant(self.tenant_id):
            return Episode.objects.count()


@pytest.mark.parametrize("name", sorted(adapters()))
def test_each_resolve_closes_exactly_its_own_alert(name: str, acme: Any) -> None:
    life = LIVES[name]
    low, high = life.severities or ("", "")
    # Some bodies of the lives have this day's beginning written into them.
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    with sending():
        judge = Judge(acme.id, adapters()[name], life, begun)
        first = judge.say("web-1", True, low, 0)
        judge.say("web-2", True, low, 0)
        one, other = judge.alerts()
        assert one.state == other.state == "firing"
        judge.say("web-1", True, low, 1)
        one, other = judge.alerts()
        assert (one.count, other.count) == (2, 1)
        assert judge.episodes() == 2
        if life.severities and not life.severity_is_identity:
            judge.say("web-1", True, high, 2)
            one, other = judge.alerts()
            assert one.severity > other.severity
            assert judge.episodes() == 2
        word = low if life.severity_is_identity else high
        resolved = late = "never"
        if life.resolves:
            judge.say("web-1", False, word, 3)
            one, other = judge.alerts()
            assert (one.state, other.state) == ("resolved", "firing")
            resolved = "closes"
            judge.say("web-1", True, low, 0)
            one, other = judge.alerts()
            if first.starts_at is not None:
                assert one.state == "resolved"
                late = "stays closed"
            else:
                assert one.state == "firing"
                late = "reopens: no time in it"
    LINES.append(
        f"| {adapters()[name].title} (`{name}`) | {low or '–'} {high} | one alert | "
        f"{'severity changes' if low and not life.severity_is_identity else '–'} | "
        f"{resolved} | stays open | {late} |"
    )
