"""Coralogix's body for one group, triggered and resolved."""

from datetime import datetime
from typing import Any

SEVERITIES = ("P3", "P1")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "uuid": "hook",
        "alert_id": f"version-{severity}",
        "name": "Many 500s",
        "alert_action": "trigger" if firing else "resolve",
        "fields": [
            {"key": "priority", "value": severity},
            {"key": "Group-by Field1", "value": "host"},
            {"key": "Group-by Value1", "value": name},
            {"key": "timestampISO", "value": at.isoformat()},
            {"key": "alertUniqueIdentifier", "value": "alert-1"},
        ],
    }
