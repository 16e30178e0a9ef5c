"""What does Axiom's custom webhook notifier send?

A Go template of the user's; the default holds the action and the event of a monitor.
Match monitors send one for each matching event and never close.
https://axiom.co/docs/monitor-data/custom-webhook-notifier
"""

from __future__ import annotations

from datetime import datetime

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
from alertcenter.alerts.sources.shapes import first, moment, part, parts, text

NAME = "axiom"
OVER = frozenset({"closed", "close", "resolved", "resolve"})
STATES = ("Triggered: ", "Resolved: ", "Matched: ", "No data: ", "Anomaly: ")
HOSTS = ("host", "hostname", "host.name", "instance", "resource.host.name")
MOST_FIELDS = 20


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = small(as_object(incoming))
    about = small(part(data, "event")) or data
    action = first(data, "action", "status") or first(about, "action")
    title = first(about, "title", "monitorname", "name") or first(data, "title")
    monitor = first(about, "monitorid", "monitor.id") or first(data, "monitorid")
    if not (monitor or title) or not (monitor or action):
        raise NotUnderstood("action and monitorID are missing")
    firing = action.lower() not in OVER and not title.startswith("Resolved: ")
    name = title
    for state in STATES:
        name = name.removeprefix(state)
    matched = part(about, "matchedevent")
    groups = groups_of(about)
    where = ", ".join(groups.values()) or first(matched, *HOSTS)
    shown = name or f"Monitor {monitor}"
    at = time_of(about, "timestamp") or time_of(about, "queryendtime")
    return [
        event(
            NAME,
            title=f"{shown}: {where}" if where and where not in shown else shown,
            # The resolution of a monitor holds no matched event: only groups count.
            key=joined(monitor or name, *groups.values()),
            firing=firing,
            severity=first(about, "severity", "priority")
            or first(data, "severity")
            or first(matched, "severity", "level")
            or "error",
            labels={
                "monitor_id": monitor,
                "host": first(matched, *HOSTS),
                "service": first(matched, "service.name", "service"),
                "environment": first(matched, "environment", "env"),
                **groups,
                "alertname": name,
            },
            annotations={
                "description": first(about, "description"),
                "message": first(about, "body", "message"),
                "value": first(about, "value"),
                "matched": dict(list(matched.items())[:MOST_FIELDS]),
            },
            link=first(about, "url", "link", "monitorurl")
            or first(data, "url", "link", "monitorurl"),
            starts_at=at if firing else None,
            ends_at=at,
        )
    ]


def small(data: Data) -> Data:
    """Return the values by small names: a template may use Axiom's own, MonitorID."""
    return {name.lower().replace("_", ""): value for name, value in data.items()}


def groups_of(about: Data) -> dict[str, str]:
    """Return what the monitor notifies by group of."""
    pairs = zip(parts(about, "groupkeys"), parts(about, "groupvalues"), strict=False)
    found = {text(name): text(value) for name, value in list(pairs)[:20]}
    for name, value in list(part(about, "groups").items())[:20]:
        found[name] = text(value)
    return found


def time_of(about: Data, name: str) -> datetime | None:
    """Return a time as Go writes it: "2026-11-21 09:00:00.123456789 +0000 UTC"."""
    words = first(about, name).removesuffix(" UTC")
    whole, dot, fraction = words.partition(".")
    if dot and " " in fraction:
        words = f"{whole} {fraction.partition(' ')[2]}"
    return moment(words)


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    about = part(data, "event")
    return "action" in data and (
        "monitorID" in about or "queryStartTime" in about or "matchedEvent" in about
    )


ADAPTER = Adapter(
    NAME,
    "Axiom",
    read,
    recognise,
    example={
        "action": "Open",
        "event": {
            "monitorID": "Rm0nit0r",
            "title": "Triggered: Many errors",
            "body": "Current value of 120 is above the threshold of 100",
            "description": "Errors of the shop",
            "queryEndTime": "2026-11-21 09:00:00.000000001 +0000 UTC",
            "queryStartTime": "2026-11-21 08:55:00.000000001 +0000 UTC",
            "timestamp": "2026-11-21 09:00:00 +0000 UTC",
            "value": 120,
            "matchedEvent": None,
            "groupKeys": ["service"],
            "groupValues": ["shop"],
        },
    },
    steps=(
        _("In Axiom, open Monitors, Manage notifiers, New notifier, Custom webhook."),
        _("Paste the URL and keep the default body."),
        _("Add the notifier to your monitors, and let them notify by group."),
    ),
    docs="https://axiom.co/docs/monitor-data/custom-webhook-notifier",
)
