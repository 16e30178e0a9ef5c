"""Alertmanager's webhook body with one alert."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")
# The label is part of the identity: another severity is another alert.
SEVERITY_IS_IDENTITY = True


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "status": "firing" if firing else "resolved",
        "alerts": [
            {
                "status": "firing" if firing else "resolved",
                "labels": {
                    "alertname": "Busy",
                    "instance": name,
                    "severity": severity,
                },
                "annotations": {"summary": f"{name} is busy"},
                "startsAt": "2026-11-20T10:00:00Z"
                if firing
                else "2026-11-20T09:59:00Z",
                "endsAt": "0001-01-01T00:00:00Z" if firing else at.isoformat(),
            }
        ],
    }
