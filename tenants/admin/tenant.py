"""How are tenants made and set up? One at a time, by operators and owners."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants import access, founding, roles, usage
from tenants.actors import OPERATOR, Actor
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_timezones import TimeZoneChoices
from tenants.flapping_limits import BOUNDS, FEWEST_TO_START
from tenants.models import Tenant
from tenants.site_header import enter

# How long rows are kept costs the operator's disk, so he says it.
TERMS = ("history_days", "closed_days", "raw_days")
# So does how much may come in.
LIMITS = (
    "events_per_second",
    "key_events_per_second",
    "address_events_per_second",
)


FLAPPING = ("flapping_starts", "flapping_ends", "flapping_minutes")


def flapping_field(name: str, **words: Any) -> forms.IntegerField:
    """Return the form's field of one of the limits; empty: the usual one."""
    least, most, usual = BOUNDS[name]
    return forms.IntegerField(
        required=False,
        min_value=0 if name == "starts" else least,
        max_value=most,
        widget=forms.NumberInput(attrs={"placeholder": usual}),
        **words,
    )


class TenantForm(TimeZoneChoices):
    """The short name is part of every address, so it stays once it is in use."""

    flapping_starts = flapping_field(
        "starts",
        label=gettext_lazy("flaps from so many changes of state"),
        help_text=gettext_lazy("0: never."),
    )
    flapping_ends = flapping_field(
        "ends", label=gettext_lazy("calm again at so many or fewer")
    )
    flapping_minutes = flapping_field(
        "minutes", label=gettext_lazy("within the last minutes")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in (self.instance.settings.get("flapping") or {}).items():
            if f"flapping_{name}" in self.fields:
                self.fields[f"flapping_{name}"].initial = value

    def clean(self) -> dict[str, Any]:
        """Put the limits of flapping where the settings are."""
        cleaned = super().clean() or {}
        given = {
            name.removeprefix("flapping_"): cleaned[name]
            for name in FLAPPING
            if cleaned.get(name) is not None
        }
        starts = given.get("starts", BOUNDS["starts"][2])
        if 0 < starts < FEWEST_TO_START:
            self.add_error(
                "flapping_starts",
                _("At least %(fewest)s, or 0.") % {"fewest": FEWEST_TO_START},
            )
        elif starts and given.get("ends", 0) >= starts:
            self.add_error(
                "flapping_ends", _("It must be fewer than start the flapping.")
            )
        elif not self.errors and any(name in self.fields for name in FLAPPING):
            kept = {k: v for k, v in self.instance.settings.items() if k != "flapping"}
            self.instance.settings = kept | ({"flapping": given} if given else {})
        return cleaned

    class Meta:
        model = Tenant
        fields = ("name", "slug", "language", "time_zone", "keep_raw", *TERMS, *LIMITS)

    def clean_slug(self) -> str:
        """Look over all tenants: row-level security hides the others' rows."""
        slug: str = self.cleaned_data["slug"]
        others = {item.slug for item in access.memberships(self.asked_by)}
        if self.instance._state.adding and slug in others:
            self.add_error("slug", _("This one exists already."))
        return slug


@admin.register(Tenant)
class TenantAdmin(TenantScopedAdmin):
    """Operators make tenants; owners and administrators change their own."""

    section = "people"
    section_order = 90
    needs_to_change = roles.ADMINISTER
    form = TenantForm
    list_display = ("name", "slug", "language", "time_zone", "created_at")
    search_fields = ("name", "slug")
    fieldsets = (
        (None, {"fields": ("name", "slug", "language", "time_zone")}),
        (
            gettext_lazy("How long rows are kept"),
            {
                "fields": (*TERMS, "keep_raw"),
                "description": gettext_lazy(
                    "What is older is deleted once a day. Operators set the days."
                ),
            },
        ),
        (
            gettext_lazy("Flapping alerts"),
            {
                "fields": FLAPPING,
                "description": gettext_lazy(
                    "An alert that comes and goes stays one group, and pages nobody "
                    "anew, until it is calm."
                ),
            },
        ),
        (
            gettext_lazy("How much is taken"),
            {
                "fields": (*LIMITS, "use"),
                "description": gettext_lazy(
                    "What is more is refused with 429 and a time to wait. "
                    "Operators set the limits."
                ),
            },
        ),
    )

    @admin.display(description=gettext_lazy("events in the last 24 hours"))
    def use(self, obj: Tenant) -> str:
        """What came in, and what was sent back because it was too much."""
        day = usage.last_day(obj.pk)
        return _("%(events)s taken; %(refused)s requests refused as too many") % {
            "events": number_format(day.events, force_grouping=True),
            "refused": number_format(day.refused, force_grouping=True),
        }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new tenant starts with the installation's terms."""
        shown = super().get_fieldsets(request, obj)
        return shown if obj else shown[:1]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        """Only the current one: row-level security shows no other."""
        membership = getattr(request, "membership", None)
        if membership is None:
            return Tenant.objects.none()
        return Tenant.objects.filter(pk=membership.tenant_id)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["settings"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        closed = ("slug",) if obj else ()
        closed = (*closed, "use")
        return closed if request.user.is_superuser else (*closed, *TERMS, *LIMITS)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super(TenantScopedAdmin, self).get_form(
            request, obj, change, **kwargs
        )
        form.asked_by = request.user.pk
        return form

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser) or super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser) or super().has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A tenant's end is not a click away."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if change:
            obj.save()
        else:
            founding.found(obj, actor=operator(request))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`found` has written the audit row, in the new tenant's context."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Go on in the new tenant, where its first steps are listed."""
        for item in access.memberships(request.user.pk):
            if item.tenant_id == obj.pk:
                enter(request, item)
        text = _("%(name)s is made. You are working in it now.") % {"name": obj.name}
        messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:index"))


def operator(request: HttpRequest) -> Actor:
    """Return the author, who may stand in no tenant yet."""
    membership = getattr(request, "membership", None)
    if membership is not None:
        return Actor(OPERATOR, "", membership.label)
    return Actor(OPERATOR, "", request.user.get_username())
