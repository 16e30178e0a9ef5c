"""Argo CD's body for one application."""

from datetime import datetime
from typing import Any

SEVERITIES = ("Unknown", "Degraded")


def say(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "app": {
            "metadata": {"name": name, "namespace": "argocd"},
            "status": {
                "health": {"status": severity if firing else "Healthy"},
                "sync": {"status": "Synced"},
                "operationState": {"phase": "Succeeded", "finishedAt": at.isoformat()},
            },
        }
    }
