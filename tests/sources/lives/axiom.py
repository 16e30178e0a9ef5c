"""Axiom's body for one group of a monitor. It has no severity."""

from datetime import datetime
from typing import Any

SEVERITIES = None


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "action": "Open" if firing else "Closed",
        "event": {
            "monitorID": "M1",
            "title": "Triggered: Many errors" if firing else "Resolved: Many errors",
            "body": "Current value of 120",
            "timestamp": at.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
            "value": 120,
            "groupKeys": ["host"],
            "groupValues": [name],
        },
    }
