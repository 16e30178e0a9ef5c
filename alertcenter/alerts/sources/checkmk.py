"""What do the notification scripts of Checkmk send?

https://docs.checkmk.com/latest/en/notifications.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Adapter, Incoming, as_object, joined
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.macros import from_macros, named
from alertcenter.alerts.sources.shapes import first

NAME = "checkmk"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a notification's context. Raises NotUnderstood."""
    data = named(as_object(incoming))
    site = first(data, "OMDSITE", "SITE")
    # The event console speaks in the name of one service for all its events.
    if number := first(data, "ECID"):
        site = joined(site, number)
    return [from_macros(NAME, data, site)]


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
