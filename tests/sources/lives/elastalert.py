"""ElastAlert's body for one host. There is none for the end."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")
RESOLVES = False


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "rule_name": "Many errors in the log",
        "severity": severity,
        "@timestamp": at.isoformat(),
        "_index": "logs",
        "_id": f"{name}-{int(at.timestamp())}",
        "num_hits": 120,
        "num_matches": 1,
        "host": {"name": name},
        "message": "connection refused",
    }
