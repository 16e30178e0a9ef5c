"""Policies and their steps, schedules, teams, runs and their due steps."""

from escalation.models.calendars import (
    Absence,
    Availability,
    CalendarFeed,
    CalendarImport,
    ImportedShift,
)
from escalation.models.changes import Override, Swap, TemporarySchedule, TemporaryShift
from escalation.models.dry_run import DryRun
from escalation.models.policy import Policy, SlaTarget, Step, StepTurn
from escalation.models.run import Asked, DueStep, EngineHeartbeat, LastAct, Run
from escalation.models.schedule import Layer, Schedule, ScheduleNotice, Turn
from escalation.models.team import Team, TeamMember

__all__ = [
    "Absence",
    "Asked",
    "Availability",
    "CalendarFeed",
    "CalendarImport",
    "DryRun",
    "DueStep",
    "EngineHeartbeat",
    "ImportedShift",
    "LastAct",
    "Layer",
    "Override",
    "Policy",
    "Run",
    "Schedule",
    "ScheduleNotice",
    "SlaTarget",
    "Step",
    "StepTurn",
    "Swap",
    "Team",
    "TeamMember",
    "TemporarySchedule",
    "TemporaryShift",
    "Turn",
]
