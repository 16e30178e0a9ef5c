"""What does OpenNMS say of one alarm?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sources.lives.life import ms

SEVERITIES = ("MINOR", "CRITICAL")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "uei": "uei.opennms.org/nodes/nodeDown",
        "reductionKey": f"uei.opennms.org/nodes/nodeDown::{name}",
        "severity": severity if firing else "CLEARED",
        "nodeLabel": name,
        "logMessage": f"Node {name} is down.",
        "lastEventTime": ms(at),
    }
