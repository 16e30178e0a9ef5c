"""How does a test send events? Through the real writer, committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from alertcenter.alerts import intake
from alertcenter.alerts.models import Alert
from alertcenter.alerts.sources import alertmanager_v2, own_json
from tenants.rls import in_tenant


class Sender:
    """Sends to one intake that lives as long as the test."""

    def prometheus(self, tenant_id: UUID, *alerts: dict[str, Any]) -> intake.Accepted:
        """Send alerts in the form of Alertmanager's API v2."""
        parsed = alertmanager_v2.parse(json.dumps(alerts, default=str).encode())
        assert not parsed.errors, parsed.errors
        return intake.accept(tenant_id, parsed, correlation_id="test").result(10)

    def own(self, tenant_id: UUID, *events: dict[str, Any]) -> intake.Accepted:
        """Send events in our own JSON."""
        parsed = own_json.parse(json.dumps(events, default=str).encode())
        assert not parsed.errors, parsed.errors
        return intake.accept(tenant_id, parsed, correlation_id="test").result(10)


@contextmanager
def sending() -> Iterator[Sender]:
    """Run an intake on the test's database."""
    intake.start()
    try:
        yield Sender()
    finally:
        intake.stop()


@pytest.fixture
def send(transactional_db: None) -> Iterator[Sender]:
    """A sender to the test's database."""
    with sending() as sender:
        yield sender


def only_alert(tenant_id: UUID) -> Alert:
    """Return the tenant's one alert."""
    with in_tenant(tenant_id):
        return Alert.objects.get()
