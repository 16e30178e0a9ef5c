"""What do VMware Aria Operations (vRealize) and Log Insight send?

https://techdocs.broadcom.com/ (Aria Operations, REST notification plug-in)
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
from alertcenter.alerts.sources.shapes import first, moment, objects, text

NAME = "vmware_aria"
LEVEL = "ALERT_CRITICALITY_LEVEL_"
SEVERITIES = {
    "CRITICAL": "critical", "IMMEDIATE": "error", "WARNING": "warning", "AUTO": "warning",
    "INFO": "info", "INFORMATION": "info", "NONE": "info", "UNKNOWN": "warning",
}  # fmt: skip
OVER = ("CANCELED", "CANCELLED", "INACTIVE", "CLOSED", "RESOLVED")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    number = first(data, "alertId", "alertID", "AlertId")
    name = first(data, "alertName", "AlertName", "alertDefinitionName", "info")
    if not (number or name) or not first(
        data,
        "resourceName",
        "ResourceName",
        "status",
        "criticality",
        "messages",
        "editUrl",
    ):
        raise NotUnderstood("an alert id and a resource are missing")
    resource = first(data, "resourceName", "ResourceName")
    status = first(data, "status", "Status", "alertStatus").upper()
    level = (
        first(data, "criticality", "Criticality", "severity")
        .upper()
        .removeprefix(LEVEL)
    )
    word = SEVERITIES.get(level, level.lower())
    return [
        event(
            NAME,
            title=f"{name or number} on {resource}" if resource else name,
            key=number or joined(name, resource),
            firing=status not in OVER,
            severity=word,
            labels={
                "alertname": name or first(data, "subType"),
                "resource": resource,
                "resource_kind": first(data, "resourceKind", "ResourceKind"),
                "adapter": first(data, "adapterKind"),
                "type": first(data, "type").removeprefix("ALERT_TYPE_").lower(),
                "subtype": first(data, "subType")
                .removeprefix("ALERT_SUBTYPE_")
                .lower(),
            },
            annotations={
                "description": first(
                    data, "info", "recommendation", "description", "messages.0.text"
                ),
                "symptoms": text(
                    [
                        first(one, "message", "name")
                        for one in objects(data, "symptoms")[:10]
                    ]
                )
                if objects(data, "symptoms")
                else "",
                "hits": first(data, "NumHits", "numHits"),
            },
            link=first(data, "url", "Url", "editUrl"),
            starts_at=moment(data.get("startDate") or data.get("StartDate")),
            # Set in active alerts too, where it is no end.
            ends_at=moment(data.get("cancelDate")) if status in OVER else None,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        ("criticality" in data and "adapterKind" in data)
        or ("AlertName" in data and "NumHits" in data)
        or ("cancelDate" in data and "resourceKind" in data)
    )


ADAPTER = Adapter(
    NAME,
    "VMware Aria Operations",
    read,
    recognise,
    example={
        "alertId": "b1f4c2",
        "alertName": "Virtual machine has CPU contention",
        "startDate": 1763715600000,
        "criticality": "ALERT_CRITICALITY_LEVEL_CRITICAL",
        "resourceId": "9a1",
        "resourceName": "vm-db-1",
        "resourceKind": "VirtualMachine",
        "adapterKind": "VMWARE",
        "status": "ACTIVE",
        "type": "ALERT_TYPE_VIRTUALIZATION_PROBLEM",
        "subType": "ALERT_SUBTYPE_PERFORMANCE_PROBLEM",
        "info": "CPU ready is over 10 %",
    },
    steps=(
        _(
            "In Aria Operations, add an outbound instance of the REST or webhook plug-in with the URL."
        ),
        _(
            "Add a notification rule for the alerts you want; notify on new and cancelled."
        ),
    ),
    docs="https://techdocs.broadcom.com/",
)
