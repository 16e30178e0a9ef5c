"""Dynatrace's body for one host's problem, in each state of its life."""

from datetime import datetime
from typing import Any

SEVERITIES = ("PERFORMANCE", "AVAILABILITY")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "State": "OPEN" if firing else "RESOLVED",
        "ProblemID": f"P-{name}",
        "PID": f"{name}_V2",
        "ProblemTitle": "CPU saturation",
        "ProblemSeverity": severity,
        "ImpactedEntity": name,
        "ImpactedEntities": [{"type": "HOST", "name": name, "entity": "HOST-1"}],
        "Tags": "",
    }
