"""What is an alarm of OpenNMS? Its REST API's JSON, its notifications, its plug-ins.

https://docs.opennms.com/horizon/latest/operation/deep-dive/alarms/introduction.html
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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    pairs,
    part,
    plain,
)

NAME = "opennms"
SEVERITIES = {
    "indeterminate": "info", "warning": "warning", "minor": "warning", "major": "error",
    "1": "info", "4": "warning", "5": "warning", "6": "error", "7": "critical",
}  # fmt: skip
# 2 and 3 are the severities cleared and normal, 2 also the type of what clears.
OVER = ("cleared", "normal", "resolved", "resolution", "2")
UP = ("Up", "Regained", "Rearmed", "Cleared")


def read(incoming: Incoming) -> list[Event]:
    """Return the alarms of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    items = objects(data, "alarm") or objects(data, "alarms") or [
        part(data, "alarm") or data
    ]  # fmt: skip
    found = [one for one in items if first(one, *NAMES)]
    if not found:
        raise NotUnderstood("an alarm's reduction key or UEI is missing")
    return [one_alarm(one) for one in found]


NAMES = ("reductionKey", "reduction_key", "uei", "eventUei", "alarmId", "noticeid")


def one_alarm(alarm: Data) -> Event:
    uei = first(alarm, "uei", "eventUei", "event_uei")
    word = first(alarm, "severity", "eventSeverity").lower()
    node = first(alarm, "nodeLabel", "node_label", "node.label", "nodelabel", "node")
    name = uei.rpartition("/")[2] or first(alarm, "label", "subject")
    over = (
        word in (*OVER, "3")
        or first(alarm, "type", "alarmType").lower() in OVER
        or first(alarm, "status").lower() in OVER
        or name.endswith(UP)
        or first(alarm, "subject", "-subject").upper().startswith("RESOLVED")
    )
    said = first(
        alarm, "logMessage", "log_message", "logMsg", "subject", "message", "textMessage"
    )  # fmt: skip
    details = objects(alarm, "parameters") or objects(alarm, "lastEvent.parameters")
    at = moment(first(alarm, "lastEventTime", "last_update_time", "time", "eventTime"))
    return event(
        NAME,
        title=plain(said) or " on ".join(filter(None, (name, node))),
        # What clears an alarm of its own carries the key of the one it clears.
        key=first(alarm, "clearKey", "clear_key")
        or first(alarm, "reductionKey", "reduction_key", "alarmId", "noticeid")
        or joined(uei, node),
        firing=not over,
        severity="" if over else SEVERITIES.get(word, word),
        labels={
            "alertname": name,
            "host": node,
            "address": first(alarm, "ipAddress", "ip_address", "interface"),
            "service": first(
                alarm, "serviceType.name", "serviceName", "service_name", "service"
            ),
            "location": first(alarm, "location", "node.location"),
            "categories": first(alarm, "node.categories", "categories"),
        },
        annotations={
            "description": plain(first(alarm, "description", "descr")),
            "runbook": plain(first(alarm, "operatorInstructions", "operinstruct")),
            "count": first(alarm, "count"),
            "acknowledged_by": first(alarm, "ackUser"),
            **pairs(details[:20], "name", "value"),
        },
        link=first(alarm, "detailsPage", "url", "link"),
        starts_at=None
        if over
        else moment(first(alarm, "firstEventTime", "first_event_time")) or at,
        ends_at=at,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    alarm = part(data, "alarm") or next(iter(objects(data, "alarm")), data)
    return ("reductionKey" in alarm or "reduction_key" in alarm) and (
        "uei" in alarm or "nodeLabel" in alarm or "severity" in alarm
    )


ADAPTER = Adapter(
    NAME,
    "OpenNMS",
    read,
    recognise,
    example={
        "id": 4411,
        "uei": "uei.opennms.org/nodes/nodeLostService",
        "reductionKey": "uei.opennms.org/nodes/nodeLostService::7:192.0.2.7:HTTP",
        "severity": "MINOR",
        "nodeLabel": "web-1",
        "ipAddress": "192.0.2.7",
        "serviceType": {"name": "HTTP"},
        "logMessage": "HTTP outage on web-1",
        "firstEventTime": 1763715600000,
        "lastEventTime": 1763715600000,
    },
    steps=(
        _("Post each alarm as JSON to the URL when it is made, changed or cleared."),
        _("Keep its reduction key: it ties what clears an alarm to the alarm."),
    ),
    docs="https://docs.opennms.com/horizon/latest/operation/deep-dive/alarms/introduction.html",
)
