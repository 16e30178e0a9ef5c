"""What do PagerDuty's webhooks send about its incidents, in versions 3, 2 and 1?

https://developer.pagerduty.com/docs/webhooks-overview
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
from alertcenter.alerts.sources.shapes import first, moment, objects, part

NAME = "pagerduty_webhook"
OVER = ("resolved", "resolve")
PRIORITIES = {"high": "critical", "low": "warning"}
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body, none for a test ping. Raises NotUnderstood."""
    data = as_object(incoming)
    found = part(data, "event")
    if found:
        kind = first(found, "event_type")
        if kind == "pagey.ping":
            return []
        about, at = part(found, "data"), first(found, "occurred_at")
        if part(about, "incident") or not kind.startswith("incident."):
            return [note(kind, about, first(found, "agent.summary"), at)]
        return [incident(kind, about, at)]
    messages = objects(data, "messages") or (
        [data] if part(data, "incident") and "event" in data else []
    )
    if not messages:
        raise NotUnderstood("there is neither an event nor a list of messages")
    return [
        incident(
            first(one, "event", "type"),
            part(one, "incident") or part(one, "data.incident") or part(one, "data"),
            first(one, "created_on"),
        )
        for one in messages[:100]
    ]


def note(kind: str, found: Data, author: str, at: str) -> Event:
    """Return what was said of an incident, a responder, or a service.

    It does not know whether the incident still is open: an alert of its own, quiet.
    """
    about = part(found, "incident") or found
    number = first(about, "id", "summary")
    what = kind.removeprefix("incident.").replace(".", " ").replace("_", " ")
    title = first(about, "title", "summary") or first(found, "type")
    return event(
        NAME,
        title=f"{title or 'PagerDuty'}: {what or 'event'}",
        key=joined(number, kind),
        severity="info",
        labels={
            "alertname": kind,
            "service": first(found, "service.summary")
            or ("" if kind.startswith("incident.") else title),
        },
        annotations={
            "description": first(found, "content", "message", "summary"),
            "author": author,
        },
        link=first(about, "html_url"),
        starts_at=moment(at),
        ttl_seconds=DAY,
    )


def incident(kind: str, about: Data, at: str) -> Event:
    """Return what became of an incident; all but its resolution keeps it firing."""
    status = first(about, "status").lower()
    number = first(about, "id", "incident_key", "incident_number", "number")
    title = first(
        about, "title", "trigger_summary_data.subject",
        "trigger_summary_data.description", "summary", "description",
    )  # fmt: skip
    over = kind.rpartition(".")[2] in OVER or status == "resolved"
    return event(
        NAME,
        title=title or f"Incident {number or '?'}",
        key=number or joined(title),
        firing=not over,
        severity=first(about, "priority.summary", "priority.name")
        or PRIORITIES.get(
            first(about, "urgency", "service.incident_urgency_rule.urgency").lower(),
            "error",
        ),
        labels={
            "alertname": title,
            "service": first(about, "service.summary", "service.name"),
            "urgency": first(about, "urgency"),
            "team": first(about, "teams.0.summary"),
            "status": status,
        },
        annotations={
            "description": first(
                about,
                "body.details",
                "first_trigger_log_entry.summary",
                "trigger_summary_data.description",
            ),
            "event": kind,
            "resolved_by": first(about, "resolve_reason.type", "resolved_by_user.name"),
            "assigned_to": first(
                about,
                "assignees.0.summary",
                "assigned_to_user.name",
                "assignments.0.assignee.summary",
            ),
        },
        link=first(about, "html_url"),
        starts_at=moment(first(about, "created_at", "created_on")),
        ends_at=moment(at),
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    kind = first(part(data, "event"), "event_type")
    if kind.startswith(("incident.", "pagey.", "service.")):
        return True
    one = next(iter(objects(data, "messages")), {})
    if first(one, "event", "type").startswith("incident."):
        return True
    return first(data, "event").startswith("incident.") and bool(part(data, "incident"))


ADAPTER = Adapter(
    NAME,
    "PagerDuty webhooks",
    read,
    recognise,
    example={
        "event": {
            "id": "01B",
            "event_type": "incident.triggered",
            "resource_type": "incident",
            "occurred_at": "2026-11-20T10:00:00.000Z",
            "data": {
                "id": "PGR0VU2",
                "type": "incident",
                "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
                "number": 2,
                "status": "triggered",
                "created_at": "2026-11-20T10:00:00Z",
                "title": "Checkout is slow",
                "service": {"summary": "Shop"},
                "urgency": "high",
            },
        }
    },
    steps=(
        _(
            "In PagerDuty, open Integrations, Generic Webhooks (v3), and add a subscription with the URL."
        ),
        _(
            "Choose the events incident.triggered, incident.resolved and what else you want."
        ),
    ),
    docs="https://developer.pagerduty.com/docs/webhooks-overview",
)
