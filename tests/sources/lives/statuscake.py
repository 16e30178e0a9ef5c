"""What does StatusCake say of a test, in each state?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

SEVERITIES = None


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "Name": name,
        "URL": f"https://{name}.example",
        "Status": "Down" if firing else "Up",
        "StatusCode": "500" if firing else "200",
        "IP": "192.0.2.1",
    }
