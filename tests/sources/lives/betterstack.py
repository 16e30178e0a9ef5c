"""What does Better Stack say of a monitor, in each state?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

SEVERITIES = None


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
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
