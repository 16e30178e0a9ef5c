"""What does Better Stack (once Better Uptime) send about its incidents?

Its webhooks tell of monitors and on-call changes too, which are no alerts. The incident
log is a second road, whose events are flat and name themselves "incident.started".
https://betterstack.com/docs/uptime/webhooks/
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
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, part, parts, text

NAME = "betterstack"
OVER = frozenset({"resolved", "incident.resolved", "auto_resolved", "recovered"})
OTHERS = ("monitor", "heartbeat", "on_call", "on-call", "policy", "status_page")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of an incident; none for all else that it tells.

    Raises NotUnderstood.
    """
    data = as_object(incoming)
    said, kind = first(data, "event").lower(), first(data, "data.type").lower()
    incident = part(data, "data.attributes")
    if kind == "incident" and incident:
        return [incident_event(said, incident, first(data, "data.id"), data)]
    if said.startswith("incident.") and first(data, "incident_id", "id"):
        return [incident_event(said, data, first(data, "incident_id", "id"), data)]
    if (incident and kind.startswith(OTHERS)) or (
        "organization_id" in data and said.startswith(OTHERS)
    ):
        return []
    raise NotUnderstood("there is no incident")


def incident_event(said: str, incident: Data, number: str, data: Data) -> Event:
    """Return an incident that started, was acknowledged, or is over."""
    ended = moment(first(incident, "resolved_at"))
    status = first(incident, "status").lower()
    name = first(incident, "name", "incident_name", "monitor_name", "url")
    cause = first(incident, "cause", "incident_cause")
    # Reopened: the event is newer than the time at which it was once resolved.
    over = said in OVER or (said in ("", "updated") and (bool(ended) or status in OVER))
    return event(
        NAME,
        title=f"{name}: {cause}" if name and cause else name or cause or first(data, "message"),
        key=number or name,
        firing=not over,
        severity=first(incident, "metadata.severity", "severity") or "critical",
        labels={
            "alertname": cause if len(cause) <= 80 else "Incident",
            "instance": name,
            "monitor_id": first(data, "data.relationships.monitor.data.id", "monitor_id"),
            "heartbeat_id": first(data, "data.relationships.heartbeat.data.id"),
            "team": first(incident, "team_name"),
            "regions": ", ".join(map(text, parts(incident, "regions")[:20])),
        },
        annotations={
            "description": first(data, "message") or cause,
            "url": first(incident, "url", "monitor_url"),
            "response": first(incident, "response_content")[:1000],
            "acknowledged_by": first(incident, "acknowledged_by"),
        },
        link=first(incident, "origin_url", "incident_url", "response_url")
        or first(incident, "url", "monitor_url"),
        image=first(incident, "screenshot_url"),
        starts_at=moment(first(incident, "started_at") or first(data, "dt"))
        if not over or first(incident, "started_at")
        else None,
        ends_at=ended or moment(first(data, "dt")),
    )  # fmt: skip


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or type(data.get("event")) is not str:
        return False
    if "organization_id" in data and "dt" in data:
        return True
    attributes = part(data, "data.attributes")
    return bool(attributes) and first(data, "data.type") in (
        "incident",
        "monitor",
        "heartbeat",
    )


ADAPTER = Adapter(
    NAME,
    "Better Stack",
    read,
    recognise,
    example={
        "event": "started",
        "data": {
            "id": "25",
            "type": "incident",
            "attributes": {
                "name": "Shop",
                "url": "https://shop.example",
                "http_method": "get",
                "cause": "Status 503",
                "started_at": "2026-11-20T10:00:00.000Z",
                "acknowledged_at": None,
                "resolved_at": None,
                "screenshot_url": None,
                "team_name": "Web",
            },
            "relationships": {"monitor": {"data": {"id": "4", "type": "monitor"}}},
        },
    },
    steps=(
        _("In Better Stack, open Integrations, Exporting data, and add a webhook."),
        _("Choose incidents as its type and paste the URL."),
    ),
    docs="https://betterstack.com/docs/uptime/webhooks/",
)
