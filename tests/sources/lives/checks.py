"""What outside checks and queries say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sources.lives.life import Life


def betterstack(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "event": "started" if firing else "resolved",
        "data": {
            "id": f"9{ord(name[-1])}",
            "type": "incident",
            "attributes": {
                "name": name,
                "url": f"https://{name}.example",
                "cause": "Timeout",
                "started_at": "2026-11-20T10:00:00.000Z",
                "resolved_at": None if firing else at.isoformat(),
            },
        },
    }


def statuscake(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "Name": name,
        "URL": f"https://{name}.example",
        "Status": "Down" if firing else "Up",
        "StatusCode": "500" if firing else "200",
        "IP": "192.0.2.1",
    }


def honeycomb(name: str, firing: bool, severity: str, at: datetime) -> Any:
    state = "Triggered" if firing else "Resolved"
    return {
        "id": f"id-{name}",
        "name": f"{name} is slow",
        "status": "TRIGGERED" if firing else "OK",
        "summary": f"{state}: {name} is slow",
        "severity": severity,
        "result_groups_triggered": [],
    }


CHECKS = {
    "betterstack": Life(betterstack),
    "statuscake": Life(statuscake),
    "honeycomb": Life(honeycomb, ("warning", "critical")),
}
