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
# Certificates are told of at three, two and one weeks before.
WEEK = 7 * 24 * 3600
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
        return [notice(words)]
    status = first(beat, "status") or status_in(words)
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
            # A monitor without an address has the field's own beginning in it.
            link=first(monitor, "url") if len(first(monitor, "url")) > 8 else "",
            starts_at=at,
            ends_at=at,
        )
    ]


def notice(words: str) -> Event:
    """Return what names no monitor: the test button, a certificate that expires."""
    expires = "certificate" in words.lower() or "expire" in words.lower()
    return event(
        NAME,
        title=words,
        # The days that are left change from one notice to the next.
        key=joined("message", words.partition(" will ")[0] if expires else words),
        severity="warning" if expires else "info",
        labels={"alertname": "CertificateExpires" if expires else "UptimeKuma"},
        ttl_seconds=WEEK if expires else WEEK // 7,
    )


def status_in(words: str) -> str:
    """Return the status that a message of "[Shop] [✅ Up] 200 - OK" tells."""
    low = words.lower()
    return UP if " up]" in low or "[up]" in low or "is up" in low else "0"


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
