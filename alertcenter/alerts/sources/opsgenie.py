"""What do Opsgenie's outgoing webhooks send, and what is posted to create its alerts?

https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/
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
from alertcenter.alerts.sources.chat import shown
from alertcenter.alerts.sources.shapes import first, moment, part, parts, text

NAME = "opsgenie"
OVER = ("close", "delete", "closed")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    found = part(data, "alert") or data
    message = first(found, "message", "description") or first(found, "alias", "tinyId")
    if not message or not ("action" in data or "alias" in found or "message" in found):
        raise NotUnderstood("message and alias are missing")
    details = part(found, "details") or part(found, "extraProperties")
    action = first(data, "action")
    sender = first(found, "source") or first(data, "source.name")
    at = moment(found.get("updatedAt") or found.get("createdAt"))
    over = action.lower() in OVER or first(found, "status").lower() == "closed"
    return [
        event(
            NAME,
            title=shown(message.partition("\n")[0]),
            key=first(found, "alias", "alertId", "id")
            or joined(message, first(found, "entity")),
            firing=not over,
            severity=first(found, "priority")
            or first(details, "severity", "Severity", "priority")
            or "P3",
            labels={
                "alertname": message.partition("\n")[0],
                "entity": first(found, "entity"),
                "team": team_of(found),
                "tags": ", ".join(map(text, parts(found, "tags")[:20])),
                "source": sender,
                **{
                    key: value
                    for key, value in details.items()
                    if len(text(value)) < 500
                },
            },
            annotations={
                "description": first(found, "description"),
                "note": first(found, "note"),
                "action": action,
                "integration": first(data, "integrationName"),
                "user": first(found, "username", "user"),
            },
            link=first(found, "url", "link")
            or (sender if sender.startswith("http") else ""),
            starts_at=moment(found.get("createdAt")),
            ends_at=at,
        )
    ]


def team_of(found: Data) -> str:
    """Return the first team, which is told as a name or as an object."""
    teams = parts(found, "teams")
    if teams and type(teams[0]) is str:
        return text(teams[0])
    return first(found, "responders.0.name", "teams.0.name")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    return ("alertId" in part(data, "alert") and "action" in data) or (
        "message" in data
        and not {"monitor_id", "event_type", "alert_transition"} & data.keys()
        and bool({"alias", "responders", "priority"} & data.keys())
        and bool(
            {"details", "tags", "entity", "user", "responders", "source"} & data.keys()
        )
    )


ADAPTER = Adapter(
    NAME,
    "Opsgenie webhooks",
    read,
    recognise,
    example={
        "action": "Create",
        "integrationName": "AlertCenter",
        "alert": {
            "alertId": "052652ac-5d1c-464a",
            "alias": "disk/db-1",
            "message": "Disk of db-1 is full",
            "priority": "P1",
            "tags": ["db"],
            "entity": "db-1",
            "createdAt": 1763715600000,
            "source": "monit",
        },
    },
    steps=(
        _("In Opsgenie, add an outgoing webhook integration with the URL."),
        _(
            "To move a sender away from Opsgenie, change its API address to the one of our Opsgenie API."
        ),
    ),
    docs="https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/",
)
