"""What do Alerta's requests and answers look like?

https://docs.alerta.io/api/reference.html (reference/wire-protocols.md 3.11)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from alertcenter.alerts import severity as severities
from alertcenter.alerts.events import Event
from alertcenter.alerts.models import Alert, Transition
from alertcenter.alerts.sources.adapter import storable
from alertcenter.alerts.sources.alerta import one_event
from alertcenter.alerts.sources.shapes import first, number, parts, text
from alertcenter.api.opsgenie_shapes import as_time, story
from alertcenter.common.errors import Refused

# The release of Alerta's server whose interface this is; its client shows it.
VERSION = "9.0.4"
# Alerta's own word for each level, and the others that mean the same one.
WORD = {
    severities.CRITICAL: "critical",
    severities.ERROR: "major",
    severities.WARNING: "warning",
    severities.INFO: "informational",
    severities.DEBUG: "debug",
}
SAME = {
    severities.WARNING: ("minor", "indeterminate", "unknown"),
    severities.DEBUG: ("trace",),
}
# What an alert was before its first severity, in Alerta's words.
BEFORE = "indeterminate"
SHELVED_SECONDS = 7_200
LONGEST_TIMEOUT = 10_000_000
MOST_TAGS = 50
# Annotations that have a field of their own.
FIELDS = ("description", "value")
CONFIG = {
    "alarm_model": {"name": "Alerta 8.0.1"},
    "auth_required": True,
    "provider": "basic",
    "customer_views": False,
    "signup_enabled": False,
    "severity": {
        "security": 0, "critical": 1, "major": 2, "minor": 3, "warning": 4,
        "indeterminate": 5, "informational": 6, "normal": 7, "ok": 7, "cleared": 7,
        "debug": 8, "trace": 9, "unknown": 10,
    },
    "actions": [],
    "refresh_interval": 5_000,
}  # fmt: skip


def bad(words: str) -> Refused:
    return Refused(400, "bad_request", words)


def not_found() -> Refused:
    return Refused(404, "not_found", "not found")


# --- what is sent ---


def check(data: Mapping[str, Any]) -> None:
    """Raise Refused for what Alerta refuses too."""
    for name in ("resource", "event"):
        if not first(data, name):
            raise bad(f'Missing mandatory value for "{name}"')
    for name in ("correlate", "service", "tags"):
        if not isinstance(data.get(name) or [], list):
            raise bad(f"{name} must be a list")
    attributes = data.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise bad("attributes must be a JSON object")
    if any("." in name or "$" in name for name in attributes):
        raise bad('Attribute keys must not contain "." or "$"')


def event_of(data: Mapping[str, Any]) -> Event:
    """Return the adapter's event with what a client asks for again.

    It has no time: Alerta takes alerts in the order of their arrival, and a sender's
    slow clock must not keep closed what it says is open.
    """
    found = one_event(dict(data), first(data, "event"))
    word = first(data, "severity").lower()
    more = {
        "tags": ", ".join(filter(None, (storable(one) for one in tags_in(data)))),
        "severity": word if word in SAME.get(found.severity, ()) else "",
    }
    labels = {**found.labels, **{name: value for name, value in more.items() if value}}
    return msgspec.structs.replace(found, labels=labels, starts_at=None, ends_at=None)


def renamed(event: Event, key: str) -> Event:
    return msgspec.structs.replace(event, key=key)


def tags_in(data: Mapping[str, Any]) -> list[str]:
    return [storable(text(one))[:200] for one in parts(data, "tags")[:MOST_TAGS]]


def some_tags(data: Mapping[str, Any]) -> list[str]:
    found = [tag for tag in tags_in(data) if tag]
    if not found:
        raise bad("must supply 'tags' as json list")
    return found


def seconds_in(data: Mapping[str, Any], usual: int) -> int:
    """Return how long something holds. Raises Refused."""
    if data.get("timeout") is None:
        return usual
    found = number(data["timeout"])
    if found is None or not 0 <= found <= LONGEST_TIMEOUT:
        raise bad("timeout must be an integer")
    return int(found) or usual


# --- what is answered ---


def as_alert(alert: Any, *, whole: bool = False) -> dict[str, Any]:
    """Return an alert that alerta_search has annotated, in Alerta's shape."""
    notes = alert.annotations
    return {
        "id": str(alert.episode_id),
        "resource": alert.a_resource,
        "event": alert.a_event,
        "environment": alert.a_environment,
        "severity": alert.a_severity,
        "correlate": [],
        "status": alert.a_status,
        "service": split(alert.a_service),
        "group": alert.a_group,
        "value": notes.get("value"),
        "text": notes.get("description") or alert.title,
        "tags": split(alert.a_tags),
        "attributes": {
            name.replace(".", "_").replace("$", "_"): value
            for name, value in notes.items()
            if name not in FIELDS
        },
        "origin": alert.labels.get("origin") or alert.source,
        "type": "exceptionAlert",
        "createTime": as_time(alert.starts_at),
        "timeout": timeout_of(alert),
        "rawData": None,
        "customer": alert.labels.get("customer"),
        "duplicateCount": alert.count - 1,
        "repeat": alert.count > 1,
        "previousSeverity": BEFORE,
        "trendIndication": "moreSevere",
        "receiveTime": as_time(alert.starts_at),
        "lastReceiveId": str(alert.episode_id),
        "lastReceiveTime": as_time(alert.last_at),
        "updateTime": as_time(alert.state_at),
        "history": history_of(alert) if whole else [],
    }


