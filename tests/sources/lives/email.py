"""A mail about one host."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "from": "monit@example.com",
        "subject": f"[{'FIRING' if firing else 'RESOLVED'}] disk of {name}",
        "text": f"The severity is {severity}.",
        "date": at.isoformat(),
    }
