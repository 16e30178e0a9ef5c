"""What does a person paste into a tool so that it sends here?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts.sources import registry
from alertcenter.alerts.translate import AUTO, MAPPED
from tenants.models import Integration
from tenants.models.apikey import Kind, Scope

YOUR_KEY = "YOUR_KEY"


@dataclass(frozen=True)
class Protocol:
    """A whole API of another product, which has an address of its own."""

    title: str
    address: str
    kind: Kind
    steps: Sequence[Any]


PROTOCOLS = {
    "pagerduty": Protocol(
        "PagerDuty Events API",
        "{base}/pagerduty/v2/enqueue",
        Kind.ROUTING,
        (
            gettext_lazy("Change the address of PagerDuty's Events API to this one."),
            gettext_lazy("Use the routing key in place of PagerDuty's."),
        ),
    ),
    "opsgenie_api": Protocol(
        "Opsgenie API",
        "{base}/opsgenie/",
        Kind.API,
        (
            gettext_lazy("Change the address of Opsgenie's API to this one."),
            gettext_lazy("Use the key as GenieKey."),
        ),
    ),
    "alerta_api": Protocol(
        "Alerta API",
        "{base}/alerta",
        Kind.API,
        (gettext_lazy("Set ALERTA_ENDPOINT and ALERTA_API_KEY to these."),),
    ),
}


def choices() -> list[tuple[str, str]]:
    """Return every source by its title."""
    found = {name: adapter.title for name, adapter in registry.adapters().items()}
    found |= {name: protocol.title for name, protocol in PROTOCOLS.items()}
    listed = sorted(found.items(), key=lambda pair: pair[1].lower())
    return [
        (AUTO, _("Find out by the payload's shape")),
        (MAPPED, _("Any JSON, with a mapping of your own")),
        *listed,
    ]


def title_of(source: str) -> str:
    """Return what people call a source."""
    return dict(choices()).get(source, source)


def key_kind(source: str) -> Kind:
    """Return which kind of key a source is used with."""
    protocol = PROTOCOLS.get(source)
    return protocol.kind if protocol else Kind.URL


def scopes_of(source: str, kind: Kind) -> list[str]:
    """Return what a new key may do. What stands in an address may send, no more; an
    API whose clients acknowledge and close may act."""
    if kind != Kind.API:
        return [Scope.INGEST]
    return [Scope.INGEST, Scope.READ, *([Scope.ACT] if source in PROTOCOLS else [])]


def address_of(integration: Integration, key: str) -> str:
    """Return where the tool sends; with the key at its end unless it is an API's."""
    protocol = PROTOCOLS.get(integration.source)
    if protocol is not None:
        return protocol.address.replace("{base}", settings.BASE_URL)
    return f"{settings.BASE_URL}/in/{integration.source}/{key}"


def steps_of(source: str) -> list[str]:
    """Return what to do in the tool, in the reader's language."""
    if protocol := PROTOCOLS.get(source):
        return [str(step) for step in protocol.steps]
    adapter = registry.find(source)
    if adapter is None:
        return [
            _("Post JSON to the URL."),
            _("Write below which part of it is the title, the key, and so on."),
        ]
    return [_(step) for step in adapter.steps]


def snippet_of(integration: Integration, slug: str, key: str, header_key: str) -> str:
    """Return what to paste, filled in with the address and the keys."""
    adapter = registry.find(integration.source)
    url = address_of(integration, key)
    if integration.source in PROTOCOLS:
        return f"{url}\n{key}"
    text = adapter.snippet if adapter else ""
    example = adapter.example if adapter else {"name": "Disk is full", "host": "db-1"}
    body = example if isinstance(example, str) else json.dumps(example, indent=2)
    if not text:
        text = (
            "curl -X POST {url} \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            "  -d @- <<'END'\n{example}\nEND"
        )
    scheme, _sep, host = settings.BASE_URL.partition("://")
    for name, value in (
        ("{url}", url),
        ("{key}", header_key),
        ("{slug}", slug),
        ("{scheme}", scheme),
        ("{host}", host),
        ("{example}", body),
    ):
        text = text.replace(name, value)
    return text
