"""The admin of groups, policies, schedules, runs and the engine's processes."""

from escalation.admin.acts import resolve_alerts
from escalation.admin.am_import import import_view
from escalation.admin.availability import AbsenceAdmin, AvailabilityAdmin
from escalation.admin.calendars import CalendarFeedAdmin, CalendarImportAdmin
from escalation.admin.changes import OverrideAdmin, SwapAdmin, TemporaryAdmin
from escalation.admin.engine import DueStepAdmin, HeartbeatAdmin, RunAdmin
from escalation.admin.group import GroupAdmin
from escalation.admin.layer import LayerAdmin
from escalation.admin.policy import PolicyAdmin
from escalation.admin.schedule import ScheduleAdmin

__all__ = [
    "AbsenceAdmin",
    "AvailabilityAdmin",
    "CalendarFeedAdmin",
    "CalendarImportAdmin",
    "DueStepAdmin",
    "GroupAdmin",
    "HeartbeatAdmin",
    "LayerAdmin",
    "OverrideAdmin",
    "PolicyAdmin",
    "RunAdmin",
    "ScheduleAdmin",
    "SwapAdmin",
    "TemporaryAdmin",
    "import_view",
    "resolve_alerts",
]
