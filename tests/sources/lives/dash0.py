"""Dash0's body for the issue of one resource."""

from datetime import datetime
from typing import Any

SEVERITIES = ("degraded", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "type": "alert.ongoing" if firing else "alert.resolved",
        "data": {
            "issue": {
                "id": f"issue-{name}",
                "issueIdentifier": f"rule-{name}",
                "start": "2026-11-20T10:00:00Z",
                "end": None if firing else at.isoformat(),
                "status": severity if firing else "resolved",
                "labels": [{"key": "host.name", "value": {"stringValue": name}}],
                "checkrules": [{"id": "rule", "name": "Latency"}],
            }
        },
    }
