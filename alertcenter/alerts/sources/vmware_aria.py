"""What do VMware Aria Operations (vRealize), Log Insight and vCenter send?

https://techdocs.broadcom.com/ (Aria Operations, REST notification plug-in)
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
from alertcenter.alerts.sources.shapes import first, moment, objects, part, text

NAME = "vmware_aria"
LEVEL = "ALERT_CRITICALITY_LEVEL_"
SEVERITIES = {
    "CRITICAL": "critical", "IMMEDIATE": "error", "WARNING": "warning", "AUTO": "warning",
    "INFO": "info", "INFORMATION": "info", "NONE": "info", "UNKNOWN": "warning",
    "0": "info", "1": "info", "2": "warning", "3": "error", "4": "critical",
    "RED": "critical", "YELLOW": "warning", "GREEN": "info", "GRAY": "info",
}  # fmt: skip
OVER = (
    "CANCELED", "CANCELLED", "CANCELLING", "INACTIVE", "CLOSED", "RESOLVED", "GREEN",
)  # fmt: skip
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    raw = as_object(incoming)
    if type(raw.get("data")) is dict and "vsphere" in first(raw, "type"):
        return [from_vcenter(raw, part(raw, "data"))]
    # Templates of payloads name the same values as they like.
    data = {plain(name): value for name, value in list(raw.items())[:200]}
    number = first(data, "alertid", "alertinstanceid", "vmwarealarmid")
    info = first(data, "info", "alertinfo")
    name = first(
        data, "alertname", "alertdefinitionname", "alertdefname", "definitionname",
        "vmwarealarmname", "alertnamestring",
    )  # fmt: skip
    resource = first(
        data, "resourcename", "objectname", "affectedobject", "affectedresourcename",
        "vmwarealarmtargetname", "resource", "vmname",
    )  # fmt: skip
    status = first(
        data, "status", "alertstatus", "vmwarealarmnewstatus", "state"
    ).upper()
    hits = first(data, "numhits", "hitcount")
    if not (number or name) or not (resource or status or hits or KNOWN & data.keys()):
        raise NotUnderstood("an alert id and a resource are missing")
    level = first(data, "criticality", "alertcriticality", "severity", "alertseverity")
    level = (level or (status if status in SEVERITIES else "")).upper()
    level = level.removeprefix(LEVEL)
    over = status in OVER
    # Logs have no alert id that two alerts of one name do not share, and no end.
    logs = bool(hits or "messages" in data) and not number
    return [
        event(
            NAME,
            title=" on ".join(filter(None, (name or info or number, resource))),
            key=joined(name or number, resource) if logs or "vmwarealarmname" in data else number or joined(name, resource),
            firing=not over,
            severity=SEVERITIES.get(level, level.lower()),
            labels={
                "alertname": name or info or first(data, "subtype"),
                "resource": resource,
                "resource_kind": first(data, "resourcekind", "objecttype"),
                "adapter": first(data, "adapterkind"),
                "type": kind(data, "type", "alerttype"),
                "subtype": kind(data, "subtype", "alertsubtype"),
                "vcenter": first(data, "vcenterhostname", "vcenter", "vcname"),
            },
            annotations={
                "description": info
                if info and name
                else first(
                    data, "description", "alertdescription", "messages.0.text",
                    "vmwarealarmeventdescription", "vmwarealarmtriggeringsummary", "info",
                ),
                "recommendation": first(data, "recommendation", "recommendations"),
                "symptoms": symptoms(data),
                "hits": hits,
                "health": first(data, "health"),
                "risk": first(data, "risk"),
                "efficiency": first(data, "efficiency"),
                "edit_url": first(data, "editurl"),
            },
            link=first(data, "url", "resultsurl", "alertsummaryurl", "alerturl", "link", "editurl"),
            starts_at=moment(data.get("startdate") or data.get("createtime")),
            # Set in active alerts too, where it is no end.
            ends_at=moment(data.get("canceldate") or data.get("updatedate"))
            if over
            else None,
            ttl_seconds=DAY if logs else None,
        )
    ]  # fmt: skip


def plain(name: str) -> str:
    return name[:64].lower().translate(SKIPPED)


SKIPPED = {ord(char): None for char in "_- "}
KNOWN = frozenset({"criticality", "messages", "editurl", "info", "resultsurl"})


def kind(data: Data, *names: str) -> str:
    """Return "virtualization_problem" for ALERT_TYPE_VIRTUALIZATION_PROBLEM."""
    word = first(data, *names).lower()
    return word.removeprefix("alert_type_").removeprefix("alert_subtype_")


def symptoms(data: Data) -> str:
    found = objects(data, "symptoms")
    lines = [first(one, "message", "name", "symptomName") for one in found[:10]]
    return "\n".join(filter(None, lines)) or text(data.get("symptoms"))[:2000]


def from_vcenter(raw: Data, data: Data) -> Event:
    """Return an event of vCenter, as the VMware Event Broker passes it on."""
    name = first(raw, "subject") or first(raw, "type").rpartition(".vsphere.")[2]
    alarm = first(data, "Alarm.Name")
    thing = first(
        data, "Entity.Name", "Vm.Name", "Host.Name", "Ds.Name", "ComputeResource.Name",
        "Datacenter.Name",
    )  # fmt: skip
    colour = first(data, "To").upper()
    over = bool(alarm) and colour in ("GREEN", "GRAY")
    at = moment(first(data, "CreatedTime") or first(raw, "time"))
    return event(
        NAME,
        title=f"{alarm} on {thing}"
        if alarm
        else first(data, "FullFormattedMessage") or f"{name} {thing}",
        key=joined("vcenter", alarm or name, thing),
        firing=not over,
        severity=SEVERITIES.get(colour, "")
        or (
            "warning" if "Error" in name or "Fail" in name or "Lost" in name else "info"
        ),
        labels={
            "alertname": alarm or name,
            "resource": thing,
            "host": first(data, "Host.Name"),
            "datacenter": first(data, "Datacenter.Name"),
            "user": first(data, "UserName"),
        },
        annotations={"description": first(data, "FullFormattedMessage")},
        starts_at=None if over else at,
        ends_at=at,
        ttl_seconds=None if alarm else DAY,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    return (
        ("criticality" in data and ("adapterKind" in data or "alertId" in data))
        or ("AlertName" in data and ("NumHits" in data or "HasMoreResults" in data))
        or ("cancelDate" in data and "resourceKind" in data)
        or "VMWARE_ALARM_NAME" in data
        or str(data.get("type", "")).startswith("com.vmware.vsphere.")
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
