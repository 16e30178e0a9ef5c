"""How does a person change a schedule for a while, by ordinary pages?"""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import swapping
from escalation.admin.calendar.forms import OverrideForm, WallClocks
from escalation.limits import MOST_SHIFTS
from escalation.models import (
    Override,
    Swap,
    TemporarySchedule,
    TemporaryShift,
)
from escalation.swapping import SwapError
from tenants import roles
from tenants.admin_base import TenantInline, TenantScopedAdmin, may, membership_of
from tenants.admin_buttons import button
from tenants.models import Member

STRETCH = ("starts_at", "ends_at", "note")


class ForOneSchedule(TenantScopedAdmin):
    """What is fastened to a schedule, which is chosen once; times are by its clock."""

    section = "escalation"
    list_filter: ClassVar[tuple[str, ...]] = ("schedule",)
    list_select_related: ClassVar[tuple[str, ...]] = ("schedule",)
    search_fields: ClassVar[tuple[str, ...]] = ("schedule__name", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("schedule",) if obj is not None else ()


@admin.register(Override)
class OverrideAdmin(ForOneSchedule):
    """Overrides; on the calendar they are written by dragging."""

    section_order = 22
    form = OverrideForm
    list_display = ("__str__", "schedule", *STRETCH)
    list_select_related = ("schedule", "member", "instead")
    fields = ("schedule", *OverrideForm.Meta.fields)


# --- shift swaps ---


class SwapForm(WallClocks):
    """Whose shifts somebody is to take; who may not configure asks for himself."""

    class Meta:
        model = Swap
        fields: ClassVar[tuple[str, ...]] = (
            "schedule",
            "beneficiary",
            "benefactor",
            *STRETCH,
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by = self.membership
        mine = Member.objects.filter(tenant_id=by.tenant_id, active=True)
        for name in ("beneficiary", "benefactor"):
            if name in self.fields:
                self.fields[name].queryset = mine  # type: ignore[attr-defined]
        if by.may(roles.CONFIGURE):
            return
        self.fields.pop("benefactor", None)
        if "beneficiary" in self.fields:
            own = mine.filter(pk__in=[by.member_id] if by.member_id else [])
            self.fields["beneficiary"].queryset = own  # type: ignore[attr-defined]
            self.initial.setdefault("beneficiary", by.member_id)

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        whose, taker = found.get("beneficiary"), found.get("benefactor")
        if whose is not None and whose == taker:
            self.add_error("benefactor", _("These are the member's own shifts."))
        return found


@admin.register(Swap)
class SwapAdmin(ForOneSchedule):
    """Requests to take shifts, and who took them."""

    section_order = 23
    form = SwapForm
    list_display = ("__str__", "schedule", "beneficiary", "taker", *STRETCH)
    list_select_related = ("schedule", "beneficiary", "benefactor")
    fields = SwapForm.Meta.fields

    @admin.display(description=gettext_lazy("who takes them"))
    def taker(self, swap: Swap) -> str:
        if swap.benefactor:
            return swap.benefactor.name
        return format_html('<span class="pill warn">{}</span>', _("nobody yet"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not configure takes a swap by its button."""
        if obj is None and not may(request, roles.CONFIGURE):
            return [name for name in self.fields if name != "benefactor"]
        return self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("schedule", "beneficiary", "benefactor")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, roles.ACT)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj, leave=True)

    def _may(self, request: HttpRequest, obj: Any, *, leave: bool = False) -> bool:
        """Who gave his shifts away does not stretch what another has taken; he may
        take the request back."""
        if obj is None or (obj.benefactor_id and not leave):
            return may(request, roles.CONFIGURE)
        return swapping.may_ask(membership_of(request), obj.beneficiary_id)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if change:
            self._save_change(request, obj)
        else:
            obj.tenant_id = membership_of(request).tenant_id
            swapping.ask(obj, by=membership_of(request))

    def _save_change(self, request: HttpRequest, obj: Any) -> None:
        """Write the stretch alone: somebody may have taken it since it was read."""
        Swap.objects.select_for_update().get(pk=obj.pk)
        taken = Swap.objects.filter(pk=obj.pk, benefactor__isnull=False).exists()
        if taken and not may(request, roles.CONFIGURE):
            raise PermissionDenied
        obj.save(update_fields=STRETCH)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`swapping.ask` has written it down."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        swapping.remove(obj, by=membership_of(request))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """`swapping.remove` writes it down."""

    def get_actions(self, request: HttpRequest) -> Any:
        """One by one: each must be asked for leave."""
        return {}

    @button(
        gettext_lazy("Take these shifts"),
        needs=roles.ACT,
        css="primary",
        shown=lambda swap: swap.benefactor_id is None,
    )
    def take(self, request: HttpRequest, swap: Swap) -> HttpResponse | None:
        by = membership_of(request)
        if by.member_id is None:
            self.say(request, _("Only a member can take shifts."), good=False)
            return None
        words = {
            "own": _("These are your own shifts."),
            "taken": _("Somebody else has just taken them."),
        }
        try:
            swapping.take(swap, by.member_id, by=by)
        except SwapError as error:
            self.say(request, words[error.code], good=False)
        else:
            self.say(request, _("You are on call in these shifts."))
        return None

    @button(
        gettext_lazy("Give them back"),
        needs=roles.ACT,
        shown=lambda swap: swap.benefactor_id is not None,
    )
    def give_back(self, request: HttpRequest, swap: Swap) -> HttpResponse | None:
        swapping.give_back(swap, by=membership_of(request))
        self.say(request, _("The request is open again."))
        return None


# --- temporary schedules ---


class TemporaryForm(WallClocks):
    """The range."""

    class Meta:
        model = TemporarySchedule
        fields: ClassVar[tuple[str, ...]] = ("schedule", *STRETCH)


class TemporaryShiftForm(WallClocks):
    """A member's shift, by the clock of the schedule."""

    class Meta:
        model = TemporaryShift
        fields: ClassVar[tuple[str, ...]] = ("member", "starts_at", "ends_at")

    def zone(self) -> ZoneInfo:
        range_: Any = getattr(self.instance, "temporary", None)
        if range_ is None or not range_.schedule_id:
            return ZoneInfo("UTC")
        return ZoneInfo(range_.schedule.time_zone)


class ShiftsOfRange(forms.BaseInlineFormSet):
    """A new range says its zone by the schedule that was just chosen."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form.instance.temporary = self.instance
        return form


class TemporaryShiftInline(TenantInline, admin.TabularInline):
    """The only shifts of the range."""

    model = TemporaryShift
    form = TemporaryShiftForm
    formset = ShiftsOfRange
    extra = 2
    most = MOST_SHIFTS
    fields = TemporaryShiftForm.Meta.fields
    autocomplete_fields = ("member",)


@admin.register(TemporarySchedule)
class TemporaryAdmin(ForOneSchedule):
    """Ranges in which only shifts of their own count."""

    section_order = 24
    form = TemporaryForm
    list_display = ("__str__", "schedule", *STRETCH)
    fields = TemporaryForm.Meta.fields
    inlines = (TemporaryShiftInline,)
