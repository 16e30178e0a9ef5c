"""What does Datadog's webhooks integration send?

The body is a template of the user's; Datadog's default has id, title, body, event_type,
date; our set-up page's adds the transition and the key. Bodies of the Monitor API's
shape (monitor_id, scopes) come from Keep's and other relays.
https://docs.datadoghq.com/integrations/webhooks/
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
from alertcenter.alerts.sources.shapes import first, moment, tags

NAME = "datadog"
OVER = frozenset({"recovered", "success", "ok", "resolved", "monitor deleted"})
SEVERITIES = {
    "error": "error", "warning": "warning", "success": "info", "info": "info",
    "1": "critical", "2": "error", "3": "warning", "4": "info", "5": "debug",
}  # fmt: skip
PREFIXES = ("[Triggered", "[Recovered", "[Warn", "[No data", "[Re-Triggered")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    title = first(data, "title", "alert_title", "event_title")
    named = first(data, "alert_cycle_key", "aggreg_key", "aggregation_key")
    monitor = first(data, "alert_id", "monitor_id", "monitor.id")
    if not (title and (named or monitor or "event_type" in data or "body" in data)):
        raise NotUnderstood("a title and an id are missing")
    transition = first(data, "alert_transition", "transition").lower()
    state = transition or first(data, "alert_status", "alert_type", "status").lower()
    firing = state not in OVER and not title.startswith("[Recovered")
    scope = first(data, "alert_scope", "scope", "scopes")
    priority = first(data, "priority", "alert_priority").lower().removeprefix("p")
    word = SEVERITIES.get(priority) or SEVERITIES.get(first(data, "alert_type").lower())
    if word is None or word == "info":
        word = "warning" if "warn" in state or title.startswith("[Warn") else word
    return [
        event(
            NAME,
            title=without_state(title),
            key=joined(named or monitor, scope)
            if named or monitor
            else first(data, "id")
            if not title.startswith(PREFIXES)
            else without_state(title),
            firing=firing,
            severity=word or "error",
            labels={
                "alertname": without_state(title),
                "host": first(data, "hostname", "host"),
                "monitor_id": monitor,
                "metric": first(data, "alert_metric", "metric"),
                "scope": scope,
                "org": first(data, "org.name", "org_name"),
                **tags(data.get("tags")),
            },
            annotations={
                "description": first(data, "body", "message", "event_msg", "text"),
                "query": first(data, "query", "alert_query"),
            },
            link=first(data, "link", "url", "alert_url"),
            image=first(data, "snapshot", "image"),
            starts_at=moment(first(data, "date", "last_updated")) if firing else None,
            ends_at=moment(first(data, "date", "last_updated")),
        )
    ]


def without_state(title: str) -> str:
    """Return the title without "[Triggered on {host:a}]", not in its recovery."""
    if title.startswith(PREFIXES):
        return title.partition("]")[2].strip() or title
    return title


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        "alert_transition" in data
        or ("monitor_id" in data and "scopes" in data)
        or ("event_type" in data and "last_updated" in data and "org" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Datadog",
    read,
    recognise,
    example={
        "id": "7423",
        "title": "[Triggered on {host:web-1}] CPU is high",
        "body": "CPU of web-1 has been over 90 % for five minutes.",
        "alert_transition": "Triggered",
        "alert_cycle_key": "5d2e1f",
        "alert_type": "error",
        "date": 1763715600000,
        "tags": "env:production,team:web",
        "link": "https://app.datadoghq.com/event/event?id=7423",
    },
    steps=(
        _("In Datadog, open Integrations, Webhooks, and add a webhook."),
        _("Paste the URL, and the payload below, which names each alert's own key."),
        _("Write @webhook-alertcenter into the message of your monitors."),
    ),
    docs="https://docs.datadoghq.com/integrations/webhooks/",
    snippet="""{
  "id": "$ID",
  "title": "$EVENT_TITLE",
  "body": "$TEXT_ONLY_MSG",
  "alert_id": "$ALERT_ID",
  "alert_cycle_key": "$ALERT_CYCLE_KEY",
  "alert_transition": "$ALERT_TRANSITION",
  "alert_type": "$ALERT_TYPE",
  "alert_scope": "$ALERT_SCOPE",
  "alert_metric": "$ALERT_METRIC",
  "priority": "$PRIORITY",
  "hostname": "$HOSTNAME",
  "tags": "$TAGS",
  "date": "$DATE",
  "link": "$LINK",
  "snapshot": "$SNAPSHOT",
  "org": {"id": "$ORG_ID", "name": "$ORG_NAME"}
}""",
)
