"""What is an event of Riemann?

https://riemann.io/concepts.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_objects,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, number, tags, without

NAME = "riemann"
OVER = ("ok", "up", "normal", "expired")
KNOWN = ("host", "service", "state", "description", "metric", "tags", "time", "ttl")


def read(incoming: Incoming) -> list[Event]:
    """Return the event, or the events of a list. Raises NotUnderstood."""
    items = as_objects(incoming.data)
    if len(items) == 1 and not first(items[0], "service", "state"):
        items = as_objects(items[0].get("events"))
    items = [
        one for one in items if first(one, "service", "host") and first(one, "state")
    ]
    if not items:
        raise NotUnderstood("service and state are missing")
    return [one_event(one) for one in items]


def one_event(one: dict[str, object]) -> Event:
    state = first(one, "state").lower()
    host, service = first(one, "host"), first(one, "service")
    life = number(one.get("ttl"))
    return event(
        NAME,
        title=f"{service} on {host} is {state}" if host else f"{service} is {state}",
        key=joined(host, service),
        firing=state not in OVER,
        severity=state,
        labels={
            "alertname": service,
            "host": host,
            "service": service,
            **tags(one.get("tags")),
        },
        annotations={
            "description": first(one, "description"),
            "value": first(one, "metric", "metric_f", "metric_d"),
            **without(one, *KNOWN),
        },
        starts_at=moment(one.get("time")),
        ends_at=moment(one.get("time")),
        ttl_seconds=int(life)
        if life and 1 <= life < 1e7 and state not in OVER
        else None,
    )


def recognise(incoming: Incoming) -> bool:
    items = as_objects(incoming.data)
    return bool(items) and all(
        {"host", "service", "state"} <= one.keys()
        and ("metric" in one or "ttl" in one or "time" in one)
        for one in items
    )


ADAPTER = Adapter(
    NAME,
    "Riemann",
    read,
    recognise,
    example={
        "host": "web-1",
        "service": "http latency",
        "state": "critical",
        "description": "p99 over 2 s",
        "metric": 2.7,
        "tags": ["shop"],
        "time": 1763715600,
    },
    steps=(
        _("Post each event that changes state as JSON to the URL."),
        _("Send the state ok too: it closes what is critical or warning."),
    ),
    docs="https://riemann.io/howto.html",
)
