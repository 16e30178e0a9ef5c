"""What does Uptime Kuma send when a monitor goes down or comes back?

https://github.com/louislam/uptime-kuma/wiki/Notification-Methods
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

NAME = "uptime_kuma"
# DOWN, UP, PENDING, MAINTENANCE.
UP, PENDING, MAINTENANCE = "1", "2", "3"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    monitor, beat = part(data, "monitor"), part(data, "heartbeat")
    words = first(data, "msg", "message")
    if not monitor and not beat:
        if not words:
            raise NotUnderstood("there is neither a monitor nor a msg")
        # The test button, and notices about certificates, name no monitor.
        return [
            event(
                NAME,
                title=words,
                key=joined("message", words),
                severity="info" if "testing" in words.lower() else "warning",
                labels={"alertname": "UptimeKuma"},
                ttl_seconds=24 * 3600,
            )
        ]
    status = first(beat, "status")
    if not status:
        status = (
            UP if "is up" in words.lower() or "up" in words.lower().split() else "0"
        )
    name = first(monitor, "name", "pathName") or words
    at = moment(first(beat, "time"))
    return [
        event(
            NAME,
            title=f"{name} is {'up' if status == UP else 'down'}"
            if status in ("0", UP)
            else f"{name} is {'pending' if status == PENDING else 'in maintenance'}",
            key=first(monitor, "id") or first(beat, "monitorID") or name,
            firing=status not in (UP, MAINTENANCE),
            severity="warning" if status == PENDING else "critical",
            labels={
                "alertname": "Down",
                "instance": name,
                "host": first(monitor, "hostname"),
                "type": first(monitor, "type"),
                "group": first(monitor, "parentName"),
                **{
                    first(tag, "name"): first(tag, "value") or "true"
                    for tag in objects(monitor, "tags")
                },
            },
            annotations={
                "description": first(beat, "msg") or words,
                "ping_ms": first(beat, "ping"),
            },
            link=first(monitor, "url"),
            starts_at=at,
            ends_at=at,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and "heartbeat" in data and "monitor" in data


ADAPTER = Adapter(
    NAME,
    "Uptime Kuma",
    read,
    recognise,
    example={
        "heartbeat": {
            "monitorID": 1,
            "status": 0,
            "time": "2026-11-20 10:00:00.000",
            "msg": "connect ECONNREFUSED",
            "important": True,
        },
        "monitor": {
            "id": 1,
            "name": "Shop",
            "url": "https://shop.example",
            "type": "http",
        },
        "msg": "[Shop] [Down] connect ECONNREFUSED",
    },
    steps=(
        _("In Uptime Kuma, open Settings, Notifications, and add one of type Webhook."),
        _("Paste the URL, choose application/json, and apply it to your monitors."),
    ),
    docs="https://github.com/louislam/uptime-kuma/wiki/Notification-Methods",
)
