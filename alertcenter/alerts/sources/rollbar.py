"""What do Rollbar's webhooks send about items, occurrences and deploys?

https://docs.rollbar.com/docs/webhooks
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
from alertcenter.alerts.sources.shapes import first, moment, part

NAME = "rollbar"
LEVELS = {
    "10": "debug", "20": "info", "30": "warning", "40": "error", "50": "critical",
}  # fmt: skip
OVER = ("resolved_item", "muted_item")
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a delivery. Raises NotUnderstood."""
    data = as_object(incoming)
    kind, body = first(data, "event_name"), part(data, "data")
    if not kind or not body:
        raise NotUnderstood("event_name and data are missing")
    item = part(body, "item")
    if not item:
        return [news(kind, body)]
    occurrence = part(body, "occurrence") or part(item, "last_occurrence")
    level = first(occurrence, "level") or first(item, "level_string", "level")
    number = first(item, "id", "counter")
    title = first(item, "title") or first(occurrence, "body.message.body")
    count = first(body, "occurrences") or first(item, "total_occurrences")
    return [
        event(
            NAME,
            title=title or f"Rollbar item {number}",
            key=joined(first(item, "project_id"), number or title),
            firing=kind not in OVER and first(item, "status") not in ("resolved", "2"),
            severity=LEVELS.get(level, level or "error"),
            labels={
                "alertname": title,
                "environment": first(item, "environment"),
                "framework": first(item, "framework"),
                "language": first(occurrence, "language"),
                "host": first(occurrence, "server.host", "server.name"),
            },
            annotations={
                "description": first(
                    occurrence,
                    "body.trace.exception.message",
                    "body.trace_chain.0.exception.message",
                    "body.message.body",
                ),
                "event": kind,
                "context": first(occurrence, "context"),
                "request_url": first(occurrence, "request.url"),
                "value": count,
            },
            link=first(data, "url") or first(body, "url") or first(item, "url", "link"),
            starts_at=moment(
                item.get("activating_timestamp")
                or item.get("first_occurrence_timestamp")
                or occurrence.get("timestamp")
            ),
            ends_at=moment(item.get("last_resolved_timestamp")),
        )
    ]


def news(kind: str, body: dict[str, object]) -> Event:
    """Return a deploy, or the test that a person sends, readable and quiet."""
    deploy = part(body, "deploy")
    where = first(deploy, "environment")
    words = kind.replace("_", " ").capitalize()
    message = first(body, "message")
    return event(
        NAME,
        title=f"{words} to {where}" if where else f"{words}: {message or 'Rollbar'}",
        key=joined(kind, first(deploy, "project_id"), where or message),
        severity="info",
        labels={"alertname": kind, "environment": where},
        annotations={
            "description": first(deploy, "comment") or message,
            "revision": first(deploy, "revision"),
            "author": first(deploy, "local_username", "user_id"),
        },
        starts_at=moment(deploy.get("finish_time") or deploy.get("start_time")),
        ttl_seconds=DAY,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or type(data.get("event_name")) is not str:
        return False
    found = part(data, "data")
    return "title" in part(found, "item") or (
        data["event_name"] == "deploy" and bool(part(found, "deploy"))
    )


ADAPTER = Adapter(
    NAME,
    "Rollbar",
    read,
    recognise,
    example={
        "event_name": "new_item",
        "data": {
            "item": {
                "id": 272505123,
                "project_id": 90,
                "title": "TypeError: cart is undefined",
                "environment": "production",
                "status": 1,
                "first_occurrence_timestamp": 1763715600,
                "last_occurrence": {"level": "error", "language": "python"},
            }
        },
    },
    steps=(
        _(
            "In Rollbar's project settings, open Notifications, Webhook, and add the URL."
        ),
        _("Keep the rules for new, reactivated and resolved items."),
    ),
    docs="https://docs.rollbar.com/docs/webhooks",
)
