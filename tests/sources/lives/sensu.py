"""What does Sensu say of one check?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sources.lives.life import s

SEVERITIES = ("1", "2")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "timestamp": s(at),
        "entity": {"metadata": {"name": name, "namespace": "default"}},
        "check": {
            "metadata": {"name": "disk", "namespace": "default"},
            "status": int(severity or 2) if firing else 0,
            "output": "97 %" if firing else "40 %",
        },
    }
