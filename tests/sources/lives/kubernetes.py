"""An event about one node, of the few reasons that have an opposite."""

from datetime import datetime
from typing import Any

SEVERITIES = ("Normal", "Warning")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    enough = "Insufficient" if firing else "Sufficient"
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": f"{name}.17a", "namespace": "default"},
        "involvedObject": {"kind": "Node", "name": name},
        "reason": f"NodeHas{enough}Memory",
        "message": f"Node {name} has {enough.lower()} memory",
        "firstTimestamp": at.isoformat(),
        "lastTimestamp": at.isoformat(),
        "count": 1,
        "type": severity,
    }
