"""BugSnag's body for one error."""

from datetime import datetime
from typing import Any

SEVERITIES = ("info", "error")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "project": {"id": "p1", "name": "shop"},
        "trigger": {"type": "errorStateManualChange"},
        "error": {
            "id": f"{name}-{int(at.timestamp())}",
            "errorId": name,
            "exceptionClass": "KeyError",
            "severity": severity,
            "status": "open" if firing else "fixed",
            "receivedAt": at.isoformat(),
        },
    }
