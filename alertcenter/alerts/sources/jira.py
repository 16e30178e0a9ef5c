"""What do Jira's webhooks and automation rules send about its issues?

https://developer.atlassian.com/cloud/jira/platform/webhooks/
An issue is an alert until its status is of the category done; worklogs, sprints and the
like are news.
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
from alertcenter.alerts.sources.shapes import first, moment, objects, part, parts, text

NAME = "jira"
DONE = frozenset({
    "done", "closed", "resolved", "cancelled", "canceled", "declined", "rejected",
    "completed", "won't do", "fixed",
})  # fmt: skip
SEVERITIES = {
    "blocker": "critical", "highest": "critical", "critical": "critical",
    "high": "error", "major": "error", "medium": "warning", "minor": "info",
    "normal": "warning", "low": "info", "lowest": "debug", "trivial": "debug",
}  # fmt: skip
THINGS = ("worklog", "sprint", "version", "project", "board", "comment", "issueLink",
          "attachment", "user")  # fmt: skip
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a delivery. Raises NotUnderstood."""
    data = as_object(incoming)
    # An automation rule sends the issue itself.
    found = part(data, "issue") or (data if part(data, "fields") else {})
    kind = first(data, "webhookEvent", "issue_event_type_name").removeprefix("jira:")
    if not kind and not (first(found, "key") and part(found, "fields")):
        raise NotUnderstood("webhookEvent and an issue are missing")
    if first(found, "key", "id") and not kind.startswith("worklog"):
        return [issue(data, kind, found)]
    return [news(data, kind)]


def issue(data: Data, kind: str, found: Data) -> Event:
    """Return an issue, open until it is done or deleted."""
    fields = part(found, "fields")
    key = first(found, "key", "id")
    summary = first(fields, "summary") or f"Issue {key}"
    status = first(fields, "status.name", "status")
    category = first(fields, "status.statusCategory.key")
    over = (
        kind == "issue_deleted"
        or category == "done"
        or (category == "" and status.lower() in DONE)
        or (status == "" and bool(first(fields, "resolution.name", "resolution")))
    )
    at = moment(data.get("timestamp")) or moment(fields.get("updated"))
    priority = first(fields, "priority.name", "priority").lower()
    changes = [
        f"{first(one, 'field')}: {first(one, 'fromString') or '-'} → "
        f"{first(one, 'toString') or '-'}"
        for one in objects(data, "changelog.items")[:20]
    ]
    return event(
        NAME,
        title=f"{key}: {summary}",
        # The number stays when the issue moves to another project; the key does not.
        key=joined(site(found), first(found, "id") or key),
        firing=not over,
        severity=SEVERITIES.get(priority, priority or "warning"),
        labels={
            "alertname": first(fields, "issuetype.name", "issuetype") or "Issue",
            "issue": key,
            "project": first(fields, "project.key", "project.name"),
            "status": status,
            "component": first(fields, "components.0.name"),
            "assignee": person(part(fields, "assignee")),
            "labels": ", ".join(map(text, parts(fields, "labels")[:20])),
        },
        annotations={
            "description": first(fields, "description")[:4000],
            "event": kind,
            "changes": "\n".join(changes)[:2000],
            "comment": first(data, "comment.body")[:2000],
            "author": person(part(data, "user") or part(data, "comment.author")),
            "resolution": first(fields, "resolution.name"),
        },
        link=f"{site(found)}/browse/{key}" if site(found) else "",
        starts_at=moment(fields.get("created")) or at,
        ends_at=moment(fields.get("resolutiondate")) or at,
    )


def news(data: Data, kind: str) -> Event:
    """Return what is not about an issue's state, readable and quiet."""
    thing = next((part(data, name) for name in THINGS if part(data, name)), {})
    name = first(thing, "name", "displayName", "comment", "body", "filename")
    words = kind.replace("_", " ").replace(":", " ") or "Jira event"
    return event(
        NAME,
        title=words[:1].upper() + words[1:] + (f": {name}" if name else ""),
        key=joined(kind.rpartition("_")[0] or kind, first(thing, "self", "id") or name),
        severity="info",
        labels={"alertname": kind, "project": first(data, "project.key")},
        annotations={
            "description": first(thing, "description", "comment", "body")[:2000],
            "author": person(part(data, "user") or part(thing, "author")),
        },
        link=first(thing, "self"),
        starts_at=moment(data.get("timestamp")),
        ttl_seconds=DAY,
    )


def person(found: Data) -> str:
    return first(found, "displayName", "name", "emailAddress", "accountId")


def site(found: Data) -> str:
    """Return the address of the Jira that an issue is in."""
    return first(found, "self").partition("/rest/")[0]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    kind = first(data, "webhookEvent")
    found = part(data, "issue") or data
    return kind.startswith(("jira:", "comment_", "worklog_", "issuelink_")) or (
        "/rest/" in first(found, "self") and "key" in found and "fields" in found
    )


ADAPTER = Adapter(
    NAME,
    "Jira",
    read,
    recognise,
    example={
        "timestamp": 1763715600000,
        "webhookEvent": "jira:issue_created",
        "issue": {
            "id": "10042",
            "self": "https://acme.atlassian.net/rest/api/2/issue/10042",
            "key": "OPS-42",
            "fields": {
                "summary": "Checkout answers 500",
                "issuetype": {"name": "Incident"},
                "project": {"key": "OPS"},
                "priority": {"name": "Highest"},
                "status": {"name": "Open", "statusCategory": {"key": "new"}},
                "created": "2026-11-20T10:00:00.000+0000",
            },
        },
        "user": {"displayName": "Alice"},
    },
    steps=(
        _("In Jira's settings, open System, WebHooks, and create one with the URL."),
        _("Choose the events of issues, and a query for those that you want."),
    ),
    docs="https://developer.atlassian.com/cloud/jira/platform/webhooks/",
)
