"""What does Zabbix send? The JSON of our webhook, or the usual macros of others.

https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook
"""

from __future__ import annotations

from datetime import datetime

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
from alertcenter.alerts.sources.shapes import first, moment, number, tags

NAME = "zabbix"
SEVERITIES = {
    "not classified": "info", "information": "info", "warning": "warning",
    "average": "error", "high": "critical", "disaster": "critical",
    "0": "info", "1": "info", "2": "warning", "3": "error", "4": "critical",
    "5": "critical",
}  # fmt: skip
OVER = ("ok", "resolved", "0", "recovery", "recovered", "normal")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    raw = {**incoming.query, **as_object(incoming)}
    # {EVENT.ID}, EVENT.ID, event_id and eventid are one name.
    data = {plain(name): value for name, value in list(raw.items())[:200]}
    problem = first(data, "eventid", "problemid", "eventrecoveryid")
    trigger = first(data, "triggerid")
    title = first(
        data, "eventname", "triggername", "alertsubject", "subject", "name", "title",
        "problem", "message",
    )  # fmt: skip
    value = first(data, "eventvalue", "triggervalue")
    status = first(data, "status", "eventstatus", "triggerstatus", "state").lower()
    if not title or not (problem or trigger or value or status):
        raise NotUnderstood("an event id and a name are missing")
    over = (
        value == "0"
        if value
        else status in OVER or title.lower().startswith("resolved")
    )
    host = first(data, "hostname", "host", "hosthost", "hostvisiblename")
    word = first(
        data,
        "triggerseverity",
        "eventseverity",
        "severity",
        "eventnseverity",
        "priority",
    )
    return [
        event(
            NAME,
            title=bare(title),
            # {EVENT.ID} is that of the problem in its recovery too.
            key=problem or joined(trigger or bare(title), host),
            firing=not over,
            severity=SEVERITIES.get(word.lower(), word),
            labels={
                "alertname": bare(title),
                "host": host,
                "ip": first(data, "hostip", "ip"),
                "group": first(data, "triggerhostgroupname", "hostgroup"),
                "item": first(data, "itemname"),
                **tags(
                    data.get("eventtags")
                    or data.get("eventtagsjson")
                    or data.get("tags")
                ),
            },
            annotations={
                "description": first(
                    data,
                    "triggerdescription",
                    "alertmessage",
                    "message",
                    "description",
                    "eventopdata",
                ),
                "value": first(data, "itemvalue", "itemlastvalue", "opdata"),
                "item": first(data, "itemname", "itemkey"),
                "runbook_url": first(data, "triggerurl"),
                "update": first(data, "eventupdatemessage"),
            },
            link=link_of(first(data, "zabbixurl", "url", "link"), trigger, problem),
            starts_at=when(data, "eventdate", "eventtime", "eventtimestamp"),
            ends_at=when(
                data, "eventrecoverydate", "eventrecoverytime", "recoverytimestamp"
            ),
        )
    ]


def plain(name: object) -> str:
    return str(name).lower().translate(SKIPPED)


SKIPPED = {ord(char): None for char in "{}._- "}


def bare(title: str) -> str:
    """Return the name without "Problem: " or "Resolved in 5m: "."""
    head, colon, rest = title.partition(": ")
    if colon and head.lower().startswith(("problem", "resolved", "updated problem")):
        return rest.strip() or title
    return title


def link_of(address: str, trigger: str, problem: str) -> str:
    """Return the problem's page, if the address of Zabbix is told."""
    if "tr_events" in address or not (trigger and problem and address):
        return address
    base = address.rstrip("/")
    return f"{base}/tr_events.php?triggerid={trigger}&eventid={problem}"


def when(data: dict[str, object], day: str, clock: str, stamp: str) -> datetime | None:
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
