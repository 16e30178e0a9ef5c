"""What Prometheus posts to an Alertmanager, with one alert."""

from datetime import datetime, timedelta
from typing import Any

SEVERITIES = ("warning", "critical")
SEVERITY_IS_IDENTITY = True


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    ends = at + timedelta(minutes=4) if firing else at
    return {
        "data": {
            "alerts": [
                {
                    "labels": {
                        "alertname": "Busy",
                        "instance": name,
                        "severity": severity,
                    },
                    "state": "firing" if firing else "inactive",
                    "activeAt": at.isoformat(),
                    "endsAt": ends.isoformat(),
                }
            ]
        }
    }
