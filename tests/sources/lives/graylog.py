"""Graylog's body for one group of an event definition. There is none for the end."""

from datetime import datetime
from typing import Any

SEVERITIES = ("1", "3")
RESOLVES = False


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "event_definition_id": "def-1",
        "event_definition_title": "Too many errors",
        "event": {
            "id": f"{name}-{int(at.timestamp())}",
            "timestamp": at.isoformat(),
            "message": f"Too many errors: {name} - count()=120",
            "key_tuple": [name],
            "key": name,
            "priority": int(severity),
            "alert": True,
            "fields": {},
            "group_by_fields": {"source": name},
        },
        "backlog": [],
    }
