"""Which URL of the documented API leads to what of schedules?"""

from __future__ import annotations

from django.urls import path

from alertcenter.api import on_call, schedule_changes, schedules

urlpatterns = [
    path("on_call", on_call.AllOnCallView.as_view(), name="on-call"),
    path("schedules", schedules.SchedulesView.as_view(), name="schedules"),
    *(
        path(f"schedules/<uuid:pk>{rest}", view.as_view(), name=name)
        for rest, view, name in (
            ("", schedules.ScheduleView, "schedule"),
            ("/on_call", on_call.OnCallView, "schedule-on-call"),
            ("/shifts", on_call.ShiftsView, "schedule-shifts"),
            ("/overrides", schedule_changes.OverridesView, "overrides"),
            ("/overrides/<uuid:override>", schedule_changes.OverrideView, "override"),
            ("/swaps", schedule_changes.SwapsView, "swaps"),
            ("/swaps/<uuid:swap>", schedule_changes.SwapView, "swap"),
            ("/swaps/<uuid:swap>/taken", schedule_changes.SwapTakenView, "swap-taken"),
            ("/temporaries", schedule_changes.TemporariesView, "temporaries"),
            (
                "/temporaries/<uuid:temporary>",
                schedule_changes.TemporaryView,
                "temporary",
            ),
        )
    ),
]
