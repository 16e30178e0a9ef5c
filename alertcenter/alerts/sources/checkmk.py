"""What do the notification scripts of Checkmk send?

https://docs.checkmk.com/latest/en/notifications.html
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
from alertcenter.alerts.sources.shapes import first, moment, part

NAME = "checkmk"
OVER = ("OK", "UP", "RECOVERY")
SEVERITIES = {
    "CRITICAL": "critical", "CRIT": "critical", "WARNING": "warning", "WARN": "warning",
    "UNKNOWN": "warning", "UNKN": "warning", "DOWN": "critical", "UNREACHABLE": "error",
    "UNREACH": "error",
}  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a notification's context. Raises NotUnderstood."""
    raw = {**as_object(incoming), **part(incoming.data, "context")}
    data = {plain(name): value for name, value in list(raw.items())[:300]}
    host = first(data, "hostname", "host", "alias")
    service = first(data, "servicedesc", "service", "servicedescription")
    kind = first(data, "notificationtype", "type").upper()
    event_words = first(data, "event")
    state = (
        first(data, "servicestate") or first(data, "hoststate")
        if not service
        else first(data, "servicestate")
    ).upper()
    state = (
        state
        or first(data, "status", "state").upper()
        or event_words.rpartition("->")[2].strip().upper()
    )
    if not host or not (state or kind):
        raise NotUnderstood("a host and a state are missing")
    at = moment(first(data, "microtime", "timestamp")) or moment(
        first(data, "shortdatetime", "longdatetime")
    )
    what = f"{service} on {host}" if service else host
    return [
        event(
            NAME,
            title=f"{what} is {(state or kind).lower()}",
            key=joined(first(data, "site", "omdsite"), host, service),
            firing=state not in OVER
            and not kind.startswith(("RECOVERY", "DOWNTIMESTART")),
            severity=SEVERITIES.get(state, "warning"),
            labels={
                "alertname": service or "HostDown",
                "host": host,
                "service": service,
                "address": first(data, "hostaddress", "address"),
                "site": first(data, "site", "omdsite"),
            },
            annotations={
                "description": first(data, "serviceoutput", "hostoutput", "output"),
                "details": first(
                    data, "longserviceoutput", "longhostoutput", "longoutput"
                ),
                "event": event_words,
                "comment": first(data, "notificationcomment"),
            },
            link=first(data, "serviceurl", "hosturl", "url"),
            starts_at=at,
            ends_at=at,
        )
    ]


def plain(name: object) -> str:
    """Return servicedesc for NOTIFY_SERVICEDESC, service_desc..."""
    words = str(name).lower().removeprefix("notify_")
    return words.replace("_", "").replace("-", "")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    names = [name for name in data if type(name) is str]
    return any(name.startswith("NOTIFY_") for name in names) or (
        "check_command" in data and ("what" in data or "site" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Checkmk",
    read,
    recognise,
    example={
        "NOTIFY_NOTIFICATIONTYPE": "PROBLEM",
        "NOTIFY_WHAT": "SERVICE",
        "NOTIFY_HOSTNAME": "db-1",
        "NOTIFY_HOSTADDRESS": "192.0.2.10",
        "NOTIFY_SERVICEDESC": "Filesystem /",
        "NOTIFY_SERVICESTATE": "CRIT",
        "NOTIFY_SERVICEOUTPUT": "Used: 97.1 %",
        "NOTIFY_OMD_SITE": "main",
        "NOTIFY_MICROTIME": "1763715600000000",
    },
    steps=(
        _(
            "Save the script below as ~/local/share/check_mk/notifications/alertcenter and make it executable."
        ),
        _(
            "Add a notification rule with the method AlertCenter, for problems and recoveries."
        ),
    ),
    docs="https://docs.checkmk.com/latest/en/notifications.html#scripts",
    snippet="""#!/usr/bin/env python3
# AlertCenter
import json, os, urllib.request
told = {k: v for k, v in os.environ.items() if k.startswith("NOTIFY_")}
urllib.request.urlopen(urllib.request.Request(
    "{url}", json.dumps(told).encode(), {"Content-Type": "application/json"}), timeout=10)""",
)
