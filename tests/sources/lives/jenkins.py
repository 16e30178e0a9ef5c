"""Jenkins' body for one job."""

from datetime import datetime
from typing import Any

SEVERITIES = ("UNSTABLE", "FAILURE")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "name": name,
        "url": f"job/{name}/",
        "build": {
            "full_url": f"https://jenkins.example/job/{name}/{int(at.timestamp())}/",
            "number": int(at.timestamp()),
            "phase": "FINALIZED",
            "status": severity if firing else "SUCCESS",
            "timestamp": int(at.timestamp() * 1000),
        },
    }
