"""How is a kept payload read once more, and an example sent?

Both take the road of every event: today's adapter, the tenant's rules, one commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from alertcenter.alerts import intake
from alertcenter.alerts.events import BadBody, Parsed
from alertcenter.alerts.models import RawEvent
from alertcenter.alerts.sources import bodies, registry
from alertcenter.alerts.sources.adapter import Adapter, Incoming
from alertcenter.alerts.translate import AUTO, MAPPED, Translated, translate
from alertcenter.common import tracing
from tenants.models import Integration

SECONDS = 15.0
EXAMPLE_SECONDS = 15 * 60
# The fast roads have names of their own; their bodies are those of these adapters.
SAME_AS = {
    "alertmanager_v2": "prometheus",
    "alertmanager_webhook": "alertmanager",
    "alerts": "events",
}


class CannotReplay(Exception):
    """The payload cannot be read again; the message says why."""


def translated(row: RawEvent, settings: Mapping[str, Any]) -> Translated:
    """Return what the kept payload means today. Raises CannotReplay."""
    source = SAME_AS.get(row.protocol, row.protocol)
    adapter = registry.find(source)
    if adapter is None and source not in (AUTO, MAPPED):
        raise CannotReplay(f"There is no adapter for {row.protocol}.")
    if row.size > len(row.content):
        raise CannotReplay("Only a part of this payload was kept.")
    query = dict(row.context.get("query") or {})
    try:
        if adapter is not None and adapter.takes_get and not row.content.strip():
            data: Any = query
        else:
            takes_text = adapter is not None and adapter.takes_text
            data = bodies.decode(row.content, row.content_type, takes_text=takes_text)
    except BadBody as error:
        raise CannotReplay(str(error)) from error
    headers = dict(row.context.get("headers") or {})
    return translate(source, Incoming(data, headers, query), settings)


def replay(row: RawEvent) -> Translated:
    """Read a kept payload by today's adapter and keep what it says.

    Needs the tenant's context. Raises CannotReplay, and intake's errors.
    """
    mine = Integration.objects.filter(tenant_id=row.tenant_id)
    origin = mine.filter(pk=row.integration_id).first() if row.integration_id else None
    found = translated(row, origin.settings if origin else {})
    labelled = row.protocol in SAME_AS
    scope = origin.pk.hex if origin else ("" if labelled else row.protocol)
    keep(row.tenant_id, found.parsed, scope)
    return found


def send_example(integration: Integration) -> Translated:
    """Send the adapter's example as if its tool had; it resolves by itself."""
    adapter = registry.find(integration.source)
    if adapter is None:
        raise CannotReplay("This source has no example.")
    found = translate(integration.source, example_of(adapter), integration.settings)
    events = [
        replace(
            event,
            labels={**event.labels, "example": "true"},
            starts_at=None,
            ends_at=None,
            firing=True,
            ttl_seconds=EXAMPLE_SECONDS,
        )
        for event in found.parsed.events
    ]
    found.parsed.events[:] = events
    keep(integration.tenant_id, found.parsed, integration.pk.hex)
    return found


def example_of(adapter: Adapter) -> Incoming:
    """Return the adapter's example as it would arrive."""
    example = adapter.example
    data = {"text": example} if isinstance(example, str) else example
    return Incoming(data, adapter.example_headers)


def keep(tenant_id: UUID, parsed: Parsed, scope: str) -> None:
    """Commit the events; returns when they are."""
    intake.accept(
        tenant_id, parsed, correlation_id=tracing.current(), scope=scope
    ).result(SECONDS)
