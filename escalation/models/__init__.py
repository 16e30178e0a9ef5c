"""Policies and their steps, on-call orders, runs and their due steps."""

from escalation.models.policy import Policy, Step
from escalation.models.run import DueStep, EngineHeartbeat, Run
from escalation.models.schedule import Schedule, Turn

__all__ = [
    "DueStep",
    "EngineHeartbeat",
    "Policy",
    "Run",
    "Schedule",
    "Step",
    "Turn",
]
