"""Our own JSON."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "title": f"{name} is busy",
        "key": f"busy/{name}",
        "severity": severity,
        "status": "firing" if firing else "resolved",
        "starts_at" if firing else "ends_at": at.isoformat(),
    }
