"""What do the event rules of NetBox send?

https://netboxlabs.com/docs/netbox/integrations/webhooks/
An object changed: worth knowing, not worth a page; a status that says failed is.
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, objects, part

NAME = "netbox"
BAD = ("failed", "offline", "errored", "decommissioning")
GOOD = ("active", "completed", "online", "connected")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    kind, model = first(data, "event"), first(data, "model", "object_type")
    thing = part(data, "data")
    if not kind or not (model or thing):
        raise NotUnderstood("event and model are missing")
    name = first(thing, "display", "name", "id") or model
    status = first(thing, "status.value", "status")
    word = status.lower()
    return [
        event(
            NAME,
            title=f"{model} {name} {kind}" + (f" ({status})" if status else ""),
            key=joined(model, first(thing, "id") or name),
            firing=word not in GOOD and kind != "deleted",
            severity="error" if word in BAD else "info",
            labels={
                "alertname": f"NetBox {model} {kind}",
                "model": model,
                "device": first(thing, "name", "device.name"),
                "site": first(thing, "site.name", "site.slug"),
                "role": first(thing, "role.name", "device_role.name"),
                "tenant_group": first(thing, "tenant.name"),
                "status": status,
                "tags": ", ".join(
                    first(tag, "slug", "name") for tag in objects(thing, "tags")
                ),
            },
            annotations={
                "user": first(data, "username"),
                "request": first(data, "request_id"),
                "description": first(thing, "description", "comments"),
                "before": part(data, "snapshots.prechange")
                and first(data, "snapshots.prechange.status"),
            },
            link=first(thing, "display_url", "url"),
            starts_at=moment(first(data, "timestamp")),
            ends_at=moment(first(data, "timestamp")),
            ttl_seconds=None if word in BAD else 24 * 3600,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and ("snapshots" in data or "request_id" in data)
        and "model" in data
        and "event" in data
    )


ADAPTER = Adapter(
    NAME,
    "NetBox",
    read,
    recognise,
    example={
        "event": "updated",
        "timestamp": "2026-11-20T10:00:00.000000+00:00",
        "model": "device",
        "username": "alice",
        "request_id": "fdbca812",
        "data": {
            "id": 19,
            "name": "sw-1",
            "display_url": "https://netbox.example/dcim/devices/19/",
            "status": {"value": "failed", "label": "Failed"},
            "site": {"name": "Frankfurt"},
        },
        "snapshots": {
            "prechange": {"status": "active"},
            "postchange": {"status": "failed"},
        },
    },
    steps=(
        _(
            "In NetBox, open Operations, Webhooks, and add one with the URL, method POST."
        ),
        _(
            "Add an event rule for the objects that matter, with this webhook as its action."
        ),
    ),
    docs="https://netboxlabs.com/docs/netbox/integrations/webhooks/",
)
