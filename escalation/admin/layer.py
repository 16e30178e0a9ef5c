"""How does a person write a rotation, and see at once what it does?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from alertcenter.alerts.lifecycle import database_time
from escalation import anchoring
from escalation.admin.calendar.preview import preview
from escalation.hours_field import DAYS, HoursField
from escalation.layering import keep_on_call, rotation, stored
from escalation.limits import MOST_PLACES
from escalation.models import Layer, Turn
from escalation.models.schedule import every_day
from escalation.shifts import Layer as Rotation
from tenants import roles
from tenants.admin_base import TenantInline, TenantScopedAdmin, membership_of
from tenants.admin_forms import SecondsField, TenantForm
from tenants.admin_timezones import TimeZoneChoices
from tenants.models import Member

MINUTE = 60
LONGEST_SHIFT = 400 * 24 * 3600  # seconds


class LayerForm(TimeZoneChoices, TenantForm):
    """Days are ticked, hours are rows, and times are of no zone but the layer's."""

    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Weekdays"),
        choices=DAYS,
        initial=every_day,
        widget=forms.CheckboxSelectMultiple,
    )
    hours = HoursField(
        label=gettext_lazy("Only at these hours"),
        required=False,
        help_text=gettext_lazy(
            "None: at all hours. An end that is not later than the begin lies on the "
            "next day; two equal times are 24 hours."
        ),
    )
    lasts = SecondsField(
        label=gettext_lazy("A shift ends after"),
        required=False,
        least=MINUTE,
        most=LONGEST_SHIFT,
        help_text=gettext_lazy(
            "For example 8h. Empty: it lasts until the next begins."
        ),
    )

    class Meta:
        model = Layer
        fields: ClassVar[tuple[str, ...]] = (
            "schedule",
            "name",
            "level",
            "time_zone",
            "frequency",
            "every",
            "starts_on",
            "handoff",
            "ends_on",
            "weekdays",
            "hours",
            "holidays",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "handoff" in self.fields:
            clock = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
            self.fields["handoff"].widget = clock
        for name in ("starts_on", "ends_on"):
            if name in self.fields:
                day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
                self.fields[name].widget = day
        if "schedule" in self.fields:
            for act in ("add", "change", "delete", "view"):
                setattr(self.fields["schedule"].widget, f"can_{act}_related", False)
        if self.instance.lasts_minutes and "lasts" in self.fields:
            self.initial["lasts"] = self.instance.lasts_minutes * MINUTE

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if "lasts" in found:
            seconds = found["lasts"]
            self.instance.lasts_minutes = seconds // MINUTE if seconds else None
        return found


class NumberedTurns(forms.BaseInlineFormSet):
    """Empty rows come after the others: nobody joins the first turn by accident."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        before = self.initial_form_count()
        if index is not None and index >= before:
            last = max((turn.position for turn in self.get_queryset()), default=0)
            kwargs["initial"] = {"position": last + 1 + index - before}
        return kwargs


class TurnInline(TenantInline, admin.TabularInline):
    """Members in the order in which they take turns."""

    model = Turn
    formset = NumberedTurns
    extra = 2
    most = MOST_PLACES
    fields = ("position", "member")
    autocomplete_fields = ("member",)
    verbose_name_plural = gettext_lazy(
        "Turns (members with the same position are on call together)"
    )


@admin.register(Layer)
class LayerAdmin(TenantScopedAdmin):
    """One rotation of a schedule."""

    section = "escalation"
    section_order = 21
    form = LayerForm
    list_display = ("title", "schedule", "level", "frequency", "every", "people")
    list_filter = ("schedule",)
    list_select_related = ("schedule",)
    search_fields = ("name", "schedule__name")
    fieldsets = (
        (None, {"fields": ("schedule", "name", ("level", "holidays"))}),
        (
            gettext_lazy("Turns change"),
            {
                "fields": (
                    ("every", "frequency"),
                    ("starts_on", "handoff"),
                    "ends_on",
                    "lasts",
                    "time_zone",
                )
            },
        ),
        (gettext_lazy("Only then"), {"fields": ("weekdays", "hours")}),
    )
    inlines = (TurnInline,)
    change_form_template = "admin/alertcenter/layer.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("turns__member")

    @admin.display(description=gettext_lazy("layer"))
    def title(self, layer: Layer) -> str:
        return str(layer)

    @admin.display(description=gettext_lazy("turns"))
    def people(self, layer: Layer) -> str:
        return people_of(layer)

    # --- what the form wrote ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Keep how it was, to leave on call who is on call now."""
        request._layer_before = None  # type: ignore[attr-defined]
        if change:
            row = Layer.objects.select_for_update().get(pk=obj.pk)
            before = stored(row)
            request._layer_before = before  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        before: Rotation | None = getattr(request, "_layer_before", None)
        if before is not None:
            keep_on_call(form.instance, before, database_time())

    def response_add(self, request: HttpRequest, obj: Any, *more: Any) -> HttpResponse:
        """A layer is one step of making a schedule: lead back to its calendar."""
        return self._onwards(request, obj, super().response_add(request, obj, *more))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._onwards(request, obj, super().response_change(request, obj))

    def _onwards(
        self, request: HttpRequest, obj: Any, answer: HttpResponse
    ) -> HttpResponse:
        if "_save" not in request.POST or not isinstance(answer, HttpResponseRedirect):
            return answer
        return HttpResponseRedirect(
            reverse("admin:escalation_schedule_calendar", args=[obj.schedule_id])
        )

    # --- the preview ---

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = path(
            "preview/",
            wrap(require_POST(self.preview_view)),
            name="escalation_layer_preview",
        )
        return [own, *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Answer a form that is not saved with what it would do."""
        membership = membership_of(request)
        membership.require(roles.CONFIGURE)
        row = self._unsaved(request)
        form = self.get_form(request, row, change=row is not None)(
            request.POST, instance=row
        )
        context: dict[str, Any] = {"schedule": None}
        if form.is_valid():
            layer = form.instance
            now = database_time()
            found = turns_of(request.POST, membership.tenant_id)
            new = rotation(layer, found)
            if row is not None:
                first = anchoring.rebased(stored(row), new, now)
                new = rotation(layer, found, first=first)
            context = preview(layer.schedule, new, now)
        return TemplateResponse(
            request,
            "admin/alertcenter/layer_preview.html",
            context | {"form": form},
        )

    def _unsaved(self, request: HttpRequest) -> Layer | None:
        """Return the layer whose form this is (?layer=); None for a new one."""
        given = request.GET.get("layer", "")
        if not given:
            return None
        try:
            row = self.get_object(request, str(UUID(given)))
        except ValueError as error:
            raise Http404 from error
        if row is None:
            raise Http404
        found: Layer = row
        return found


def people_of(layer: Layer) -> str:
    """Return who takes turns: "Ana, Ben + Clara"."""
    places: dict[int, list[str]] = {}
    for turn in layer.turns.all():
        places.setdefault(turn.position, []).append(turn.member.name)
    return ", ".join(" + ".join(names) for _place, names in sorted(places.items()))


def turns_of(posted: Mapping[str, str], tenant_id: UUID) -> list[tuple[int, UUID]]:
    """Return the turns of a form that is not saved; what cannot be read is left
    out."""
    found = []
    for number in range(MOST_PLACES):
        prefix = f"turns-{number}"
        if f"{prefix}-position" not in posted:
            break
        if posted.get(f"{prefix}-DELETE"):
            continue
        try:
            place = int(posted[f"{prefix}-position"])
            found.append((place, UUID(posted.get(f"{prefix}-member", ""))))
        except ValueError:
            continue
    mine = set(
        Member.objects.filter(
            tenant_id=tenant_id, pk__in=[member for _place, member in found]
        ).values_list("pk", flat=True)
    )
    return sorted((one for one in found if one[1] in mine), key=lambda one: one[0])
