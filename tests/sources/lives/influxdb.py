"""InfluxDB's status of one host, at each level."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warn", "crit")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "_check_id": "c1",
        "_check_name": "CPU is high",
        "_level": severity if firing else "ok",
        "_message": f"CPU of {name}",
        "_source_measurement": "cpu",
        "_status_timestamp": int(at.timestamp()) * 10**9,
        "_type": "threshold",
        "host": name,
        "usage": at.minute + 0.5,
    }
