"""What do the macros of Nagios say, and those of Icinga and Checkmk, its children?

https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html
"""

from __future__ import annotations

from functools import lru_cache

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Data, NotUnderstood, event, joined
from alertcenter.alerts.sources.shapes import first, moment

OVER = ("OK", "UP", "RECOVERY", "RECOVERED", "INFO", "NOTICE", "DEBUG")
SEVERITIES = {
    "CRITICAL": "critical", "CRIT": "critical", "WARNING": "warning", "WARN": "warning",
    "UNKNOWN": "warning", "UNKN": "warning", "DOWN": "critical", "UNREACHABLE": "error",
    "UNREACH": "error", "ERR": "error", "EMERG": "critical", "ALERT": "critical",
    "FLAPPING": "warning",
}  # fmt: skip
# States as numbers: of services, and of hosts.
SERVICE_STATES = {"0": "OK", "1": "WARNING", "2": "CRITICAL", "3": "UNKNOWN"}
HOST_STATES = {"0": "UP", "1": "DOWN", "2": "UNREACHABLE"}
STATES = frozenset(SEVERITIES) | set(OVER) | set(SERVICE_STATES)
# The sender's own way to hold the macros.
HOLDERS = ("MACROS", "VARS", "CONTEXT", "ATTRS", "")
PREFIXES = ("NOTIFY_", "NAGIOS_", "ICINGA_")
SKIPPED = {ord(char): None for char in "$_-. "}
MOST = 400


def named(raw: Data) -> Data:
    """Return the values with $SERVICEDESC$, NAGIOS_SERVICEDESC, service_desc and
    {"service": {"desc": ...}} as one name. Macros that were not filled are dropped.
    """
    found: Data = {}
    fill(found, raw, "", 3)
    return found


def fill(found: Data, raw: Data, before: str, depth: int) -> None:
    for name, value in raw.items():
        if type(value) is str:
            if not value or value[0] == "$" == value[-1]:
                continue
        elif value is None:
            continue
        whole = before + plain(name[:64])
        if type(value) is dict and depth:
            fill(found, value, "" if whole in HOLDERS else whole, depth - 1)
        elif len(found) < MOST and whole not in found:
            found[whole] = value


# A context of Checkmk has 150 names, the same in each.
@lru_cache(2048)
def plain(name: str) -> str:
    words = name.upper().strip("$")
    for prefix in PREFIXES:
        words = words.removeprefix(prefix)
    return words.translate(SKIPPED)


