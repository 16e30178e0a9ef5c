"""What does Graylog's HTTP notification send?

Since version 3 an event with its definition and the messages behind it; before, a check
result of an alert condition on a stream. Neither is followed by an end.
https://go2docs.graylog.org/current/interacting_with_your_log_data/http_notifications.html
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
    parts,
    text,
)

NAME = "graylog"
# Graylog counts 1 to 3, since version 6 up to 4.
SEVERITIES = {"1": "info", "2": "warning", "3": "error", "4": "critical"}
WORDS = {"low": "info", "normal": "warning", "medium": "warning", "high": "error"}
OVER = frozenset({"resolved", "closed", "false_positive"})
HOSTS = (
    "host", "hostname", "host_hostname", "host_name", "source", "source_ip",
    "gl2_remote_ip", "winlogbeat_computer_name", "instance",
)  # fmt: skip
MOST_MESSAGES = 5
MOST_FIELDS = 20


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    if part(data, "check_result") or part(data, "stream"):
        return [legacy(data)]
    if not part(data, "event") and "event_definition_id" not in data:
        raise NotUnderstood("event and event_definition_id are missing")
    return [alert(data, part(data, "event"))]


def alert(data: Data, about: Data) -> Event:
    """Return the event of a definition that came true."""
    definition = first(data, "event_definition_id") or first(
        about, "event_definition_id"
    )
    name = first(data, "event_definition_title") or first(about, "message")
    groups = part(about, "group_by_fields")
    fields = part(about, "fields")
    grouped = ", ".join(filter(None, map(text, parts(about, "key_tuple")[:20])))
    where = grouped or first(about, "key") or ", ".join(map(text, groups.values()))
    message = first(about, "message")
    lines = backlog(data)
    seen = moment(first(about, "timestamp", "timestamp_processing"))
    shown = name or message or f"Event {definition}"
    firing = first(data, "event_status", "status").lower() not in OVER
    return event(
        NAME,
        title=f"{shown}: {where}" if where and where not in shown else shown,
        key=joined(definition or name or message or first(about, "id"), where),
        firing=firing,
        severity=severity(data, about),
        labels={
            "host": first(groups, *HOSTS)
            or first(fields, *HOSTS)
            or first(about, "origin_context_host")
            or host_of(objects(data, "backlog")),
            "environment": first(fields, "environment", "env"),
            "service": first(fields, "service", "application"),
            "key": where,
            **groups,
            "alertname": name,
        },
        annotations={
            "description": first(data, "event_definition_description").strip("."),
            "message": message,
            "value": value_of(about),
            "query": first(about, "replay_info.query"),
            "remediation": first(data, "event_definition_remediation_steps"),
            "backlog": "\n".join(lines),
            "field": dict(list(fields.items())[:MOST_FIELDS]),
        },
        link=first(data, "replay_url", "event_url", "http_external_uri"),
        starts_at=seen if firing else None,
        ends_at=seen,
    )


def legacy(data: Data) -> Event:
    """Return the event of an alert condition, as Graylog 2 sends it."""
    result, stream = part(data, "check_result"), part(data, "stream")
    condition = part(result, "triggered_condition")
    name = first(condition, "title") or first(stream, "title")
    firing = result.get("triggered") is not False
    at = moment(first(result, "triggered_at", "resolved_at"))
    lines = backlog(result, "matching_messages")
    return event(
        NAME,
        title=name or first(result, "result_description") or "Graylog alert",
        key=joined(
            first(stream, "id") or first(stream, "title"),
            first(condition, "id") or first(condition, "type") or name,
        ),
        firing=firing,
        severity=first(condition, "parameters.severity") or "error",
        labels={
            "alertname": name,
            "host": host_of(objects(result, "matching_messages")),
            "stream": first(stream, "title"),
            "condition": first(condition, "type"),
        },
        annotations={
            "description": first(result, "result_description")
            or first(stream, "description"),
            "backlog": "\n".join(lines),
        },
        link=first(data, "stream_url"),
        starts_at=at if firing else None,
        ends_at=at,
    )


def severity(data: Data, about: Data) -> str:
    """Return the word for the priority of the event."""
    word = first(about, "priority") or first(data, "event_definition_priority")
    word = (word or first(data, "priority", "severity")).lower()
    return SEVERITIES.get(word) or WORDS.get(word, word) or "warning"


def backlog(data: Data, name: str = "backlog") -> list[str]:
    """Return the first messages that made it true."""
    found = [
        first(one, "message", "fields.message") or text(one)[:500]
        for one in objects(data, name)[:MOST_MESSAGES]
    ]
    return [one[:2000] for one in found if one]


def host_of(messages: list[dict[str, Any]]) -> str:
    """Return the host of the messages, if all that are looked at have the same."""
    found = {
        first(one, "source", "fields.source", *HOSTS)
        for one in messages[: 2 * MOST_MESSAGES]
    }
    return found.pop() if len(found) == 1 else ""


def value_of(about: Data) -> str:
    """Return the scores of an aggregation."""
    scores = part(about, "scores") or part(about, "aggregation_conditions")
    found = [f"{name}={text(value)}" for name, value in list(scores.items())[:10]]
    return found[0].partition("=")[2] if len(found) == 1 else ", ".join(found)


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        "event_definition_id" in data
        or "event_definition_title" in data
        or (
            "check_result" in data
            and (
                "stream" in data or "triggered_condition" in part(data, "check_result")
            )
        )
    )


ADAPTER = Adapter(
    NAME,
    "Graylog",
    read,
    recognise,
    example={
        "event_definition_id": "65f1c0ffee",
        "event_definition_type": "aggregation-v1",
        "event_definition_title": "Too many errors",
        "event_definition_description": "More than 100 errors in five minutes",
        "job_definition_id": "65f1",
        "job_trigger_id": "65f2",
        "event": {
            "id": "01HQEXAMPLE",
            "timestamp": "2026-11-21T09:00:00.000Z",
            "message": "Too many errors: web-1 - count()=120",
            "source": "graylog-1",
            "key_tuple": ["web-1"],
            "key": "web-1",
            "priority": 3,
            "alert": True,
            "fields": {"source": "web-1"},
            "group_by_fields": {"source": "web-1"},
        },
        "backlog": [],
    },
    steps=(
        _("In Graylog, open Alerts, Notifications, and create an HTTP notification."),
        _("Paste the URL and allow it in the URL whitelist."),
        _("Add the notification to your event definitions, with a backlog."),
    ),
    docs="https://go2docs.graylog.org/current/interacting_with_your_log_data"
    "/http_notifications.html",
)
