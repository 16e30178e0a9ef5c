"""OpenSearch's body for one bucket of a monitor."""

from datetime import datetime
from typing import Any

SEVERITIES = ("3", "1")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "monitor": {"name": "Errors by host", "_id": "m1"},
        "trigger": {"name": "many", "severity": severity, "id": "t1"},
        "newAlerts" if firing else "completedAlerts": [{"bucket_keys": name}],
        "periodStart": at.isoformat(),
        "periodEnd": at.isoformat(),
    }
