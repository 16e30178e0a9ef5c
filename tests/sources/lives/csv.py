"""A table of one line."""

from datetime import datetime
from typing import Any

SEVERITIES = ("warning", "critical")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    state = "firing" if firing else "resolved"
    when = at.isoformat()
    return {
        "text": "title,severity,status,key,starts_at,ends_at\n"
        f"Disk of {name},{severity},{state},disk/{name},"
        f"{when if firing else ''},{'' if firing else when}\n"
    }
