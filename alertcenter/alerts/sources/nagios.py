"""What do the notification commands of Nagios, Naemon and Icinga 1 send?

https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Adapter, Incoming, as_object
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.macros import from_macros, from_text, named, plain
from alertcenter.alerts.sources.shapes import first

NAME = "nagios"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a notification's macros. Raises NotUnderstood."""
    raw = as_object(incoming)
    data = named({**incoming.query, **raw})
    if "HOSTNAME" not in data and "HOST" not in data:
        words = first(raw, "text", "message", "body")
        data = {**from_text(f"{first(raw, 'subject')}\n{words}"), **data}
    return [from_macros(NAME, data)]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or len(data) > 150:
        return False
    # Icinga 2's scripts use the same names in small letters, Checkmk's NOTIFY_.
    names = {
        plain(name[:64])
        for name in data
        if (name.isupper() and name[:7] != "NOTIFY_") or name[:1] == "$"
    }
    return {"HOSTNAME", "NOTIFICATIONTYPE"} <= names and bool(
        names & {"SERVICESTATE", "HOSTSTATE"}
    )


ADAPTER = Adapter(
    NAME,
    "Nagios",
    read,
    recognise,
    takes_text=True,
    example={
        "NOTIFICATIONTYPE": "PROBLEM",
        "HOSTNAME": "db-1",
        "HOSTADDRESS": "192.0.2.10",
        "SERVICEDESC": "Disk /",
        "SERVICESTATE": "CRITICAL",
        "SERVICEOUTPUT": "DISK CRITICAL - free space: / 512 MB (3 %)",
        "TIMET": "1763715600",
    },
    steps=(
        _("Define the command below in Nagios and one like it with the host macros."),
        _("Name both in the contact that should be notified, with options w, u, c, r."),
    ),
    docs="https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/notifications.html",
    snippet="""define command {
  command_name  notify-service-by-alertcenter
  command_line  /usr/bin/curl -fsS -m 10 {url} \\
    --data-urlencode 'NOTIFICATIONTYPE=$NOTIFICATIONTYPE$' --data-urlencode 'HOSTNAME=$HOSTNAME$' \\
    --data-urlencode 'HOSTADDRESS=$HOSTADDRESS$' --data-urlencode 'SERVICEDESC=$SERVICEDESC$' \\
    --data-urlencode 'SERVICESTATE=$SERVICESTATE$' --data-urlencode 'SERVICEOUTPUT=$SERVICEOUTPUT$' \\
    --data-urlencode 'TIMET=$TIMET$'
}""",
)
