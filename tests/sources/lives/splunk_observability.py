"""A detector's body for one host, in each state of its life."""

from datetime import datetime
from typing import Any

SEVERITIES = ("Minor", "Critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    state = "anomalous" if firing else "ok"
    return {
        "severity": severity,
        "status": state,
        "statusExtended": state,
        "detector": "Hosts",
        "detectorId": "D1",
        "detectorUrl": "https://app.us1.signalfx.com/#/detector/D1/edit",
        "incidentId": f"incident-{name}",
        "rule": "CPU is high",
        "inputs": {"A": {"value": "97", "key": {"host": name}}},
        "timestamp": at.isoformat(),
    }
