"""Which URL of the documented API leads to what of schedules?"""

from __future__ import annotations

from django.urls import URLPattern, path

from alertcenter.api import (
    absences,
    availability,
    calendar_imports,
    on_call,
    schedule_changes,
    schedules,
    temporaries,
)


def routes(under: str) -> list[URLPattern]:
    """Return the routes below `under`, which names the tenant."""
    return [
        path(f"{under}/on_call", on_call.AllOnCallView.as_view(), name="on-call"),
        path(
            f"{under}/availability",
            availability.AvailabilitiesView.as_view(),
            name="availabilities",
        ),
        path(
            f"{under}/me/availability",
            availability.MyAvailabilityView.as_view(),
            name="my-availability",
        ),
        path(
            f"{under}/members/<uuid:pk>/availability",
            availability.MemberAvailabilityView.as_view(),
            name="member-availability",
        ),
        path(f"{under}/absences", absences.AbsencesView.as_view(), name="absences"),
        path(
            f"{under}/absences/<uuid:pk>",
            absences.AbsenceView.as_view(),
            name="absence",
        ),
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
                ("/temporaries", temporaries.TemporariesView, "temporaries"),
                (
                    "/temporaries/<uuid:temporary>",
                    temporaries.TemporaryView,
                    "temporary",
                ),
                ("/imports", calendar_imports.CalendarImportsView, "imports"),
                (
                    "/imports/<uuid:calendar>",
                    calendar_imports.CalendarImportView,
                    "import",
                ),
                (
                    "/imports/<uuid:calendar>/fetch",
                    calendar_imports.CalendarFetchView,
                    "import-fetch",
                ),
            )
        ),
    ]
