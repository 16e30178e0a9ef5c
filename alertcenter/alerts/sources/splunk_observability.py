"""What does Splunk Observability Cloud (SignalFx) send for a detector?

One JSON object when a rule begins to hold, one when it no longer does, both with the
incident's id. Its events come through Amazon EventBridge inside `detail`, and those of
the incident API name the same things differently.
https://help.splunk.com/en/splunk-observability-cloud/administer/notification-services
"""

from __future__ import annotations

from datetime import datetime

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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    part,
    text,
)

NAME = "splunk_observability"
OVER = frozenset({"ok", "stopped", "manually resolved", "resolved", "cleared", "clear"})
CLEARED = ("back to normal", "manually resolved", "stopped", "cleared", "resolved")
OBJECTS = (
    "host", "host.name", "instance", "k8s.pod.name", "kubernetes_pod_name",
    "service.name", "sf_service", "service", "container_name",
)  # fmt: skip
INTERNAL = ("sf_", "computationid", "orgid", "_")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    if "incidentId" not in data and "incidentId" in part(data, "detail"):
        data = part(data, "detail")
    incident = first(data, "incidentId")
    detector = first(data, "detector", "detectorName", "inputs.detector")
    rule = first(data, "rule", "detectLabel", "inputs.rule")
    headline = first(data, "messageTitle", "inputs.messageTitle")
    known = first(data, "detectorId", "detectorUrl", "detectOnCondition", "eventType")
    if not (incident or known) or not (incident or detector or rule or headline):
        raise NotUnderstood("incidentId and the detector are missing")
    dimensions = dimensions_of(data)
    firing = is_firing(data, headline)
    at = moment(first(data, "timestamp", "timestampISO8601")) or ended(data)
    name = rule or detector
    if name and detector and detector not in name:
        name = f"{name} ({detector})"
    where = first(dimensions, *OBJECTS)
    if name and where and where not in name:
        name = f"{name}: {where}"
    return [
        event(
            NAME,
            title=name or headline or f"Incident {incident}",
            key=incident
            or joined(
                first(data, "detectorId") or detector,
                rule or first(data, "eventType"),
                *(f"{one}={dimensions[one]}" for one in sorted(dimensions)),
            ),
            firing=firing,
            severity=first(data, "severity", "inputs.severity") or "error",
            labels={
                "detector": detector,
                "metric": first(data, "originatingMetric"),
                **dimensions,
                "alertname": rule or detector,
            },
            annotations={
                "description": first(data, "messageBody", "displayBody")
                or first(data, "description", "inputs.description"),
                "summary": headline,
                "condition": first(data, "detectOnCondition"),
                "value": value_of(data),
                "tip": first(data, "tip", "inputs.tip"),
                "runbook_url": first(data, "runbookUrl", "inputs.runbookUrl"),
            },
            link=first(data, "detectorUrl", "detectorURL").replace(" ", "%20"),
            image=first(data, "imageUrl", "imageURL"),
            starts_at=at if firing else None,
            ends_at=at,
        )
    ]


def is_firing(data: Data, headline: str) -> bool:
    """Whether it is still so; `statusExtended` says more than `status`."""
    state = first(data, "statusExtended", "status", "anomalyState")
    if state:
        return state.lower().replace("_", " ") not in OVER
    if type(data.get("active")) is bool:
        return bool(data["active"])
    return not headline.lower().startswith(CLEARED)


def ended(data: Data) -> datetime | None:
    """Return the time of the last of an incident's events."""
    events = objects(data, "events")
    return moment(events[-1].get("timestamp")) if events else None


def dimensions_of(data: Data) -> dict[str, str]:
    """Return the signal's dimensions: they name the object that is in trouble."""
    found = dict(part(data, "dimensions"))
    for one in list(part(data, "inputs").values())[:20]:
        found |= part(one, "key")
    if not found:
        body = first(data, "messageBody").partition("Signal details:")[2]
        inside = body.partition("{")[2].partition("}")[0][:4000]
        for pair in inside.split(", "):
            name, equals, value = pair.partition("=")
            if equals:
                found[name.strip()] = value.strip()
    return {
        name: text(value)
        for name, value in found.items()
        if not name.lower().startswith(INTERNAL)
    }


def value_of(data: Data) -> str:
    """Return the value of the first input, which is the signal itself."""
    for one in list(part(data, "inputs").values())[:20]:
        if value := first(one, "value"):
            return value
    return first(data, "currentValue", "value")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    inner = part(data, "detail")
    return ("incidentId" in data and names_a_detector(data)) or (
        "incidentId" in inner and names_a_detector(inner)
    )


def names_a_detector(data: Data) -> bool:
    return any(
        one in data for one in ("detectorUrl", "detectorId", "detector", "sf_schema")
    )


ADAPTER = Adapter(
    NAME,
    "Splunk Observability Cloud",
    read,
    recognise,
    example={
        "severity": "Critical",
        "status": "anomalous",
        "statusExtended": "anomalous",
        "detector": "Hosts",
        "detectorId": "GAaBbCcDd0",
        "detectorUrl": "https://app.us1.signalfx.com/#/detector/GAaBbCcDd0/edit",
        "incidentId": "GAxYz012345",
        "rule": "CPU is high",
        "originatingMetric": "cpu.utilization",
        "messageTitle": "Critical Alert: CPU is high (Hosts)",
        "messageBody": "The value of cpu.utilization is above 90.",
        "inputs": {"A": {"value": "97", "key": {"host": "web-1"}}},
        "timestamp": "2026-11-21T09:00:00Z",
        "sf_schema": 2,
        "runbookUrl": "https://wiki.example.com/cpu",
    },
    steps=(
        _("In Splunk Observability Cloud, open Data Management and add a webhook."),
        _("Paste the URL and keep the default payload."),
        _("Add the webhook as an alert recipient to the rules of your detectors."),
    ),
    docs="https://help.splunk.com/en/splunk-observability-cloud",
)
