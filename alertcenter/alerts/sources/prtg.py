"""What does PRTG's "Execute HTTP action" send?

A form, or JSON, that the user wrote of placeholders, of which the names are the usual
ones. The end is a status such as "Down ended (now: Up)".
https://www.paessler.com/manuals/prtg/list_of_placeholders_for_notifications
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
from alertcenter.alerts.sources.shapes import first, moment, plain, tags

NAME = "prtg"
OVER = ("up", "paused", "ok")
# A sensor's priority is one to five stars, written as stars or as a number.
PRIORITIES = {
    "*": "info", "**": "info", "***": "error", "****": "error", "*****": "critical",
    "1": "info", "2": "info", "3": "error", "4": "error", "5": "critical",
}  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    said = as_object(incoming)
    data = {
        name.strip("%").lower().replace("_", ""): value
        for name, value in said.items()
        if not (type(value) is str and value.startswith("%"))
    }
    sensor = first(data, "sensor", "sensorname", "name", "shortname")
    number = first(data, "sensorid", "id")
    status = first(data, "status", "state", "laststatus").lower()
    if not (sensor or number) or not status:
        raise NotUnderstood("the sensor and its status are missing")
    device = first(data, "device", "devicename", "host")
    firing = not (status.startswith(OVER) or "now: up" in status)
    name = sensor or f"Sensor {number}"
    at = moment(first(data, "datetime", "timestamp", "date"))
    word = PRIORITIES.get(first(data, "priority", "prio"), "error")
    return [
        event(
            NAME,
            title=f"{name}: {device}" if device and device not in name else name,
            key=number or joined(first(data, "deviceid") or device, name),
            firing=firing,
            severity="warning" if status.startswith(("warning", "unusual")) else word,
            labels={
                "host": first(data, "host") or device,
                "device": device,
                "group": first(data, "group", "groupname"),
                "probe": first(data, "probe", "probename"),
                "site": first(data, "sitename"),
                "location": first(data, "location"),
                **tags(first(data, "tags", "objecttags").replace(" ", ",")),
                "alertname": name,
            },
            annotations={
                "description": plain(first(data, "message", "lastmessage")),
                "value": first(data, "lastvalue", "value"),
                "status": first(data, "status", "state"),
                "down_since": first(data, "since", "down"),
            },
            link=first(data, "linksensor", "link", "url", "linkdevice"),
            starts_at=at if firing else None,
            ends_at=at,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or "status" not in data:
        return False
    return ("sensorid" in data or "sensor" in data) and (
        "device" in data or "linksensor" in data or "laststatus" in data
    )


ADAPTER = Adapter(
    NAME,
    "PRTG",
    read,
    recognise,
    example={
        "sensorid": "2041",
        "sensor": "Ping",
        "device": "switch-1",
        "group": "Office",
        "probe": "Local Probe",
        "status": "Down",
        "message": "Request timed out",
        "priority": "***",
        "linksensor": "https://prtg.example.com/sensor.htm?id=2041",
    },
    steps=(
        _("In PRTG, add a notification template with Execute HTTP action."),
        _("Paste the URL, method POST, and the payload below."),
        _("Add triggers to your sensors, also for when the condition clears."),
    ),
    docs="https://www.paessler.com/manuals/prtg/list_of_placeholders_for_notifications",
    snippet="sensorid=%sensorid&sensor=%name&device=%device&group=%group&probe=%probe"
    "&host=%host&status=%status&message=%message&priority=%priority"
    "&lastvalue=%lastvalue&linksensor=%linksensor",
)
