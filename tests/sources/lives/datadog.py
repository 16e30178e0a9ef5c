"""Datadog's body for one monitor, in each state of its life."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "error")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    state = "Triggered" if firing else "Recovered"
    return {
        "id": str(int(at.timestamp())),
        "title": f"[{state} on {{host:{name}}}] CPU is high",
        "body": f"The CPU of {name} is busy.",
        "alert_cycle_key": f"cycle-{name}",
        "alert_transition": state,
        "alert_type": severity if firing else "success",
        "date": int(at.timestamp() * 1000),
        "tags": "env:production",
    }
