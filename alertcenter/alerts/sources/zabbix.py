"""What does Zabbix send? The JSON of our webhook, or the usual macros of others.

https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

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
from alertcenter.alerts.sources.shapes import first, moment, number, pairs, tags

NAME = "zabbix"
SEVERITIES = {
    "not classified": "info", "information": "info", "warning": "warning",
    "average": "error", "high": "critical", "disaster": "critical",
    "0": "info", "1": "info", "2": "warning", "3": "error", "4": "critical",
    "5": "critical",
}  # fmt: skip
OVER = ("ok", "resolved", "0", "recovery", "recovered", "normal", "closed")
# How the default subjects begin; the rest of the line is the problem's name.
STATES = ("problem", "resolved", "updated problem", "recovery", "ok", "update")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = named({**incoming.query, **as_object(incoming)})
    message = first(data, "alertmessage", "message", "text", "body")
    if not ("eventid" in data and "eventname" in data):
        # The default message says in lines what the fields do not.
        data = {**in_lines(message), **data}
    problem = first(
        data, "eventid", "problemid", "originalproblemid", "originaleventid",
        "problemeventid", "id",
    )  # fmt: skip
    trigger = first(data, "triggerid")
    subject = first(data, "alertsubject", "subject", "title")
    name = bare(
        first(data, "eventname", "triggername", "problemname", "name", "trigger")
        or subject
        or first(data, "problem", "text", "message")
    )
    value = first(data, "eventvalue", "triggervalue")
    status = first(data, "eventstatus", "triggerstatus", "status", "state").lower()
    host = first(data, "hostname", "host", "hosthost", "hostvisiblename", "hostconn")
    if not name or not (problem or trigger or value or status or host or subject):
        raise NotUnderstood("an event id and a name are missing")
    if value in ("0", "1"):
        over = value == "0"
    elif status:
        over = status in OVER
    else:
        over = (subject or name).lower().startswith(("resolved", "ok:", "recovery"))
    word = first(
        data, "eventseverity", "triggerseverity", "severity", "eventnseverity",
        "triggernseverity", "priority",
    )  # fmt: skip
    return [
        event(
            NAME,
            title=name if not host or host in name else f"{name} on {host}",
            # {EVENT.ID} is that of the problem in its recovery too.
            key=problem or joined(trigger or name, host),
            firing=not over,
            severity=SEVERITIES.get(word.lower(), word),
            labels={
                "host": host,
                "ip": first(data, "hostip", "ip", "ipaddress"),
                "group": first(data, "triggerhostgroupname", "hostgroup", "hostgroups"),
                "item": first(data, "itemname", "item"),
                "environment": first(data, "environment"),
                **tags_of(
                    data.get("eventtagsjson")
                    or data.get("eventtags")
                    or data.get("triggertags")
                    or data.get("tags")
                ),
                "alertname": name,
            },
            annotations={
                "description": first(
                    data, "triggerdescription", "eventdescription", "description"
                )
                or message,
                "value": first(
                    data, "itemvalue", "itemlastvalue", "eventopdata", "opdata",
                    "operationaldata", "lastvalue",
                ),
                "runbook_url": first(data, "triggerurl"),
                "update": first(data, "eventupdatemessage"),
                "acknowledged": first(data, "eventackstatus", "acknowledged"),
                "trigger_id": trigger,
            },
            link=link_of(
                first(data, "zabbixurl", "alerturl", "eventurl", "url", "link"),
                trigger,
                problem,
            ),
            starts_at=when(data, "eventdate", "eventtime", "eventtimestamp"),
            ends_at=when(
                data, "eventrecoverydate", "eventrecoverytime", "eventrecoverytimestamp"
            )
            or moment(data.get("recoverytimestamp")),
        )
    ]  # fmt: skip


def named(raw: Data) -> Data:
    """Return the values with {EVENT.ID}, EVENT.ID, event_id and EventID as one name.

    A macro that says nothing is sent as it is written, or as *UNKNOWN*.
    """
    found: Data = {}
    for name, value in list(raw.items())[:200]:
        if type(value) is str and (
            value.startswith("*UNKNOWN") or (value[:1] == "{" and value[-1:] == "}")
        ):
            continue
        found.setdefault(plain(name), value)
    return found


def plain(name: object) -> str:
    return str(name).lower().translate(SKIPPED)


SKIPPED = {ord(char): None for char in "{}._- $"}


def in_lines(message: str) -> Data:
    """Return the "Host: db-1" lines of the default message."""
    found: Data = {}
    for line in message[:4000].splitlines()[:30]:
        name, colon, value = line.partition(": ")
        if colon and len(name) < 30 and value.strip():
            found[plain(name)] = value.strip()
    return found


def tags_of(value: Any) -> dict[str, str]:
    """Return tags written "a:b, c:d", or as a list of {tag, value}, or as its JSON."""
    if type(value) is str and value[:1] == "[" and len(value) < 20_000:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return pairs(value, "tag", "value") if type(value) is list else tags(value)


def bare(title: str) -> str:
    """Return the name without "Problem: " or "Resolved in 5m: "."""
    head, colon, rest = title.partition(": ")
    lower = head.lower().strip("[] ")
    if colon and (lower in STATES or lower.startswith(("resolved in", "problem in"))):
        return rest.strip() or title
    return title


def link_of(address: str, trigger: str, problem: str) -> str:
    """Return the problem's page, if the address of Zabbix is told."""
    if "tr_events" in address or not (trigger and problem and address):
        return address
    base = address.rstrip("/")
    return f"{base}/tr_events.php?triggerid={trigger}&eventid={problem}"


