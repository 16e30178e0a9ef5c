"""Which URL of the documented API leads to what of schedules?"""

from __future__ import annotations

from django.urls import URLPattern, path

from alertcenter.api import on_call, schedule_changes, schedules


def routes(under: str) -> list[URLPattern]:
    """Return the routes below `under`, which names the tenant."""
    return [
        path(f"{under}/on_call", on_call.AllOnCallView.as_view(), name="on-call"),
        path(f"{under}/schedules", schedules.SchedulesView.as_view(), name="schedules"),
        *(
            path(f"{under}/schedules/<uuid:pk>{rest}", view.as_view(), name=name)
            for rest, view, name in (
                ("", schedules.ScheduleView, "schedule"),
                ("/on_call", on_call.OnCallView, "schedule-on-call"),
                ("/shifts", on_call.ShiftsView, "schedule-shifts"),
                ("/overrides", schedule_changes.OverridesView, "overrides"),
                (
                    "/overrides/<uuid:override>",
                    schedule_changes.OverrideView,
                    "override",
                ),
                ("/swaps", schedule_changes.SwapsView, "swaps"),
                ("/swaps/<uuid:swap>", schedule_changes.SwapView, "swap"),
                (
                    "/swaps/<uuid:swap>/taken",
                    schedule_changes.SwapTakenView,
                    "swap-taken",
                ),
                ("/temporaries", schedule_changes.TemporariesView, "temporaries"),
                (
                    "/temporaries/<uuid:temporary>",
                    schedule_changes.TemporaryView,
                    "temporary",
                ),
            )
        ),
    ]
