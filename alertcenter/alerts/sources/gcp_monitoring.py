"""What does Google Cloud Monitoring send, by webhook or by Pub/Sub push?

https://cloud.google.com/monitoring/support/notification-options#webhooks
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

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
from alertcenter.alerts.sources.shapes import first, moment, part, text

NAME = "gcp_monitoring"
UNSET = ("", "no severity", "no_severity", "severity_unspecified")
LARGEST = 256 * 1024


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = unwrapped(as_object(incoming))
    incident = part(data, "incident")
    if not incident and "group_info" in data and "exception_info" in data:
        return [error_group(data)]
    if not incident:
        raise NotUnderstood("there is no incident")
    policy = first(incident, "policy_name")
    condition = first(incident, "condition_name", "condition.displayName")
    labels = part(incident, "resource.labels")
    resource = first(
        incident, "resource_display_name", "resource_name", "resource_id"
    ) or first(labels, "instance_id", "host", "service_name")
    ended = moment(incident.get("ended_at"))
    return [
        event(
            NAME,
            title=first(incident, "summary", "documentation.subject")
            or ": ".join(filter(None, (policy, condition, resource))),
            key=first(incident, "incident_id") or joined(policy, condition, resource),
            firing=first(incident, "state").lower() not in ("closed", "resolved"),
            severity=first(
                incident,
                *set_severity(incident),
                "policy_user_labels.severity",
                "metadata.system_labels.severity", "metadata.user_labels.severity",
            ),
            labels={
                "alertname": condition if policy.startswith("projects/") else policy,
                "condition": condition,
                "resource": resource,
                "resource_type": first(incident, "resource.type", "resource_type_display_name"),
                "project": first(incident, "scoping_project_id") or first(labels, "project_id"),
                **part(incident, "policy_user_labels"),
                **part(incident, "metadata.user_labels"),
                **part(incident, "metric.labels"),
                **labels,
            },
            annotations={
                "description": first(incident, "documentation.content")
                or first(incident, "documentation.subject"),
                "value": first(incident, "observed_value"),
                "threshold": first(incident, "threshold_value"),
                "metric": first(incident, "metric.displayName", "metric.type"),
            },
            link=first(incident, "url"),
            starts_at=moment(incident.get("started_at")),
            ends_at=ended,
        )
    ]  # fmt: skip


def set_severity(incident: Data) -> tuple[str, ...]:
    """Return where the severity stands, if the policy's owner has chosen one."""
    unset = first(incident, "severity").lower() in UNSET
    return () if unset else ("severity",)


def error_group(data: Data) -> Event:
    """Return what Error Reporting says by the same channel: a new error, or one again.

    It never says that an error is over.
    """
    link = first(data, "group_info.detail_link")
    kind = first(data, "exception_info.type")
    message = first(data, "exception_info.message", "event_info.log_message")
    return event(
        NAME,
        title=f"{kind}: {message}" if kind and message else first(data, "subject"),
        key=link.partition("?")[0] or joined(kind, message),
        severity="error",
        labels={
            "alertname": kind or "Error",
            "project": first(data, "group_info.project_id"),
            "service": first(data, "event_info.service"),
            "version": first(data, "event_info.version"),
        },
        annotations={
            "description": first(data, "event_info.log_message", "subject"),
            "request": first(data, "event_info.request_url"),
        },
        link=link,
    )


def unwrapped(data: Data) -> Data:
    """Return the notification that a Pub/Sub push wraps, or `data` itself."""
    packed = text(part(data, "message").get("data"))
    if not packed or len(packed) > LARGEST:
        return data
    try:
        inner: Any = json.loads(base64.b64decode(packed))
    except (binascii.Error, ValueError, RecursionError):
        return data
    return inner if type(inner) is dict else data


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    if "subscription" in data and "data" in part(data, "message"):
        return True
    if "group_info" in data and "exception_info" in data:
        return True
    return bool(part(data, "incident")) and (
        "policy_name" in data["incident"] or "condition_name" in data["incident"]
    )


ADAPTER = Adapter(
    NAME,
    "Google Cloud Monitoring",
    read,
    recognise,
    example={
        "version": "1.2",
        "incident": {
            "incident_id": "0.opqiw61fsv7p",
            "scoping_project_id": "shop",
            "url": "https://console.cloud.google.com/monitoring/alerting/incidents/0.op",
            "started_at": 1763715600,
            "ended_at": None,
            "state": "open",
            "severity": "Critical",
            "policy_name": "Health of the shop",
            "condition_name": "CPU over 80 %",
            "summary": "CPU of web-1 is above 80 %",
            "resource": {
                "type": "gce_instance",
                "labels": {"instance_id": "11223344", "zone": "europe-west3-a"},
            },
        },
    },
    steps=(
        _(
            "In Cloud Monitoring, add a notification channel of type Webhook with the URL."
        ),
        _("Choose the channel in your alerting policies; notify on closure too."),
    ),
    docs="https://cloud.google.com/monitoring/support/notification-options#webhooks",
)
