"""How does a person say at which times a route is quiet, or heard at all?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import intervals
from alertcenter.alerts.admin.interval_field import EntriesField, in_words
from alertcenter.alerts.models import Route, TimeInterval
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_forms import TenantForm


class IntervalForm(TenantForm):
    """A name, and the entries of which one must hold."""

    times = EntriesField(
        label=gettext_lazy("Entries"),
        help_text=gettext_lazy(
            "It holds while one entry does; of an entry, all that is filled in must. "
            "Days below zero count from the end of the month."
        ),
    )

    class Meta:
        model = TimeInterval
        fields = ("name", "times")

    class Media:
        js = ("admin/alertcenter/entries.js",)


@admin.register(TimeInterval)
class TimeIntervalAdmin(TenantScopedAdmin):
    """Named times; routes name them."""

    section = "rules"
    section_order = 30
    form = IntervalForm
    list_display = ("name", "holds", "entries", "used_by")
    search_fields = ("name",)
    ordering = ("name",)
    fieldsets = ((None, {"fields": ("name", "now_and_next", "times", "used_by")}),)
    readonly_fields = ("now_and_next", "used_by")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name", "times")}),)
        if not self.has_change_permission(request, obj):
            fields = ("name", "now_and_next", "entries", "used_by")
            return ((None, {"fields": fields}),)
        return self.fieldsets

    # --- what the pages say ---

    @admin.display(description=gettext_lazy("now"))
    def holds(self, row: TimeInterval) -> SafeString:
        return now_pill(contained(row))

    @admin.display(description=gettext_lazy("entries"))
    def entries(self, row: TimeInterval) -> SafeString:
        lines = ((in_words(item),) for item in row.times)
        return format_html_join(SafeString("<br>"), "{}", lines)

    @admin.display(description=gettext_lazy("in force"))
    def now_and_next(self, row: TimeInterval) -> SafeString:
        holds, moment = contained(row), timezone.now()
        change = intervals.next_change(intervals.parse(row.times), moment)
        if change is None:
            return format_html("{} {}", now_pill(holds), _("No change in sight."))
        local = timezone.localtime(change)
        when = {
            "moment": date_format(local, "SHORT_DATETIME_FORMAT"),
            "zone": timezone.get_current_timezone_name(),
        }
        text = (
            _("until %(moment)s (%(zone)s)")
            if holds
            else _("next from %(moment)s (%(zone)s)")
        )
        return format_html("{} {}", now_pill(holds), text % when)

    @admin.display(description=gettext_lazy("used by"))
    def used_by(self, row: TimeInterval) -> SafeString | str:
        links = format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            (
                (reverse("admin:alerts_route_change", args=[route.pk]), route.name)
                for route in routes_with(row.tenant_id, row.name)[:50]
            ),
        )
        return links or "–"

    # --- routes know an interval by its name ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        before = form.initial.get("name")
        if change and before != obj.name:
            rename(obj.tenant_id, str(before), obj.name)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[Any, Any, Any, Any]:
        """Refuse to delete what a route names: the route would be heard at night."""
        listed, counts, needed, kept = super().get_deleted_objects(objs, request)
        for row in objs:
            for route in routes_with(row.tenant_id, row.name):
                kept.append(_("Route: %(name)s") % {"name": route.name})
        return listed, counts, needed, kept


def contained(row: TimeInterval) -> bool:
    return intervals.contains(intervals.parse(row.times), timezone.now())


def now_pill(holds: bool) -> SafeString:
    if holds:
        return format_html('<span class="pill good">{}</span>', _("in force"))
    return format_html('<span class="pill off">{}</span>', _("not in force"))


def routes_with(tenant_id: UUID, name: str) -> QuerySet[Route]:
    """Return the routes that name an interval."""
    named = Q(mute_intervals__contains=[name]) | Q(active_intervals__contains=[name])
    return Route.objects.filter(named, tenant_id=tenant_id)


def rename(tenant_id: UUID, before: str, after: str) -> None:
    """Let routes name an interval by its new name."""
    for route in routes_with(tenant_id, before).select_for_update():
        for part in ("mute_intervals", "active_intervals"):
            names = [after if one == before else one for one in getattr(route, part)]
            setattr(route, part, names)
        route.save(update_fields=["mute_intervals", "active_intervals"])
