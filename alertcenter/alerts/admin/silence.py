"""How do people keep alerts quiet for a while, by hand or by the calendar?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from alertcenter.alerts import silence_presets, silences
from alertcenter.alerts.admin.inhibition import lines
from alertcenter.alerts.admin.search import as_uuid
from alertcenter.alerts.admin.silence_form import (
    MaintenanceForm,
    SilenceForm,
    recurrence_words,
)
from alertcenter.alerts.models import Alert, Maintenance, Silence
from alertcenter.alerts.models.silence import SilenceKind
from alertcenter.alerts.severity import shown
from alertcenter.alerts.silence_drafts import check_matchers, read_matchers
from alertcenter.alerts.silence_preview import Preview, preview
from alertcenter.alerts.silences import SilenceError
from tenants import roles
from tenants.admin_base import TenantScopedAdmin, membership_of, tenant_of
from tenants.admin_buttons import button
from tenants.admin_forms import LinesField

STATES = {
    "active": ("good", gettext_lazy("active")),
    "pending": ("warn", gettext_lazy("pending")),
    "expired": ("off", gettext_lazy("expired")),
}
DAYS_AHEAD = 31
MOST_COMING = 60
MOST_WINDOWS = 500
AGAIN = ("matchers", "comment", "title", "route", "remind_seconds", "until_gone")


class StateFilter(admin.SimpleListFilter):
    """What is over is not listed unless it is asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, word) for name, (_css, word) in STATES.items()] + [
            ("all", gettext_lazy("all"))
        ]

    def choices(self, changelist: Any) -> Any:
        """Django's first choice is "all"; ours is what is not over."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else dict(choice) | {"display": _("not expired")}

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Silence]
    ) -> QuerySet[Silence]:
        now, wanted = timezone.now(), self.value()
        if wanted == "all":
            return queryset
        if wanted == "expired":
            return queryset.filter(ends_at__lte=now)
        current = queryset.filter(silence_presets.unexpired(now))
        if wanted == "active":
            return current.filter(silence_presets.active(now))
        if wanted == "pending":
            return current.exclude(silence_presets.active(now))
        return current


class SilencesAdmin(TenantScopedAdmin):
    """What silences and maintenance windows have in common."""

    section = "quiet"
    kind: str
    needs_to_change = roles.ACT
    change_form_template = "admin/alertcenter/reach_form.html"
    list_display = ("words", "state", "conditions", "mutes", "when", "by")
    list_display_links = ("words",)
    list_select_related = ("owner",)
    list_filter = (StateFilter,)
    search_fields = ("title", "comment", "created_by", "matchers")
    search_help_text = gettext_lazy("words of the reason, a person, or a condition")
    ordering = ("-ends_at", "id")
    sortable_by = ()
    actions = ("expire_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list has one kind; the page of one opens whatever it is."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match and str(match.url_name).endswith("_changelist"):
            return rows.filter(kind=self.kind)
        return rows

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is over stays as it was; it can be done again."""
        if obj is not None and silences.state_of(obj, timezone.now()) == "expired":
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They expire, and are kept for a while as a record."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": TO_READ}),)
        own = self.fieldsets or ()
        return ((None, {"fields": ("state", "mutes")}), *own) if obj else own

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("state", "mutes") if obj is not None else ()

    # --- what the pages say ---

    @admin.display(description=gettext_lazy("what"))
    def words(self, row: Silence) -> str:
        return row.title or row.comment[:120] or ", ".join(map(str, row.matchers))

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Silence) -> SafeString:
        css, word = STATES[silences.state_of(row, timezone.now())]
        return format_html('<span class="pill {}">{}</span>', css, word)

    @admin.display(description=gettext_lazy("conditions"))
    def conditions(self, row: Silence) -> SafeString:
        return lines(row.matchers)

    @admin.display(description=gettext_lazy("mutes now"))
    def mutes(self, row: Any) -> str:
        """Asked for the whole list at once where there is one."""
        found = getattr(row, "muted", None)
        if found is None:
            by_id = silence_presets.muted_by(row.tenant_id, [row.pk])
            found = by_id.get(row.pk, silence_presets.Muted())
        text = ngettext("%(n)d alert", "%(n)d alerts", found.alerts)
        return text % {"n": found.alerts} if found.alerts else "–"

    @admin.display(description=gettext_lazy("when"))
    def when(self, row: Silence) -> SafeString:
        begin, end = (moment_words(m) for m in (row.starts_at, row.ends_at))
        again = recurrence_words(row)
        if again:
            return format_html("{} – {}<br>{}", begin, end, again)
        return format_html("{} – {}", begin, end)

    @admin.display(description=gettext_lazy("by"))
    def by(self, row: Silence) -> str:
        owner = str(row.owner) if row.owner else ""
        return ", ".join(dict.fromkeys(one for one in (owner, row.created_by) if one))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        listed = super().get_changelist_instance(request)
        rows = list(listed.result_list)
        found = silence_presets.muted_by(tenant_of(request), [row.pk for row in rows])
        for row in rows:
            row.muted = found.get(row.pk, silence_presets.Muted())
        listed.result_list = rows
        return listed

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        obj = kwargs.get("obj")
        if self.has_change_permission(request, obj):
            context["reach_url"] = self._address("preview")
        if obj is not None and self.has_add_permission(request):
            address = f"{self._address('add')}?again={obj.pk}"
            context["links"] = [{"url": address, "label": _("Do it again")}]
        return super().render_change_form(request, context, *args, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new one may begin as a copy, or with the labels of an alert."""
        pk = as_uuid(request.GET.get("again", ""))
        row = self.get_queryset(request).filter(pk=pk).first() if pk else None
        if row is not None:
            return {name: getattr(row, name) for name in AGAIN}
        pk = as_uuid(request.GET.get("alert", ""))
        alerts = Alert.objects.filter(tenant_id=tenant_of(request))
        alert = alerts.filter(pk=pk).first() if pk else None
        if alert is not None:
            labels = shown(alert.labels, alert.severity)
            return {"matchers": silence_presets.as_matchers(labels)}
        return {"matchers": request.GET.get("matchers", "")}

    # --- what it would mute ---

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        name = f"{self.opts.app_label}_{self.opts.model_name}_preview"
        return [path("preview/", view, name=name), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> JsonResponse:
        """Say what a silence of these conditions would mute. Changes nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            texts = LinesField(required=False).clean(request.POST.get("matchers", ""))
        except ValidationError as error:
            return JsonResponse({"sentence": error.messages[0], "alarming": True})
        try:
            check_matchers(read_matchers(texts))
        except SilenceError as error:
            told = {"sentence": error.message, "alarming": error.code != "matchers"}
            return JsonResponse(told)
        route_id = as_uuid(request.POST.get("route", ""))
        return JsonResponse(
            preview_told(preview(tenant_of(request), texts, route_id=route_id))
        )

    # --- writing ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Keep it through the one door; it may take the place of the one opened."""
        membership = membership_of(request)
        row = silences.save(
            membership.tenant_id,
            form.draft,
            actor=membership.actor,
            silence_id=obj.pk if change else None,
            confirm=True,  # the form has asked
        )
        obj.__dict__.update(row.__dict__)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Say what the form could not know: too many, or gone meanwhile."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except SilenceError as error:
            self.say(request, error.message, good=False)
            return HttpResponseRedirect(self._address("changelist"))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Go on with the silence that took the other's place."""
        if "_continue" in request.POST:
            request.path = self._address("change", obj.pk)
        return super().response_change(request, obj)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`silences.save` writes the audit row."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`silences.save` writes the audit row."""

    @button(
        gettext_lazy("Expire now"),
        needs=roles.ACT,
        css="danger",
        shown=lambda row: silences.state_of(row, timezone.now()) != "expired",
    )
    def expire(self, request: HttpRequest, row: Silence) -> None:
        self._expire(request, [row])

    @admin.action(
        description=gettext_lazy("Expire the selected ones now"),
        permissions=["change"],
    )
    def expire_selected(self, request: HttpRequest, rows: Any) -> None:
        self._expire(request, list(rows))

    def _expire(self, request: HttpRequest, rows: list[Silence]) -> None:
        membership = membership_of(request)
        for row in sorted(rows, key=lambda one: one.pk):
            silences.expire(membership.tenant_id, row.pk, actor=membership.actor)
        text = ngettext("%(n)d is over.", "%(n)d are over.", len(rows))
        self.say(request, text % {"n": len(rows)})


TIMES = ("starts_at", "lasting", "ends_at")
AGAIN_AND_AGAIN = ("repeats", "on_days", "recurrence", "duration_seconds", "time_zone")
TO_READ = (
    "words",
    "state",
    "conditions",
    "comment",
    "when",
    "by",
    "mutes",
    "route",
    "until_gone",
)


@admin.register(Silence)
class SilenceAdmin(SilencesAdmin):
    """Made by a person in the moment."""

    section_order = 10
    kind = SilenceKind.SILENCE.value
    form = SilenceForm
    fieldsets = (
        (gettext_lazy("Which alerts"), {"fields": ("matchers", "route")}),
        (gettext_lazy("How long, and why"), {"fields": (*TIMES, "until_gone")}),
        (None, {"fields": ("comment", "owner", "remind_seconds", "confirm")}),
        (
            gettext_lazy("Again and again"),
            {"classes": ("collapse",), "fields": ("title", *AGAIN_AND_AGAIN)},
        ),
    )


@admin.register(Maintenance)
class MaintenanceAdmin(SilencesAdmin):
    """Made by the calendar."""

    section_order = 20
    kind = SilenceKind.MAINTENANCE.value
    form = MaintenanceForm
    change_list_template = "admin/alertcenter/maintenance_list.html"
    fieldsets = (
        (None, {"fields": ("title", "comment", "owner")}),
        (gettext_lazy("When"), {"fields": (*TIMES, *AGAIN_AND_AGAIN)}),
        (gettext_lazy("Which alerts"), {"fields": ("matchers", "route", "confirm")}),
        (None, {"fields": ("remind_seconds", "until_gone")}),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        now = timezone.now()
        rows = self.get_queryset(request).filter(silence_presets.unexpired(now))
        ahead = silence_presets.coming(rows[:MOST_WINDOWS], now, DAYS_AHEAD)
        own = {"coming": ahead[:MOST_COMING], "now": now, "days": DAYS_AHEAD}
        return super().changelist_view(request, own | (extra_context or {}))


def moment_words(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


def preview_told(found: Preview) -> dict[str, Any]:
    """Return what a page shows of a preview."""
    return {
        "sentence": silence_presets.preview_words(found),
        "alarming": found.now.is_broad,
        "examples": [
            {
                "text": one.title,
                "url": reverse("admin:alerts_alert_change", args=[one.id]),
            }
            for one in found.now.examples
        ],
    }
