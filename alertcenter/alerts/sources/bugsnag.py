"""What does BugSnag's webhook send about errors?

https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/
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

NAME = "bugsnag"
OVER = frozenset({"fixed", "ignored", "snoozed", "resolved", "closed", "discarded"})
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a delivery. Raises NotUnderstood."""
    data = as_object(incoming)
    trigger, error = part(data, "trigger"), part(data, "error")
    kind = first(trigger, "type")
    if not kind and not error:
        raise NotUnderstood("a trigger and an error are missing")
    project = first(data, "project.name")
    if not error:
        return [about_project(data, kind, project)]
    name = first(error, "exceptionClass", "name") or "Error"
    context = first(error, "context")
    # An error is told of again by each of its events: `id` is that event's.
    number = first(error, "errorId") or joined(name, context, first(error, "message"))
    state = first(trigger, "stateChange") or first(error, "status")
    message = first(error, "message")
    return [
        event(
            NAME,
            title=f"{name}: {message}"
            if message
            else f"{name} in {context or project}",
            key=joined(first(data, "project.id") or project, number),
            firing=state.lower() not in OVER,
            severity=first(error, "severity") or "error",
            labels={
                "alertname": name,
                "project": project,
                "context": context,
                "environment": first(error, "releaseStage", "app.releaseStage"),
                "version": first(error, "appVersion", "app.version"),
                "user": first(error, "userId", "user.id"),
            },
            annotations={
                "description": message,
                "event": first(trigger, "message") or kind,
                "comment": first(data, "comment.message"),
                "author": first(data, "user.name"),
                "value": first(error, "occurrences"),
                "request_url": first(error, "requestUrl"),
            },
            link=first(error, "url") or first(data, "project.url"),
            starts_at=moment(first(error, "firstReceived", "receivedAt")),
            ends_at=moment(first(error, "receivedAt")),
        )
    ]


def about_project(data: dict[str, object], kind: str, project: str) -> Event:
    """Return a spike of the whole project, a release, a rate limit."""
    release = part(data, "release")
    words = first(data, "trigger.message") or kind
    version = first(release, "version")
    return event(
        NAME,
        title=f"{project}: {words}" + (f" {version}" if version else ""),
        key=joined(first(data, "project.id") or project, kind),
        severity="info" if release or kind == "release" else "error",
        labels={
            "alertname": kind,
            "project": project,
            "environment": first(release, "releaseStage", "releaseStage.name"),
        },
        annotations={"description": words, "version": version},
        link=first(release, "url") or first(data, "project.url"),
        starts_at=moment(first(release, "releaseTime")),
        ttl_seconds=DAY,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    return (
        "type" in part(data, "trigger")
        and "project" in data
        and ("exceptionClass" in part(data, "error") or "account" in data)
    )


ADAPTER = Adapter(
    NAME,
    "BugSnag",
    read,
    recognise,
    example={
        "account": {"name": "Acme"},
        "project": {
            "id": "p1",
            "name": "shop",
            "url": "https://app.bugsnag.com/acme/shop",
        },
        "trigger": {"type": "firstException", "message": "New error"},
        "error": {
            "id": "e1",
            "errorId": "6a1",
            "exceptionClass": "KeyError",
            "message": "cart",
            "context": "checkout#pay",
            "severity": "error",
            "status": "open",
            "releaseStage": "production",
            "receivedAt": "2026-11-20T10:00:00Z",
            "url": "https://app.bugsnag.com/acme/shop/errors/6a1",
        },
    },
    steps=(
        _(
            "In BugSnag's project settings, open Data forwarding, Webhook, and add the URL."
        ),
        _("Choose new, reopened and frequent errors, and changes of their state."),
    ),
    docs="https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/",
)