def when(data: Data, day: str, clock: str, stamp: str) -> datetime | None:
    """Return a time told as a number, or as a day and a clock."""
    count = number(data.get(stamp))
    if count:
        return moment(count)
    words = " ".join(filter(None, (first(data, day), first(data, clock))))
    return moment(words.replace(".", "-")) if words[4:5] in (".", "-") else None


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or len(data) > 100:
        return False
    names = {plain(name) for name in data}
    return len(names & MARKS) >= 2 or "zabbixurl" in names


MARKS = frozenset({
    "eventid", "triggerid", "triggerseverity", "eventvalue", "triggername",
    "eventnseverity", "itemvalue", "triggerstatus", "triggervalue", "eventseverity",
})  # fmt: skip

ADAPTER = Adapter(
    NAME,
    "Zabbix",
    read,
    recognise,
    takes_text=True,
    example={
        "event_id": "5823",
        "event_value": "1",
        "event_name": "Free disk space is below 10 %",
        "trigger_id": "13491",
        "trigger_severity": "High",
        "host_name": "db-1",
        "host_ip": "192.0.2.10",
        "event_tags": "scope:capacity",
        "item_value": "4 %",
        "event_timestamp": "1763715600",
    },
    steps=(
        _("In Zabbix, open Alerts, Media types, and make one of type Webhook."),
        _(
            "Add the parameters below, and the script: it posts them as JSON to the URL."
        ),
        _("Give a user this media type and make an action that also runs on recovery."),
    ),
    docs="https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook",
    snippet="""// Parameters: url = {url}
// event_id = {EVENT.ID}, event_value = {EVENT.VALUE}, event_name = {EVENT.NAME},
// trigger_id = {TRIGGER.ID}, trigger_severity = {EVENT.SEVERITY}, host_name = {HOST.NAME},
// host_ip = {HOST.IP}, event_tags = {EVENT.TAGS}, item_value = {ITEM.VALUE},
// event_timestamp = {EVENT.TIMESTAMP}, recovery_timestamp = {EVENT.RECOVERY.TIMESTAMP},
// zabbix_url = {$ZABBIX.URL}
var p = JSON.parse(value), r = new HttpRequest(), u = p.url;
delete p.url;
r.addHeader('Content-Type: application/json');
var a = r.post(u, JSON.stringify(p));
if (r.getStatus() != 200) throw a;
return 'OK';""",
)
