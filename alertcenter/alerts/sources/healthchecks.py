"""What does Healthchecks (healthchecks.io) send by its webhook integration?

The body is a template of the user's; ours names the check and its status.
https://healthchecks.io/docs/configuring_notifications/
"""

from __future__ import annotations

from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, part, tags

NAME = "healthchecks"
OVER = ("up", "new", "paused", "ok")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of a body, a form or a query. Raises NotUnderstood."""
    data = {**incoming.query, **as_object(incoming)}
    inner = part(data, "check") or part(data, "json")
    data = {**data, **inner, "check": "" if inner else data.get("check")}
    data = {name: value for name, value in list(data.items())[:200] if filled(value)}
    name = first(data, "name", "check_name", "check")
    status = first(data, "status", "state", "check_status").lower()
    code = (
        first(data, "code", "uuid", "unique_key")
        or first(data, "ping_url", "update_url").rstrip("/").rpartition("/")[2]
        or first(data, "slug")
    )
    if not (name or code) or not status:
        raise NotUnderstood("the name of a check and its status are missing")
    at = moment(first(data, "now", "timestamp", "last_change"))
    words = data.get("tags")
    return [
        event(
            NAME,
            title=f"{name or code} is {status}",
            key=code or name,
            firing=status not in OVER,
            severity=first(data, "severity")
            or ("warning" if status == "grace" else "error"),
            labels={
                "alertname": "CheckDown",
                "check": name,
                "project": first(data, "project"),
                **tags(words.split() if type(words) is str else words),
            },
            annotations={
                "description": first(data, "desc", "description", "body"),
                "exit_status": first(data, "exitstatus", "exit_status"),
                "last_ping": first(data, "last_ping"),
            },
            link=first(data, "url", "details_url", "link"),
            starts_at=at,
            ends_at=at,
        )
    ]


def filled(value: Any) -> bool:
    """Whether it is more than a placeholder like "$EXITSTATUS", left as it was."""
    return type(value) is not str or not (value[:1] == "$" and value[1:].isupper())


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    inner = part(data, "check") or data
    return "ping_url" in inner or (
        "code" in inner
        and "status" in inner
        and ("last_ping" in inner or ("now" in inner and "name" in inner))
    )


ADAPTER = Adapter(
    NAME,
    "Healthchecks",
    read,
    recognise,
    takes_get=True,
    example={
        "code": "f618072a-7bde-4eee-af63-71a77c5723bc",
        "name": "Nightly backup",
        "status": "down",
        "tags": "db production",
        "now": "2026-11-20T10:00:00+00:00",
        "last_ping": "2026-11-19T02:00:00+00:00",
    },
    steps=(
        _("In Healthchecks, open Integrations and add a webhook."),
        _("Use the URL, method POST and the body below both for down and for up."),
    ),
    docs="https://healthchecks.io/docs/configuring_notifications/",
    snippet="""{"code": "$CODE", "name": "$NAME", "status": "$STATUS", "tags": "$TAGS", "now": "$NOW", "last_ping": "", "body": "$BODY"}""",
)
