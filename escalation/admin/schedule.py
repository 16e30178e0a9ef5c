"""How does a person write an on-call order, and see who is on call when?"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from escalation import oncall
from escalation.models import Schedule, Turn
from tenants.admin_base import TenantInline, TenantScopedAdmin
from tenants.admin_forms import TenantForm
from tenants.admin_timezones import TimeZoneChoices

NEXT_TURNS = 8


class ScheduleForm(TimeZoneChoices, TenantForm):
    """The zone is that of the hand-over's clock."""

    class Meta:
        model = Schedule
        fields = ("name", "time_zone", "starts_on", "handoff", "turn_days")


class TurnInline(TenantInline, admin.TabularInline):
    """Members in the order in which they take turns."""

    model = Turn
    extra = 1
    fields = ("position", "member")
    autocomplete_fields = ("member",)


class WhoForm(forms.Form):
    """The moment somebody asks about, by the clock of the order's zone."""

    at = forms.DateTimeField(
        label=_("Who is on call at"),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


@admin.register(Schedule)
class ScheduleAdmin(TenantScopedAdmin):
    """On-call orders, with the coming turns."""

    section = "escalation"
    section_order = 20
    form = ScheduleForm
    list_display = ("name", "time_zone", "handoff", "turn_days", "now")
    search_fields = ("name",)
    fields = ("name", "time_zone", "starts_on", "handoff", "turn_days")
    inlines = (TurnInline,)
    change_form_template = "admin/alertcenter/schedule.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        membership = getattr(request, "membership", None)
        if membership is not None:
            everyone = oncall.everyone_on_call(membership.tenant_id, timezone.now())
            request._on_call = {  # type: ignore[attr-defined]
                item.schedule.pk: item.member for item in everyone
            }
        return super().changelist_view(request, extra_context)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Answer "on call now" for all rows from one look."""
        on_call: dict[Any, Any] = getattr(request, "_on_call", {})

        @admin.display(description=_("on call now"))
        def now(schedule: Schedule) -> str:
            return str(on_call.get(schedule.pk) or "–")

        return [now if name == "now" else name for name in self.list_display]

    def now(self, schedule: Schedule) -> str:
        """Stands for the column that get_list_display fills."""
        return str(oncall.on_call(schedule, timezone.now()) or "–")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        schedule = self.get_object(request, object_id)
        own = coming(schedule, request) if schedule is not None else {}
        return super().change_view(
            request, object_id, form_url, own | (extra_context or {})
        )


def coming(schedule: Schedule, request: HttpRequest) -> dict[str, Any]:
    """Return who is on call now, at the asked moment, and in the next turns."""
    zone = ZoneInfo(schedule.time_zone)
    turns = oncall.turns_of(schedule)
    now = timezone.now()
    asked = moment(request, zone)
    form = WhoForm(initial={"at": (asked or now).astimezone(zone)})
    listed = []
    at = now
    for _number in range(NEXT_TURNS if turns else 0):
        found = oncall.who(schedule, turns, at)
        if found.until is None:
            break
        listed.append({"member": found.member, "until": found.until.astimezone(zone)})
        at = found.until
    return {
        "who_form": form,
        "zone": schedule.time_zone,
        "turns": listed,
        "asked": asked.astimezone(zone) if asked else None,
        "asked_member": oncall.who(schedule, turns, asked).member if asked else None,
    }


def moment(request: HttpRequest, zone: ZoneInfo) -> datetime | None:
    """Return the moment asked about (?at=), or None."""
    form = WhoForm(request.GET)
    if not form.is_valid() or not form.cleaned_data["at"]:
        return None
    given: datetime = form.cleaned_data["at"]
    return given.replace(tzinfo=zone)
