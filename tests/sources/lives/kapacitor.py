"""Kapacitor's body for one host, at each level."""

from datetime import datetime
from typing import Any

SEVERITIES = ("WARNING", "CRITICAL")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "id": f"cpu:host={name}",
        "message": f"CPU of {name} is busy",
        "details": "",
        "time": at.isoformat(),
        "duration": 0,
        "level": severity if firing else "OK",
        "previousLevel": "OK" if firing else severity,
        "data": {
            "series": [
                {
                    "name": "cpu",
                    "tags": {"host": name},
                    "columns": ["time", "usage"],
                    "values": [[at.isoformat(), 97]],
                }
            ]
        },
    }
