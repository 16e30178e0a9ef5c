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


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body, none for a test ping. Raises NotUnderstood."""
    data = as_object(incoming)
    found = part(data, "event")
    if found:
        kind = first(found, "event_type")
        if kind == "pagey.ping":
            return []
        return [incident(kind, part(found, "data"), first(found, "occurred_at"))]
    messages = objects(data, "messages")
    if not messages:
        raise NotUnderstood("there is neither an event nor a list of messages")
    return [
        incident(
            first(one, "event", "type"),
            part(one, "incident") or part(one, "data.incident"),
            first(one, "created_on"),
        )
        for one in messages[:100]
    ]


def incident(kind: str, found: Data, at: str) -> Event:
    """Return what became of an incident; notes and the like keep it firing."""
    status = first(found, "status").lower()
    about = part(found, "incident") or found
    number = first(about, "id", "incident_key", "incident_number", "number")
    title = first(about, "title", "summary", "description") or first(
        found, "trigger_summary_data.subject", "trigger_summary_data.description"
    )
    over = kind.rpartition(".")[2] in OVER or status == "resolved"
    return event(
        NAME,
        title=title or f"Incident {number or '?'}",
        key=number or joined(title),
        firing=not over,
        severity=first(about, "priority.summary", "priority.name")
        or PRIORITIES.get(first(about, "urgency").lower(), "error"),
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
            "note": first(found, "content"),
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
    return first(one, "event", "type").startswith("incident.")


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
