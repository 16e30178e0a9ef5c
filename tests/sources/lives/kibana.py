"""Kibana's body for one host of a rule."""

from datetime import datetime
from typing import Any

SEVERITIES = ("medium", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "rule": {"id": "r1", "name": "Many errors", "spaceId": "default"},
        "alert": {"id": name, "actionGroup": "default" if firing else "recovered"},
        "context": {"reason": "120 errors", "severity": severity},
        "date": at.isoformat(),
        "kibanaBaseUrl": "https://kibana.example.com",
    }
