"""What does Splunk's webhook alert action send?

One JSON object per triggered alert with the first row of the search in `result`; ITSI's
episodes and Enterprise Security's notables are rows with more fields. Splunk On-Call's
outgoing webhooks speak of an incident instead.
https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks
"""

from __future__ import annotations

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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    part,
    tags,
    text,
)

NAME = "splunk"
# ITSI counts 1 to 6 from info to critical, a saved search's own severity from debug.
EPISODES = {
    "1": "info", "2": "info", "3": "warning", "4": "warning", "5": "error",
    "6": "critical",
}  # fmt: skip
SEARCHES = {
    "1": "debug", "2": "info", "3": "warning", "4": "error", "5": "critical",
    "6": "critical",
}  # fmt: skip
WORDS = {"severe": "critical", "very low": "info", "unknown": "", "undefined": ""}
OVER = frozenset(
    {"resolved", "closed", "4", "5", "recovery", "recovered", "cleared", "ok"}
)
STATES = ("itsi_group_status", "status", "status_label")
OBJECTS = (
    "host", "dest", "hostname", "host_name", "entity_title", "entity", "risk_object",
    "instance", "computer", "ComputerName", "node", "src", "service_name", "service",
)  # fmt: skip
TOLD = ("message", "description", "rule_description", "summary", "text", "_raw")
MOST_ROWS = 500
MOST_FIELDS = 20


def read(incoming: Incoming) -> list[Event]:
    """Return an event per row of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    incident = part(data, "incident")
    if "current_phase" in incident or "entity_state" in incident:
        return [on_call(incident, data)]
    rows = [one for one in objects(data, "results")[:MOST_ROWS] if one]
    if not any(first(data, name) for name in ("search_name", "sid", "results_link")):
        raise NotUnderstood("search_name and sid are missing")
    return [alert(data, row) for row in rows or [part(data, "result")]]


def alert(data: Data, row: Data) -> Event:
    """Return the event of one row of the search's results."""
    sid = first(data, "sid")
    # Without a name the search is known by its part of the job's id.
    search, _at, ran = sid.rpartition("_at_")
    name = first(data, "search_name") or first(row, "search_name", "rule_name")
    episode = first(row, "itsi_group_id")
    where = first(row, *OBJECTS)
    title = first(row, "itsi_group_title", "rule_title")
    if episode:
        title = title or first(row, "title", "event_title")
    if not title:
        shown = name or "Splunk alert"
        title = f"{shown}: {where}" if where and where not in shown else shown
    at = moment(ran.partition("_")[0].partition(".")[0]) or moment(row.get("_time"))
    firing = not is_over(row, episode)
    fields = [one for one in row.items() if not one[0].startswith("_")]
    return event(
        NAME,
        title=title,
        key=joined("episode", episode)
        if episode
        else joined(first(data, "app"), name or search or sid, where),
        firing=firing,
        severity=severity(data, row, episode),
        labels={
            "alertname": name,
            "host": where,
            "service": first(row, "service", "service_name", "serviceid"),
            "source": first(row, "source"),
            "sourcetype": first(row, "sourcetype"),
            "index": first(row, "index"),
            "environment": first(row, "environment", "env"),
            "team": first(row, "team"),
            "app": first(data, "app"),
            "owner": first(data, "owner"),
        },
        annotations={
            "description": first(row, *TOLD) or first(data, "message", "description"),
            "value": first(row, "value", "count"),
            "runbook_url": first(row, "runbook_url", "runbook", "drilldown_uri"),
            "result": dict(fields[:MOST_FIELDS]),
        },
        link=first(data, "results_link", "view_link"),
        starts_at=at if firing else None,
        ends_at=at,
    )


def is_over(row: Data, episode: str) -> bool:
    """Whether the row says so itself: a `status` of any other search says nothing."""
    if first(row, "alert_state", "alert_status").lower() in OVER:
        return True
    if not episode:
        return False
    if any(first(row, one).lower() in OVER for one in STATES):
        return True
    # A normal severity is how an episode's last event says that it is well again.
    return first(row, "severity_label", "severity").lower() in ("normal", "2")


def severity(data: Data, row: Data, episode: str) -> str:
    """Return the word for the row's severity, urgency or level."""
    word = (
        first(row, "itsi_group_severity", "severity_label")
        or first(row, "urgency", "severity", "alert_severity", "level")
        or first(data, "severity", "alert_severity", "configuration.severity")
    ).lower()
    numbers = EPISODES if episode else SEARCHES
    return numbers.get(word) or WORDS.get(word, word) or "error"


def on_call(incident: Data, data: Data) -> Event:
    """Return the event of a Splunk On-Call incident."""
    state = first(incident, "entity_state").lower()
    over = first(incident, "current_phase").lower() in OVER or state in OVER
    began = moment(first(incident, "incident_timestamp", "incidentTimestamp"))
    name = first(incident, "service", "entity_display_name", "incident_name")
    number = first(incident, "incident_id", "incident_name", "entity_id")
    listed: Any = incident.get("tags")
    return event(
        NAME,
        title=name or f"Incident {number}",
        key=joined("incident", number or name),
        firing=not over,
        severity="" if state in OVER else state,
        labels={
            **tags(list(listed.values()) if type(listed) is dict else listed),
            "alertname": name,
            "host": first(incident, "host"),
            "monitor": first(incident, "monitor_name"),
        },
        annotations={
            "description": first(data, "alert.state_message", "message")
            or first(incident, "state_message", "entity_display_name"),
            "phase": text(incident.get("current_phase")),
        },
        link=first(incident, "link", "incident_url", "incident_link"),
        starts_at=began,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    return (
        "sid" in data and ("results_link" in data or "search_name" in data)
    ) or "current_phase" in part(data, "incident")


ADAPTER = Adapter(
    NAME,
    "Splunk",
    read,
    recognise,
    example={
        "sid": "scheduler__admin__search__RMD50a1b2c3_at_1763715600_12",
        "search_name": "Too many failed logins",
        "app": "search",
        "owner": "admin",
        "results_link": "https://splunk.example.com/app/search/@go?sid=scheduler_12",
        "result": {
            "host": "web-1",
            "source": "/var/log/auth.log",
            "sourcetype": "linux_secure",
            "severity": "high",
            "count": "42",
            "_raw": "Failed password for root",
        },
    },
    steps=(
        _("In Splunk, save the search as an alert, or edit an alert."),
        _("Under Trigger actions, add Webhook and paste the URL."),
        _("Let the search return host and severity: they become labels."),
    ),
    docs="https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks",
)
