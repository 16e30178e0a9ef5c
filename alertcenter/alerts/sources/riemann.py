"""What is an event of Riemann?

https://riemann.io/concepts.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_objects,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, tags, without

NAME = "riemann"
OVER = ("ok", "up", "normal", "clear", "resolved")
SEVERITIES = {"down": "critical", "failure": "error", "failed": "error"}
KNOWN = ("host", "service", "state", "description", "metric", "tags", "time", "ttl")


def read(incoming: Incoming) -> list[Event]:
    """Return the event, or the events of a list. Raises NotUnderstood."""
    items = as_objects(incoming.data)
    if len(items) == 1 and not first(items[0], "service", "state"):
        items = as_objects(items[0].get("events")) or as_objects(items[0].get("event"))
    items = [
        one
        for one in items
        if first(one, "service", "host")
        and first(one, "state", "metric", "description")
    ]
    if not items:
        raise NotUnderstood("service and state are missing")
    return [one_event(one) for one in items]


def one_event(one: Data) -> Event:
    # An expired event is one whose sender fell silent: that is no good news.
    state = first(one, "state").lower()
    host, service = first(one, "host"), first(one, "service")
    what = " on ".join(filter(None, (service, host)))
    firing = state not in OVER
    at = moment(one.get("time"))
    return event(
        NAME,
        title=f"{what} is {state}" if state else what,
        key=joined(host, service),
        firing=firing,
        severity=SEVERITIES.get(state, state) if firing else "",
        labels={
            "host": host,
            "service": service,
            **tags(one.get("tags")),
            "alertname": service or host,
        },
        annotations={
            "description": first(one, "description"),
            "value": first(one, "metric", "metric_f", "metric_d", "metric_sint64"),
            **without(one, *KNOWN),
        },
        starts_at=at if firing else None,
        ends_at=at,
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
