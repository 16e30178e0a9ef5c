"""How does a member say when he works and when he is away? His own page each."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import Case, F, Q, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import calendar_reading, calendar_words
from escalation.admin.calendar.forms import WallClocks
from escalation.admin.holiday_fields import HolidayChoices
from escalation.admin.own_rows import OwnRowsAdmin, may_write
from escalation.calendar_fetch import checked_url
from escalation.hours_field import HoursField
from escalation.layer_rows import zone_or_utc
from escalation.models import Absence, Availability
from tenants import roles
from tenants.admin_base import may, membership_of
from tenants.admin_forms import TenantForm, WriteOnlyField

KEPT = gettext_lazy("Empty: the stored one stays.")


class SkillsField(forms.CharField):
    """A list of words, with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        words = (word.strip() for word in (super().to_python(value) or "").split(","))
        return list(dict.fromkeys(word for word in words if word))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class AvailabilityForm(HolidayChoices, TenantForm):
    """Hours as lines, skills as words; the calendar's address is written, not read."""

    hours = HoursField(label=capfirst(gettext_lazy("business hours")), required=False)
    skills = SkillsField(
        label=capfirst(gettext_lazy("skills")),
        required=False,
        help_text=gettext_lazy("Words with commas between them: database, network"),
    )
    calendar = WriteOnlyField(
        label=capfirst(gettext_lazy("calendar of absences")),
        help_text=KEPT,
    )
    forget = forms.BooleanField(
        label=capfirst(gettext_lazy("forget the calendar and what was read from it")),
        required=False,
    )

    class Meta:
        model = Availability
        fields = (
            "member",
            "hours",
            "holiday_country",
            "holiday_subdivision",
            "skills",
        )

    def clean_calendar(self) -> str:
        return checked_url(self.cleaned_data.get("calendar") or "")

    def save(self, commit: bool = True) -> Any:
        given = self.cleaned_data.get("calendar")
        if given or self.cleaned_data.get("forget"):
            self.instance.absences_url = given or None
            self.instance.ask_anew()
        return super().save(commit)


@admin.register(Availability)
class AvailabilityAdmin(OwnRowsAdmin):
    """When members work, and what they can do."""

    section = "people"
    section_order = 14
    form = AvailabilityForm
    list_display = ("member", "holiday_country", "fetched_at")
    search_fields = ("member__name",)
    readonly_fields = ("stored", "fetched_at", "problem")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = [*AvailabilityForm.Meta.fields]
        if obj is None:
            return [*fields, "calendar"]
        shown = ["stored", "fetched_at", "problem"]
        if not self.has_change_permission(request, obj):
            return [*fields, *shown]
        return [*fields, "calendar", "forget", *shown]

    @admin.display(description=gettext_lazy("calendar of absences"))
    def stored(self, row: Availability) -> str:
        return _("stored") if row.absences_url else _("none")

    @admin.display(description=gettext_lazy("problem"))
    def problem(self, row: Availability) -> str:
        return calendar_words.said(row.error) or "–"

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("forget") and not obj.absences_url:
            calendar_reading.forget_absences(obj)


class AbsenceForm(WallClocks):
    """A stretch of time, by the clock of who is away, whoever writes it."""

    class Meta:
        model = Absence
        fields = ("member", "starts_at", "ends_at", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "ends_at" in self.fields:
            self.fields["ends_at"].help_text = _("By the member’s own clock.")

    def zone(self) -> ZoneInfo:
        member = getattr(self, "cleaned_data", {}).get("member")
        if member is None and self.instance.member_id:
            member = self.instance.member
        return zone_or_utc(member.time_zone if member else "UTC")


@admin.register(Absence)
class AbsenceAdmin(OwnRowsAdmin):
    """When members are away; what a calendar says is changed there."""

    section = "people"
    section_order = 15
    form = AbsenceForm
    list_display = ("member", "starts_at", "ends_at", "said", "read")
    # Not by the note: who searches reads what he finds.
    search_fields = ("member__name",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """What a private calendar calls an absence is no colleague's business."""
        found = super().get_queryset(request)
        membership = getattr(request, "membership", None)
        if membership is None or may(request, roles.CONFIGURE):
            return found.annotate(told=F("note"))
        own = Q(member_id=membership.member_id)
        return found.annotate(told=Case(When(own, then="note"), default=Value("")))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or may_write(request, obj.member_id):
            return AbsenceForm.Meta.fields
        return [name for name in AbsenceForm.Meta.fields if name != "note"]

    @admin.display(description=gettext_lazy("note"))
    def said(self, row: Absence) -> str:
        return str(getattr(row, "told", "")) or "–"

    @admin.display(description=gettext_lazy("from a calendar"), boolean=True)
    def read(self, row: Absence) -> bool:
        return bool(row.uid)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.uid:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.uid:
            return False
        return super().has_delete_permission(request, obj)


def mine(request: HttpRequest) -> HttpResponse:
    """Lead to one's own page; to a new one where there is none yet."""
    membership = membership_of(request)
    own = membership.member_id
    if own is None:  # an operator, who is nobody here
        address = reverse("admin:escalation_availability_changelist")
        return HttpResponseRedirect(address)
    rows = Availability.objects.filter(tenant_id=membership.tenant_id, member_id=own)
    row = rows.first()
    if row is None:
        address = reverse("admin:escalation_availability_add")
    else:
        address = reverse("admin:escalation_availability_change", args=[row.pk])
    return HttpResponseRedirect(address)


admin.site.pages.append(  # type: ignore[attr-defined]
    path("my-availability/", admin.site.admin_view(mine), name="my_availability")
)
