"""Rollbar's body for one item."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "event_name": "reactivated_item" if firing else "resolved_item",
        "data": {
            "item": {
                "id": f"1-{name}",
                "project_id": 90,
                "title": f"{name} is broken",
                "first_occurrence_timestamp": 1763632800,
                "last_resolved_timestamp": None if firing else int(at.timestamp()),
                "last_occurrence": {"level": severity},
            }
        },
    }
