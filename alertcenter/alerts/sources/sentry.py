"""What do Sentry's webhooks send? Issue alerts, metric alerts, issues, and the old plugin.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
An issue is one alert. Only resolving (or archiving) the issue says that it is over.
"""

from __future__ import annotations

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
from alertcenter.alerts.sources.shapes import at, first, moment, part, parts, text

NAME = "sentry"
OVER = frozenset({"resolved", "ignored", "archived", "deleted"})
METRIC = {"critical": "critical", "warning": "warning", "resolved": "info"}
SILENT = ("installation", "comment")
STATES = ("Resolved: ", "Critical: ", "Warning: ")
RESOURCE = "sentry-hook-resource"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    inner = part(data, "data")
    if incoming.header(RESOURCE) in SILENT or "installation" in inner:
        return []
    if "comment" in inner and "issue" not in inner:
        return []
    if part(inner, "metric_alert"):
        return [metric_alert(data)]
    issue = part(inner, "issue")
    if issue:
        return [issue_event(data, issue)]
    found = part(inner, "event") or part(inner, "error")
    if found:
        return [error_event(data, found)]
    if first(data, "project", "project_slug", "project_name") and first(
        data, "message", "culprit"
    ):
        return [plugin_event(data)]
    raise NotUnderstood("there is no issue, event or metric alert")


def issue_event(data: Data, issue: Data) -> Event:
    """Return an issue's event: created, resolved, assigned, archived, unresolved."""
    action = first(data, "action").lower()
    status = first(issue, "status").lower()
    return event(
        NAME,
        title=first(issue, "title", "metadata.title", "culprit"),
        key=joined("issue", first(issue, "id", "shortId")),
        firing=not (action in OVER or status in OVER),
        severity=first(issue, "level"),
        labels={
            "alertname": first(issue, "metadata.type", "type"),
            "project": first(issue, "project.slug", "project.name", "project"),
            "platform": first(issue, "platform"),
            "issue": first(issue, "shortId"),
        },
        annotations={
            "description": first(issue, "metadata.value", "culprit"),
            "count": first(issue, "count"),
            "users": first(issue, "userCount"),
        },
        link=first(issue, "web_url", "permalink", "url"),
        # Not firstSeen: an issue that comes back would look older than its end.
        starts_at=moment(first(issue, "lastSeen", "firstSeen"))
        if status not in OVER and action not in OVER
        else None,
    )


def error_event(data: Data, found: Data) -> Event:
    """Return what an issue alert, or a single error, says."""
    tags = tags_of(found)
    issue = first(found, "issue_id", "groupID", "issue.id") or issue_of(
        first(found, "issue_url") or first(found, "web_url")
    )
    return event(
        NAME,
        title=first(found, "title", "message", "logentry.formatted", "culprit"),
        key=joined("issue", issue) if issue else first(found, "event_id", "title"),
        severity=first(found, "level") or tags.get("level", ""),
        labels={
            "alertname": first(data, "data.triggered_rule", "data.issue_alert.title")
            or first(found, "metadata.type", "type"),
            "project": project_of(found),
            "environment": first(found, "environment") or tags.get("environment"),
            "platform": first(found, "platform"),
            "release": first(found, "release"),
        },
        annotations={
            "description": first(found, "metadata.value", "message", "culprit"),
            "location": first(found, "location", "culprit"),
        },
        link=first(found, "web_url", "url"),
        starts_at=moment(first(found, "datetime", "timestamp")),
    )


def issue_of(address: str) -> str:
    """Return the id in ".../issues/<id>/events/<id>/", or ""."""
    found = address.partition("/issues/")[2].partition("/")[0].partition("?")[0]
    return found if found.isdecimal() else ""


def without_state(title: str) -> str:
    """Return the title of a metric alert without "Critical: "."""
    for state in STATES:
        title = title.removeprefix(state)
    return title


def metric_alert(data: Data) -> Event:
    """Return what a metric alert says: critical, warning or resolved."""
    action = first(data, "action").lower()
    alert = part(data, "data.metric_alert")
    return event(
        NAME,
        title=first(alert, "title", "alert_rule.name")
        or without_state(first(data, "data.description_title", "data.title")),
        key=joined("metric", first(alert, "id", "identifier", "alert_rule.id")),
        firing=action != "resolved",
        severity=METRIC.get(action, "warning"),
        labels={
            "alertname": first(alert, "title", "alert_rule.name"),
            "project": first(alert, "projects.0"),
            "environment": first(alert, "alert_rule.environment"),
        },
        annotations={
            "description": first(data, "data.description_text"),
            "query": first(alert, "alert_rule.query"),
        },
        link=first(data, "data.web_url"),
        starts_at=moment(first(alert, "date_started", "date_detected")),
        ends_at=moment(first(alert, "date_closed")),
    )


def plugin_event(data: Data) -> Event:
    """Return what the legacy webhooks plugin says."""
    found = part(data, "event")
    tags = tags_of(found)
    return event(
        NAME,
        title=first(found, "title") or first(data, "message", "culprit"),
        key=joined(
            "issue",
            issue_of(first(data, "url"))
            or first(data, "id")
            or first(found, "title", "event_id"),
        ),
        severity=first(data, "level") or first(found, "level"),
        labels={
            "alertname": first(found, "metadata.type"),
            "project": first(data, "project_slug", "project", "project_name"),
            "environment": first(found, "environment") or tags.get("environment"),
            "platform": first(found, "platform"),
            "logger": first(data, "logger"),
        },
        annotations={
            "description": first(data, "message"),
            "location": first(data, "culprit"),
        },
        link=first(data, "url"),
        starts_at=moment(first(found, "datetime", "timestamp", "received")),
    )


def tags_of(found: Data) -> dict[str, str]:
    """Return tags, which come as pairs."""
    return {
        text(pair[0]): text(pair[1])
        for pair in parts(found, "tags")[:50]
        if type(pair) is list and len(pair) == 2
    }


def project_of(found: Data) -> str:
    """Return the project; in an issue alert it is only named in an address."""
    name = first(found, "project_slug", "project_name", "project.slug")
    address = first(found, "url") or first(found, "issue_url")
    pieces = address.split("/")
    if not name and "projects" in pieces[:-2]:
        name = (
            pieces[pieces.index("projects") + 2]
            if len(pieces) > pieces.index("projects") + 2
            else ""
        )
    return name or first(found, "project")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    if incoming.header(RESOURCE):
        return True
    inner = part(data, "data")
    return (
        "metric_alert" in inner
        or (
            "action" in data
            and ("triggered_rule" in inner or at(inner, "issue.shortId") is not None)
        )
        or ("project_slug" in data and "culprit" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Sentry",
    read,
    recognise,
    example={
        "action": "triggered",
        "data": {
            "event": {
                "event_id": "fe8f2a4c",
                "issue_id": "1117540176",
                "title": "TypeError: price is undefined",
                "level": "error",
                "platform": "javascript",
                "culprit": "checkout in cart.js",
                "web_url": "https://sentry.io/organizations/acme/issues/1117540176/",
                "tags": [["environment", "production"]],
            },
            "triggered_rule": "Errors in the shop",
        },
    },
    example_headers={RESOURCE: "event_alert"},
    headers=(RESOURCE,),
    steps=(
        _(
            "In Sentry, open Settings, Developer Settings, and make an internal integration."
        ),
        _(
            "Paste the URL as webhook URL, turn on Alert Rule Action and the issue webhook."
        ),
        _("Choose the integration as the action of your alert rules."),
    ),
    docs="https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
)
