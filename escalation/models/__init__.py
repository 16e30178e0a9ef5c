"""Policies and their steps, schedules, teams, runs and their due steps."""

from escalation.models.calendars import (
    Absence,
    Availability,
    CalendarFeed,
    CalendarImport,
    ImportedShift,
)
from escalation.models.policy import Policy, Step
from escalation.models.run import DueStep, EngineHeartbeat, Run
from escalation.models.schedule import (
    Layer,
    Override,
    Schedule,
    ScheduleNotice,
    Swap,
    TemporarySchedule,
    TemporaryShift,
    Turn,
)
from escalation.models.team import Team, TeamMember

__all__ = [
    "Absence",
    "Availability",
    "CalendarFeed",
    "CalendarImport",
    "DueStep",
    "EngineHeartbeat",
    "ImportedShift",
    "Layer",
    "Override",
    "Policy",
    "Run",
    "Schedule",
    "ScheduleNotice",
    "Step",
    "Swap",
    "Team",
    "TeamMember",
    "TemporarySchedule",
    "TemporaryShift",
    "Turn",
]
