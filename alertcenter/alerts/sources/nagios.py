"""What do the notification commands of Nagios, Naemon and Icinga 1 send?

https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html
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

NAME = "nagios"
OVER = ("OK", "UP", "RECOVERY")
SEVERITIES = {
    "CRITICAL": "critical", "WARNING": "warning", "UNKNOWN": "warning",
    "DOWN": "critical", "UNREACHABLE": "error",
}  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a notification's macros. Raises NotUnderstood."""
    raw = as_object(incoming)
    if first(raw, "text") and len(raw) == 1:
        raw = from_text(first(raw, "text"))
    raw = {**raw, **part(raw, "vars"), **part(raw, "macros")}
    data = {plain(name): value for name, value in list(raw.items())[:200]}
    host = first(data, "HOSTNAME", "HOST", "HOSTALIAS", "HOSTDISPLAYNAME")
    service = first(data, "SERVICEDESC", "SERVICE", "SERVICENAME", "SERVICEDISPLAYNAME")
    kind = first(data, "NOTIFICATIONTYPE", "TYPE").upper()
    state = (
        first(data, "SERVICESTATE") if service else first(data, "HOSTSTATE")
    ).upper() or first(data, "STATE").upper()
    if not host or not (state or kind):
        raise NotUnderstood("a host name and a state are missing")
    output = first(
        data, "SERVICEOUTPUT", "HOSTOUTPUT", "OUTPUT", "INFO", "ADDITIONALINFO"
    )
    at = moment(
        first(
            data, "TIMET", "TIMESTAMP", "LASTSERVICESTATECHANGE", "LASTHOSTSTATECHANGE"
        )
    )
    what = f"{service} on {host}" if service else host
    return [
        event(
            NAME,
            title=f"{what} is {(state or kind).lower()}",
            key=joined(host, service),
            firing=state not in OVER and kind not in ("RECOVERY", "FLAPPINGSTOP"),
            severity=SEVERITIES.get(state, "warning"),
            labels={
                "alertname": service or "HostDown",
                "host": host,
                "service": service,
                "address": first(data, "HOSTADDRESS", "ADDRESS"),
                "group": first(
                    data, "HOSTGROUPNAME", "HOSTGROUPNAMES", "SERVICEGROUPNAME"
                ),
            },
            annotations={
                "description": output,
                "details": first(data, "LONGSERVICEOUTPUT", "LONGHOSTOUTPUT"),
                "notification": kind,
                "comment": first(
                    data, "NOTIFICATIONCOMMENT", "SERVICEACKCOMMENT", "HOSTACKCOMMENT"
                ),
                "author": first(data, "NOTIFICATIONAUTHOR"),
                "runbook_url": first(data, "SERVICENOTESURL", "HOSTNOTESURL"),
            },
            link=first(data, "SERVICEACTIONURL", "HOSTACTIONURL", "URL", "SERVICEURL"),
            starts_at=at,
            ends_at=at,
        )
    ]


def plain(name: object) -> str:
    """Return SERVICEDESC for $SERVICEDESC$, NAGIOS_SERVICEDESC, service_desc..."""
    words = str(name).upper().strip("$").removeprefix("NAGIOS_").removeprefix("ICINGA_")
    return words.replace("_", "").replace("-", "").replace(" ", "")


def from_text(words: str) -> dict[str, object]:
    """Return the "Name: value" lines that the standard mail command writes."""
    found: dict[str, object] = {}
    for line in words.splitlines()[:100]:
        name, colon, value = line.partition(":")
        if colon and value.strip():
            found[name.strip()] = value.strip()
    return found


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or len(data) > 150:
        return False
    # Icinga 2's scripts use the same names in small letters.
    names = {plain(name) for name in data if name.isupper() or name.startswith("$")}
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
