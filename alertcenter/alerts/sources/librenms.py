"""What does the API transport of LibreNMS send?

https://docs.librenms.org/Alerting/Transports/#api
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
from alertcenter.alerts.sources.shapes import first, moment, text

NAME = "librenms"
# 0 recovered, 1 alert, 2 acknowledged, 3 got worse, 4 got better, 5 changed.
OVER = ("0", "ok", "recovered", "recovery", "clear")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a body or a form. Raises NotUnderstood."""
    data = {**incoming.query, **as_object(incoming)}
    host = first(data, "sysName", "hostname", "display", "host", "ip")
    title = first(data, "title", "msg", "name", "rule_name")
    number = first(data, "alert_id", "alertId", "alert_uid")
    if not title or not (host or number or first(data, "rule", "rule_id", "state")):
        raise NotUnderstood("a title and a device are missing")
    state = first(data, "raw_state", "state", "alert_status", "alert_state").lower()
    # Templates without a state: the title says it.
    over = state in OVER if state else "recovered" in title.lower()
    rule = first(data, "name", "rule_name") or rule_in(title)
    at = moment(first(data, "timestamp"))
    return [
        event(
            NAME,
            title=title,
            key=number
            or joined(
                first(data, "device_id", "hostname") or host,
                first(data, "rule_id") or rule,
            ),
            firing=not over,
            severity="" if over else first(data, "severity"),
            labels={
                "alertname": rule,
                "host": host,
                "ip": first(data, "ip", "hostname"),
                "location": first(data, "location"),
                "os": first(data, "os"),
                "type": first(data, "type"),
            },
            annotations={
                "description": first(
                    data, "msg", "message", "description", "status_reason", "string"
                ),
                "faults": faults_of(data),
                "elapsed": first(data, "elapsed"),
                "hardware": first(data, "hardware"),
                "notes": first(data, "alert_notes", "notes"),
                "runbook_url": first(data, "proc"),
            },
            link=first(data, "url", "device_url", "link_to_upstream_details", "link"),
            image=first(data, "image_url"),
            starts_at=None if over else at,
            ends_at=at,
        )
    ]


def faults_of(data: Data) -> str:
    """Return what is wrong with each port or sensor, a line each."""
    faults = data.get("faults")
    # PHP writes a list that does not begin at 0 as an object.
    found = list(faults.values()) if type(faults) is dict else faults
    if type(found) is not list:
        return text(found)
    lines = [first(one, "string") if type(one) is dict else text(one) for one in found]
    return "\n".join(filter(None, lines[:20]))


def rule_in(title: str) -> str:
    """Return "Devices up/down" of "Device a recovered from Devices up/down"."""
    for words in (" recovered from ", " acknowledged ", " got worse ", " got better "):
        if words in title:
            return title.partition(words)[2]
    return (
        title.rpartition(" - ")[2]
        if " - " in title
        else title.rpartition("Alert for device ")[2].partition(" ")[2] or title
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and ("title" in data or "msg" in data)
        and ("sysName" in data or ("device_id" in data and "alert_id" in data))
    )


ADAPTER = Adapter(
    NAME,
    "LibreNMS",
    read,
    recognise,
    takes_get=True,
    example={
        "title": "Alert for device sw-1 - Devices up/down",
        "state": "1",
        "alert_id": "17",
        "severity": "critical",
        "name": "Devices up/down",
        "sysName": "sw-1",
        "hostname": "192.0.2.20",
        "device_id": "3",
        "timestamp": "2026-11-20 10:00:00",
        "msg": "sw-1 does not answer to ping",
    },
    steps=(
        _("In LibreNMS, open Alerts, Alert Transports, and make one of type API."),
        _("Method POST, the URL, and the body below; then choose it in your rules."),
    ),
    docs="https://docs.librenms.org/Alerting/Transports/#api",
    snippet="""{"title": "{{ $title }}", "state": "{{ $state }}", "alert_id": "{{ $alert_id }}", "severity": "{{ $severity }}", "name": "{{ $name }}", "sysName": "{{ $sysName }}", "hostname": "{{ $hostname }}", "device_id": "{{ $device_id }}", "timestamp": "{{ $timestamp }}", "msg": "{{ $msg }}"}""",
)
