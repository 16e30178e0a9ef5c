"""What do senders post to Grafana OnCall's formatted webhook, and OnCall to others?

https://grafana.com/docs/oncall/latest/configure/integrations/references/webhook/
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
from alertcenter.alerts.sources.shapes import first, moment, part, text

NAME = "oncall"
OVER = ("ok", "resolved", "resolve", "acknowledge_resolved")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    if part(data, "alert_group"):
        return [outgoing(data)]
    title = first(data, "title", "alert_uid")
    if not title or not (
        first(data, "alert_uid", "state") or "link_to_upstream_details" in data
    ):
        raise NotUnderstood("title and alert_uid are missing")
    return [
        event(
            NAME,
            title=title,
            key=first(data, "alert_uid") or joined(title),
            firing=first(data, "state").lower() not in OVER,
            severity=first(data, "severity", "labels.severity"),
            labels={"alertname": title, **part(data, "labels")},
            annotations={"description": first(data, "message")},
            link=first(data, "link_to_upstream_details"),
            image=first(data, "image_url"),
        )
    ]


def outgoing(data: Data) -> Event:
    """Return what OnCall's outgoing webhooks say of an alert group."""
    group = part(data, "alert_group")
    payload = part(data, "alert_payload")
    state = first(group, "state").lower()
    labels = part(payload, "labels") or part(payload, "commonLabels")
    return event(
        NAME,
        title=first(group, "title") or first(payload, "title", "message"),
        key=first(group, "id") or first(data, "alert_group_id"),
        firing=state != "resolved" and first(data, "event.type") != "resolve",
        severity=first(labels, "severity"),
        labels={
            "alertname": first(labels, "alertname"),
            "integration": first(data, "integration.name"),
            "team": first(data, "integration.team"),
            **labels,
        },
        annotations={
            "description": first(payload, "message", "commonAnnotations.summary"),
            "alerts": text(group.get("alerts_count")),
            "user": first(data, "user.username"),
        },
        link=first(group, "permalinks.web", "permalinks.slack"),
        starts_at=moment(first(group, "created_at")),
        ends_at=moment(first(group, "resolved_at")),
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        "alert_uid" in data or ("alert_group" in data and "integration" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Grafana OnCall",
    read,
    recognise,
    example={
        "alert_uid": "08d6891a-835c-e661",
        "title": "The shop is down",
        "state": "alerting",
        "image_url": "https://grafana.example/render/1.png",
        "link_to_upstream_details": "https://shop.example/status",
        "message": "No orders for ten minutes",
    },
    steps=(
        _(
            "Where a tool posts to a formatted webhook of Grafana OnCall, paste this URL instead."
        ),
        _("State ok closes what has the same alert_uid."),
    ),
    docs="https://grafana.com/docs/oncall/latest/configure/integrations/references/webhook/",
)
