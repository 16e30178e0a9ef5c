"""What do the event rules of NetBox send?

https://netboxlabs.com/docs/netbox/integrations/webhooks/
An object changed: worth knowing, not worth a page; a status that says failed is.
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, objects, part, text

NAME = "netbox"
BAD = ("failed", "offline", "errored", "failing")
GOOD = ("active", "completed", "online", "connected", "available")
JOURNAL = {"danger": "error", "warning": "warning"}
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = first(data, "event", "event_type")
    model = first(data, "model") or first(data, "object_type").rpartition(".")[2]
    thing = part(data, "data")
    if not kind or not (model or thing):
        raise NotUnderstood("event and model are missing")
    name = first(thing, "display", "name", "id") or model
    status = first(thing, "status.value", "status")
    word = status.lower()
    before = first(data, "snapshots.prechange.status").lower()
    journal = model == "journalentry"
    at = moment(first(data, "timestamp"))
    firing = not is_over(kind, word, before)
    return [
        event(
            NAME,
            title=f"Journal of {journal_of(thing)}"
            if journal
            else f"{model} {name} {kind}" + (f" ({status})" if status else ""),
            # Each run of a script is a job with an id of its own.
            key=joined(model, name if kind.startswith("job") else first(thing, "id", "name") or name),
            firing=firing,
            severity=JOURNAL.get(first(thing, "kind.value", "kind"), "info")
            if journal
            else "error"
            if word in BAD
            else "info",
            labels={
                "alertname": f"NetBox {model} {kind}",
                "model": model,
                "device": first(
                    thing, "device.name", "assigned_object.device.name", "name"
                ),
                "site": first(thing, "site.name", "site.slug", "scope.name"),
                "role": first(thing, "role.name", "device_role.name"),
                "tenant_group": first(thing, "tenant.name"),
                "status": status,
                "tags": ", ".join(
                    first(tag, "slug", "name") for tag in objects(thing, "tags")
                ),
            },
            annotations={
                "description": first(thing, "description", "comments", "error"),
                "changed": changed(
                    part(data, "snapshots.prechange"),
                    part(data, "snapshots.postchange"),
                ),
                "user": first(data, "username", "request.user"),
                "request": first(data, "request_id", "request.id"),
            },
            link=first(thing, "display_url", "url"),
            starts_at=at if firing else None,
            ends_at=at,
            ttl_seconds=None if word in BAD else DAY,
        )
    ]  # fmt: skip


def is_over(kind: str, word: str, before: str) -> bool:
    """Whether an object that had failed is good again, or no more."""
    if kind in ("deleted", "object_deleted"):
        return word in BAD
    if kind.startswith("job"):
        return word in GOOD
    return word in GOOD and "created" not in kind and (not before or before in BAD)


def journal_of(thing: Data) -> str:
    about = first(
        thing, "assigned_object.display", "assigned_object.name", "assigned_object_type"
    )
    return f"{about}: {first(thing, 'comments', 'display')}"


def changed(before: Data, after: Data) -> str:
    """Return what was changed, a line for each field."""
    lines = [
        f"{name}: {text(before.get(name)) or '-'} → {text(value) or '-'}"
        for name, value in after.items()
        if name != "last_updated" and before.get(name) != value
    ]
    return "\n".join(lines[:20]) if before else ""


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and ("snapshots" in data or "request_id" in data)
        and ("model" in data or "object_type" in data)
        and ("event" in data or "event_type" in data)
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
