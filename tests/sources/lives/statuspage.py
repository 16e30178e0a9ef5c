"""Statuspage's body for one component."""

from datetime import datetime
from typing import Any

SEVERITIES = ("degraded_performance", "major_outage")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    status = severity if firing else "operational"
    return {
        "page": {"id": "p1", "status_indicator": "none"},
        "component": {"id": f"id-{name}", "name": name, "status": status},
        "component_update": {"new_status": status, "created_at": at.isoformat()},
    }