def from_macros(source: str, data: Data, site: str = "") -> Event:
    """Return the event of a notification's macros, by `named`. Raises NotUnderstood."""
    host = first(
        data, "HOSTNAME", "HOST", "TAGSHOST", "OBJECTTAGSHOST", "HOSTALIAS",
        "HOSTDISPLAYNAME", "ALIAS", "HOSTDISPLAY",
    )  # fmt: skip
    service = first(
        data, "SERVICEDESC", "SERVICENAME", "SERVICE", "SERVICEDESCRIPTION",
        "TAGSSERVICE", "OBJECTTAGSSERVICE", "SERVICEDISPLAYNAME", "SERVICEDISPLAY",
    )  # fmt: skip
    kind = first(data, "NOTIFICATIONTYPE", "TYPE", "EVENTTYPE", "NOTIFICATION").upper()
    state = state_of(data, service)
    if not host or not (state or kind):
        raise NotUnderstood("a host name and a state are missing")
    over = state in OVER if state else kind.startswith("RECOVER")
    at = moment(
        first(
            data, *("LASTSERVICESTATECHANGE", "SERVICELASTSTATECHANGE")
            if service
            else ("LASTHOSTSTATECHANGE", "HOSTLASTSTATECHANGE"),
            "TIMET", "ICINGATIMET", "TIMESTAMP", "MICROTIME", "LASTSTATECHANGE",
            "EVENTTIME", "CHECKRESULTEXECUTIONEND", "SHORTDATETIME", "LONGDATETIME",
            "DATETIME", "DATE/TIME", "WHEN",
        )
    )  # fmt: skip
    what = f"{service} on {host}" if service else host
    return event(
        source,
        title=f"{what} is {(state or kind).lower()}",
        key=joined(site, host, service) if site else joined(host, service),
        firing=not over,
        severity=SEVERITIES.get(state, "warning"),
        labels={
            "alertname": service or "HostDown",
            "host": host,
            "service": service,
            "address": first(data, "HOSTADDRESS", "ADDRESS", "HOSTADDRESS6", "IPV4"),
            "site": site,
            "group": first(
                data, "HOSTGROUPNAME", "HOSTGROUPNAMES", "SERVICEGROUPNAME",
                "HOSTGROUPS",
            ),
        },
        annotations={
            "description": first(
                data, *("SERVICEOUTPUT", "HOSTOUTPUT")
                if service
                else ("HOSTOUTPUT", "SERVICEOUTPUT"),
                "OUTPUT", "CHECKOUTPUT", "PLUGINOUTPUT", "CHECKRESULTOUTPUT",
                "LASTCHECKRESULTOUTPUT", "INFO", "ADDITIONALINFO", "EVENTMESSAGE",
                "MESSAGE", "TEXT",
            ),
            "details": first(
                data, "LONGSERVICEOUTPUT", "LONGHOSTOUTPUT", "LONGOUTPUT"
            ),
            "notification": kind,
            "event": first(data, "EVENT", "EVENTTXT"),
            "comment": first(
                data, "NOTIFICATIONCOMMENT", "SERVICEACKCOMMENT", "HOSTACKCOMMENT",
                "COMMENT",
            ),
            "author": first(
                data, "NOTIFICATIONAUTHOR", "NOTIFICATIONAUTHORNAME", "AUTHOR",
                "EVENTUSERNAME", "USERNAME",
            ),
            "runbook_url": first(
                data, "SERVICENOTESURL", "HOSTNOTESURL", "NOTESURL"
            ),
        },
        link=first(
            data, "SERVICEACTIONURL", "HOSTACTIONURL", "ACTIONURL", "SERVICEURL",
            "HOSTURL", "ICINGAWEB2URL", "INCIDENTURL", "OBJECTURL", "URL", "LINK",
        ),
        starts_at=None if over else at,
        ends_at=at,
    )  # fmt: skip


def state_of(data: Data, service: str) -> str:
    """Return the state as a word in capitals, of the service if it is about one."""
    names = (
        ("SERVICESTATE", "SERVICESHORTSTATE", "SERVICESTATEID")
        if service
        else ("HOSTSTATE", "HOSTSHORTSTATE", "HOSTSTATEID")
    )
    state = first(
        data, *names, "STATE", "CURRENTSTATE", "CHECKSTATE", "CHECKRESULTSTATE",
        "EVENTSEVERITY", "INCIDENTSEVERITY", "STATUS", "SEVERITY",
    ).upper()  # fmt: skip
    if not state:
        # "OK -> CRIT", as Checkmk writes the event.
        state = first(data, "EVENT", "EVENTTXT").rpartition("->")[2].strip().upper()
        return state if state in STATES else ""
    return (SERVICE_STATES if service else HOST_STATES).get(state, state)


def from_text(words: str) -> Data:
    """Return what the standard mail commands write as "Name: value" lines."""
    found: Data = {}
    last = ""
    for line in words[:20_000].splitlines()[:100]:
        name, colon, value = line.partition(":")
        told = line.strip()
        if colon and len(name) < 30 and not name.startswith("*"):
            last = plain(name)
            found.setdefault(last, value.strip())
        elif told.startswith("** ") or " Alert: " in told:
            found |= from_subject(told)
        elif told.endswith("!") and " is " in told:
            found.setdefault("STATE", told.rstrip("!").rpartition(" is ")[2])
        elif told and last and not found.get(last):
            found[last] = told
    return {name: value for name, value in found.items() if value}


def from_subject(line: str) -> Data:
    """Return what "** PROBLEM Service Alert: db-1/Disk is CRITICAL **" says."""
    head, _colon, rest = line.strip("* ").partition(" Alert: ")
    about, _is, state = rest.rpartition(" is ")
    kind, _space, what = head.rpartition(" ")
    host, slash, service = about.partition("/")
    found = {"NOTIFICATIONTYPE": kind, "HOSTNAME": host, "STATE": state}
    return found | ({"SERVICEDESC": service} if slash and what == "Service" else {})
