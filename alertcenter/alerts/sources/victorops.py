"""What do senders post to VictorOps (Splunk On-Call)?

https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/
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
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.chat import listed, shown
from alertcenter.alerts.sources.shapes import first, moment, text, without

NAME = "victorops"
SEVERITIES = {
    "critical": "critical", "warning": "warning", "info": "info",
    "acknowledgement": "warning", "acknowledged": "warning", "ack": "warning",
    "problem": "critical", "down": "critical", "unreachable": "critical",
    "triggered": "critical", "unknown": "warning", "warn": "warning",
}  # fmt: skip
OVER = ("recovery", "recovered", "ok", "resolved", "resolve", "up", "closed")
KNOWN = (
    "message_type", "entity_id", "entity_display_name", "state_message",
    "monitoring_tool", "timestamp", "state_start_time",
)  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = first(data, "message_type").lower()
    name = first(data, "entity_id", "entity_display_name")
    if not kind or not (name or first(data, "state_message")):
        raise NotUnderstood("message_type and entity_id are missing")
    title = shown(
        first(data, "entity_display_name", "entity_id", "state_message")
    ).partition("\n")[0]
    # Alertmanager says CRITICAL whatever the severity of the alerts that it lists.
    common = in_common(listed(first(data, "state_message")))
    at = moment(data.get("state_start_time") or data.get("timestamp"))
    more = {
        key: text(value)
        for key, value in without(data, *KNOWN).items()
        if not key.startswith("vo_")
    }
    links = {key: value for key, value in more.items() if value.startswith("http")}
    return [
        event(
            NAME,
            title=title,
            key=name or title,
            firing=kind not in OVER,
            severity=common.get("severity") or SEVERITIES.get(kind, kind),
            labels={
                "alertname": first(data, "alertname", "rule") or title,
                "tool": first(data, "monitoring_tool"),
                **common,
                **{
                    key: value
                    for key, value in list(more.items())[:30]
                    if len(value) < 200 and key not in links
                },
            },
            annotations={
                "description": first(data, "state_message"),
                "acknowledged_by": first(data, "ack_author"),
                **{
                    key if key.endswith("_url") else f"{key}_url": value
                    for key, value in links.items()
                },
            },
            link=next(iter(links.values()), ""),
            starts_at=at,
            ends_at=at,
        )
    ]


def in_common(alerts: list[Data]) -> dict[str, str]:
    """Return the labels that all the alerts have."""
    first_labels = alerts[0]["labels"].items() if alerts else ()
    return {
        name: value
        for name, value in first_labels
        if all(one["labels"].get(name) == value for one in alerts)
    }


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return (
        type(data) is dict
        and "message_type" in data
        and (
            "entity_id" in data
            or "entity_display_name" in data
            or "state_message" in data
        )
    )


ADAPTER = Adapter(
    NAME,
    "VictorOps (Splunk On-Call)",
    read,
    recognise,
    example={
        "message_type": "CRITICAL",
        "entity_id": "disk/db-1",
        "entity_display_name": "Disk of db-1 is full",
        "state_message": "512 MB left",
        "monitoring_tool": "monit",
        "state_start_time": 1763715600,
        "host": "db-1",
    },
    steps=(
        _(
            "Where the tool asks for the REST endpoint of VictorOps, paste this URL instead."
        ),
        _("message_type RECOVERY closes what has the same entity_id."),
    ),
    docs="https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/",
)