def split(words: str) -> list[str]:
    return [word for word in (words or "").split(", ") if word]


def timeout_of(alert: Alert) -> int:
    """Return the seconds after which it expires unseen, 0 for never."""
    if alert.expires_at is None:
        return 0
    return max(0, round((alert.expires_at - alert.last_at).total_seconds()))


KINDS = {
    "opened": ("new", "open"),
    "repeated_severity": ("severity", ""),
    "resolved": ("close", "closed"),
    "expired": ("expired", "expired"),
    "acknowledged": ("ack", "ack"),
    "unacknowledged": ("unack", "open"),
    "snoozed": ("shelve", "shelved"),
    "woken": ("unshelve", "open"),
    "noted": ("note", ""),
}


def history_of(alert: Any) -> list[dict[str, Any]]:
    """Return what became of one alert, the newest first."""
    rows = story(alert).filter(kind__in=KINDS)[:100]
    return [as_change(alert, row) for row in rows]


def as_change(alert: Any, row: Transition) -> dict[str, Any]:
    kind, status = KINDS[row.kind]
    return {
        "id": str(alert.episode_id),
        "event": alert.a_event,
        "severity": alert.a_severity if kind in ("new", "severity") else None,
        "status": status or alert.a_status,
        "value": alert.annotations.get("value"),
        "text": str(row.data.get("text") or row.reason or row.kind),
        "type": kind,
        "updateTime": as_time(row.at),
        "user": row.actor_label,
        "timeout": None,
    }


def as_rich_change(alert: Any, row: Transition) -> dict[str, Any]:
    """Return a change together with whose it is, for a list of many alerts' changes."""
    return {
        **as_change(alert, row),
        "resource": alert.a_resource,
        "environment": alert.a_environment,
        "service": split(alert.a_service),
        "group": alert.a_group,
        "tags": split(alert.a_tags),
        "attributes": {},
        "origin": alert.labels.get("origin") or alert.source,
        "customer": alert.labels.get("customer"),
    }


def as_note(alert: Alert, row: Transition) -> dict[str, Any]:
    return note(str(row.pk), str(row.data["text"]), row.actor_label, row.at, alert)


def note(
    identifier: str, words: str, who: str, at: datetime, alert: Alert
) -> dict[str, Any]:
    return {
        "id": identifier,
        "text": words,
        "user": who,
        "attributes": {},
        "type": "alert",
        "createTime": as_time(at),
        "updateTime": None,
        "related": {"alert": str(alert.episode_id)},
        "customer": alert.labels.get("customer"),
    }
