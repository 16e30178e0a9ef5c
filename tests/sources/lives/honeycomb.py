"""What does Honeycomb say of a trigger, in each state?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    state = "Triggered" if firing else "Resolved"
    return {
        "id": f"id-{name}",
        "name": f"{name} is slow",
        "status": "TRIGGERED" if firing else "OK",
        "summary": f"{state}: {name} is slow",
        "severity": severity,
        "result_groups_triggered": [],
    }
