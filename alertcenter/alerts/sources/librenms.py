"""What does the API transport of LibreNMS send?

https://docs.librenms.org/Alerting/Transports/#api
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

NAME = "librenms"
# 0 recovered, 1 alert, 2 acknowledged, 3 got worse, 4 got better, 5 changed.
OVER = ("0", "ok", "recovered", "recovery", "clear")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a body or a form. Raises NotUnderstood."""
    data = {**incoming.query, **as_object(incoming)}
    host = first(data, "sysName", "hostname", "display", "host", "ip")
    title = first(data, "title", "msg", "name", "rule")
    if not title or not (host or first(data, "rule", "alert_id", "id")):
        raise NotUnderstood("a title and a device are missing")
    state = first(data, "state", "alert_status", "alert_state").lower()
    # Templates without a state: the title and `alerted` say it.
    over = state in OVER if state else "recovered" in title.lower()
    rule = first(data, "name", "rule_name", "rule")
    at = moment(first(data, "timestamp"))
    return [
        event(
            NAME,
            title=title,
            key=first(data, "alert_id", "alertId")
            or joined(
                first(data, "device_id", "hostname") or host, rule or rule_in(title)
            ),
            firing=not over,
            severity=first(data, "severity"),
            labels={
                "alertname": rule or rule_in(title),
                "host": host,
                "ip": first(data, "ip"),
                "location": first(data, "location"),
                "os": first(data, "os"),
                "type": first(data, "type"),
            },
            annotations={
                "description": first(
                    data, "msg", "message", "description", "status_reason"
                ),
                "faults": text(
                    [first(one, "string") for one in objects(data, "faults")[:20]]
                )
                if objects(data, "faults")
                else first(data, "faults"),
                "elapsed": first(data, "elapsed"),
                "hardware": first(data, "hardware"),
                "runbook_url": first(data, "proc"),
            },
            link=first(data, "url", "device_url", "link"),
            starts_at=at,
            ends_at=at,
        )
    ]


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
        type(data) is dict and "sysName" in data and ("title" in data or "msg" in data)
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
