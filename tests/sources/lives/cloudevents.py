"""A CloudEvent about one subject."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "specversion": "1.0",
        "id": f"{name}-{int(at.timestamp())}",
        "source": "/backups/eu",
        "type": f"example.backup.{'failed' if firing else 'resolved'}",
        "subject": name,
        "time": at.isoformat(),
        "data": {"severity": severity},
    }
