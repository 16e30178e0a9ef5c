"""What is an alert of Alerta?

https://docs.alerta.io/api/alert.html
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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    number,
    parts,
    tags,
    text,
    without,
)

NAME = "alerta"
OVER = ("normal", "ok", "cleared")
SEVERITIES = {
    "security": "critical", "critical": "critical", "major": "error", "minor": "warning",
    "warning": "warning", "indeterminate": "warning", "informational": "info",
    "debug": "debug", "trace": "debug", "unknown": "warning",
}  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the alert, or the alerts of a list. Raises NotUnderstood."""
    items = [
        one
        for one in as_objects(incoming.data)
        if first(one, "resource") and first(one, "event")
    ]
    if not items:
        raise NotUnderstood("resource and event are missing")
    return [each for one in items for each in events_of(one)]


def events_of(one: Data) -> list[Event]:
    """Return the alert; one that is over ends those it is correlated with too.

    Alerta keeps node_down, node_marginal and node_up as one alert, so that a normal
    node_up is all it hears of the end of node_down.
    """
    name = first(one, "event")
    found = one_event(one, name)
    if found.firing:
        return [found]
    others = [text(other) for other in parts(one, "correlate")[:20]]
    return [found] + [
        one_event(one, other) for other in others if other and other != name
    ]


def one_event(one: Data, name: str) -> Event:
    """Return one alert; severities correlate: normal closes what was major."""
    resource = first(one, "resource")
    word = (
        first(one, "severity").lower() or "normal"
        if first(one, "status") == "closed"
        else first(one, "severity").lower()
    )
    life = number(one.get("timeout"))
    over = word in OVER or first(one, "status").lower() in ("closed", "expired")
    attributes = one.get("attributes")
    at = moment(first(one, "createTime", "lastReceiveTime"))
    return event(
        NAME,
        title=f"{name} on {resource}"
        + (f": {first(one, 'text')}" if first(one, "text") else ""),
        key=joined(first(one, "environment"), resource, name, first(one, "customer")),
        firing=not over,
        severity=SEVERITIES.get(word, word or "warning"),
        labels={
            "alertname": name,
            "resource": resource,
            "environment": first(one, "environment"),
            "service": ", ".join(map(text, parts(one, "service"))),
            "group": first(one, "group"),
            "customer": first(one, "customer"),
            "origin": first(one, "origin"),
            **tags(one.get("tags")),
        },
        annotations={
            "description": first(one, "text"),
            "value": first(one, "value"),
            **(without(attributes) if type(attributes) is dict else {}),
        },
        link=first(one, "attributes.moreInfo", "attributes.runBookUrl"),
        starts_at=at,
        ends_at=at,
        ttl_seconds=int(life) if life and 1 <= life < 1e7 and not over else None,
    )


def recognise(incoming: Incoming) -> bool:
    items = as_objects(incoming.data)
    return bool(items) and all(
        {"resource", "event"} <= one.keys()
        and ("environment" in one or "service" in one)
        for one in items
    )


ADAPTER = Adapter(
    NAME,
    "Alerta",
    read,
    recognise,
    example={
        "resource": "web-1",
        "event": "HttpServerError",
        "environment": "Production",
        "severity": "major",
        "service": ["shop"],
        "group": "Web",
        "value": "Bad Gateway (502)",
        "text": "Site is down",
        "tags": ["region:eu"],
        "origin": "curl",
    },
    steps=(
        _(
            "Post alerts of Alerta to the URL; severity normal, ok or cleared closes them."
        ),
        _(
            "The alerta command speaks to AlertCenter too: see the documentation of its address."
        ),
    ),
    docs="https://docs.alerta.io/api/alert.html",
)
