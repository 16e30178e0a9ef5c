"""PRTG's body for one device's sensor."""

from datetime import datetime
from typing import Any

SEVERITIES = ("Warning", "Down")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "sensorid": f"id-{name}",
        "sensor": "Ping",
        "device": name,
        "status": severity if firing else f"{severity} ended (now: Up)",
        "message": "Request timed out",
        "priority": "***",
    }
