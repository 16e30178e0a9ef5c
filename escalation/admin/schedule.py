"""How does a person write a schedule, and see who is on call when?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from escalation import calendar_words, oncall, rota
from escalation.admin import calendars
from escalation.admin.calendar.view import CalendarPages
from escalation.hours import Span
from escalation.limits import MOST_LAYERS
from escalation.models import Layer, Schedule
from escalation.models.schedule import EARLIEST, LATEST
from tenants.admin_base import TenantInline, TenantScopedAdmin
from tenants.admin_forms import TenantForm
from tenants.admin_timezones import TimeZoneChoices

NEXT_SHIFTS = 8
SHIFTS_AHEAD = timedelta(days=60)


class ScheduleForm(TimeZoneChoices, TenantForm):
    """The zone is that of the layers' clocks."""

    class Meta:
        model = Schedule
        fields = (
            "name",
            "time_zone",
            "owner",
            "holiday_country",
            "holiday_subdivision",
            "stand_in",
            "remind_minutes",
        )


class LayerInline(TenantInline, admin.TabularInline):
    """The layers, each with a page of its own for its turns."""

    model = Layer
    extra = 1
    most = MOST_LAYERS
    fields = ("name", "level", "frequency", "every", "starts_on", "handoff")
    show_change_link = True


class WhoForm(forms.Form):
    """The moment somebody asks about, by the clock of the schedule's zone."""

    at = forms.DateTimeField(
        label=_("Who is on call at"),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


@admin.register(Schedule)
class ScheduleAdmin(CalendarPages, TenantScopedAdmin):
    """Schedules, with the coming shifts."""

    section = "escalation"
    section_order = 20
    form = ScheduleForm
    list_display = ("name", "time_zone", "now", "calendar")
    search_fields = ("name",)
    fields = ScheduleForm.Meta.fields
    autocomplete_fields = ("owner",)
    inlines = (LayerInline,)
    change_form_template = "admin/alertcenter/schedule.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        membership = getattr(request, "membership", None)
        if membership is not None:
            found = oncall.on_call_by(membership.tenant_id, None, timezone.now())
            request._on_call = {  # type: ignore[attr-defined]
                pk: oncall.names_of(members) for pk, members in found.items()
            }
        return super().changelist_view(request, extra_context)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Answer "on call now" for all rows from one look."""
        on_call: dict[Any, str] = getattr(request, "_on_call", {})

        @admin.display(description=_("on call now"))
        def now(schedule: Schedule) -> str:
            return on_call.get(schedule.pk) or "–"

        return [now if name == "now" else name for name in self.list_display]

    def now(self, schedule: Schedule) -> str:
        """Stands for the column that get_list_display fills."""
        found = oncall.on_call(schedule, timezone.now())
        return oncall.names_of(found) or "–"

    @admin.display(description=_("calendar"))
    def calendar(self, schedule: Schedule) -> str:
        return format_html('<a href="{}">{}</a>', calendar_of(schedule), _("Open"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        schedule = self.get_object(request, object_id)
        own: dict[str, Any] = {}
        if schedule is not None:
            own = coming(schedule, request)
            own["links"] = [{"url": calendar_of(schedule), "label": _("Calendar")}]
            if self.has_change_permission(request, schedule):
                own["links"] += calendars.links_of(schedule)
        return super().change_view(
            request, object_id, form_url, own | (extra_context or {})
        )


def calendar_of(schedule: Schedule) -> str:
    return reverse("admin:escalation_schedule_calendar", args=[schedule.pk])


def coming(schedule: Schedule, request: HttpRequest) -> dict[str, Any]:
    """Return who is on call now, at the asked moment, and in the next shifts."""
    zone, tenant_id = ZoneInfo(schedule.time_zone), schedule.tenant_id
    now = timezone.now()
    asked = moment(request, zone)
    within = Span(now, now + SHIFTS_AHEAD)
    found = oncall.load(tenant_id, [schedule.pk], within)[schedule.pk]
    fits = rota.Budget().takes(found, within)
    shifts = rota.final(found, within)[:NEXT_SHIFTS] if fits else []
    members = oncall.members_of(tenant_id, (shift.people for shift in shifts))
    return {
        "who_form": WhoForm(initial={"at": (asked or now).astimezone(zone)}),
        "zone": schedule.time_zone,
        "too_much": "" if fits else calendar_words.too_much(),
        "turns": [
            {
                "now": shift.starts_at <= now,
                "names": oncall.names_of(members[p] for p in shift.people),
                "until": shift.ends_at.astimezone(zone),
            }
            for shift in shifts
        ],
        "asked": asked.astimezone(zone) if asked else None,
        "asked_names": oncall.names_of(oncall.on_call(schedule, asked))
        if asked
        else "",
    }


def moment(request: HttpRequest, zone: ZoneInfo) -> datetime | None:
    """Return the moment asked about (?at=), or None."""
    form = WhoForm(request.GET)
    if not form.is_valid() or not form.cleaned_data["at"]:
        return None
    given: datetime = form.cleaned_data["at"]
    if not EARLIEST.year <= given.year <= LATEST.year:
        return None
    return given.replace(tzinfo=zone)
