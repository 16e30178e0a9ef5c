"""How does a person write a route, and see which one takes an alert?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import route_changes
from alertcenter.alerts.admin import route_tree
from alertcenter.alerts.admin.route_form import GROUPINGS, RouteForm, grouping_of
from alertcenter.alerts.admin.route_words import RouteWords
from alertcenter.alerts.admin.tester import TesterForm
from alertcenter.alerts.models import (
    Alert,
    Group,
    Route,
    RouteChannel,
    Silence,
    Storm,
)
from tenants.admin_base import TenantScopedAdmin, membership_of, tenant_of
from tenants.site_index import FirstStep

MOST_LISTED = 2000


class TreeList(ChangeList):
    """All routes on one page, in the order of the tree; found ones in it too."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        tenant_id = tenant_of(request)
        tree = route_tree.read(tenant_id)
        names = route_tree.channel_names(tenant_id)
        self.result_list = route_tree.in_order(tree, self.result_list)
        searched = bool(self.query or self.get_filters_params())
        for row in self.result_list:
            row.shown = RouteWords(tree.nodes[row.pk], tree, names, flat=searched)


@admin.register(Route)
class RouteAdmin(TenantScopedAdmin):
    """Routes as a tree, in the order in which they are tried."""

    section = "rules"
    section_order = 20
    form = RouteForm
    list_display = ("in_tree", "conditions", "groups", "timers", "tells", "times")
    list_select_related = ("policy",)
    list_per_page = MOST_LISTED
    list_max_show_all = MOST_LISTED
    sortable_by = ()
    search_fields = ("name",)
    autocomplete_fields = ("policy",)
    fieldsets = (
        (None, {"fields": ("name", "active", "is_default", "parent", "position")}),
        (
            gettext_lazy("Which alerts"),
            {"fields": ("matchers", "continue_matching")},
        ),
        (gettext_lazy("Grouped how"), {"fields": ("grouping", "group_by")}),
        (
            gettext_lazy("How often it speaks"),
            {
                "fields": (
                    "group_wait_seconds",
                    "group_interval_seconds",
                    "repeat_interval_seconds",
                    "storm_per_minute",
                )
            },
        ),
        (
            gettext_lazy("Who is told"),
            {
                "description": gettext_lazy(
                    "With nothing of this, whoever the route above tells."
                ),
                "fields": ("policy", "told", "tells_nobody", "receiver", "labels"),
            },
        ),
        (
            gettext_lazy("At which times"),
            {"fields": ("mute_intervals", "active_intervals")},
        ),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return TreeList

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        form.save_channels()

    def _changeform_view(
        self, request: HttpRequest, *given: Any, **named: Any
    ) -> HttpResponse:
        """Who saves sees the tree as it stands, and nobody else moves it meanwhile."""
        if request.method == "POST":
            route_changes.take_turn(tenant_of(request))
        answer: HttpResponse = super()._changeform_view(  # type: ignore[misc]
            request, *given, **named
        )
        return answer

    # --- going: with it go its history of storms, and silences of it alone ---

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        shown, counts, missing, kept = super().get_deleted_objects(objs, request)
        missing -= {model._meta.verbose_name for model in (Silence, Storm)}
        found = route_changes.what_forbids(tenant_of(request), [o.pk for o in objs])
        return shown, counts, missing, [*kept, *found]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._let_go(request, [obj.pk])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        self._let_go(request, list(queryset.values_list("pk", flat=True)))
        super().delete_queryset(request, queryset)

    def _let_go(self, request: HttpRequest, ids: list[UUID]) -> None:
        membership = membership_of(request)
        route_changes.let_go(membership.tenant_id, ids, actor=membership.actor)

    # --- for those who may only look: what the form's own fields say ---

    @admin.display(description=gettext_lazy("groups"))
    def grouping(self, route: Route) -> str:
        return str(dict(GROUPINGS)[grouping_of(route)])

    @admin.display(description=gettext_lazy("channels"))
    def told(self, route: Route) -> str:
        rows = RouteChannel.objects.filter(route=route, tenant_id=route.tenant_id)
        named = rows.select_related("channel").order_by("channel__name")
        return ", ".join(str(row.channel) for row in named) or "–"

    # --- the list ---

    @admin.display(description=gettext_lazy("route"))
    def in_tree(self, route: Route) -> SafeString:
        return words_of(route).name()

    @admin.display(description=gettext_lazy("conditions"))
    def conditions(self, route: Route) -> SafeString | str:
        return words_of(route).conditions()

    @admin.display(description=gettext_lazy("group by"))
    def groups(self, route: Route) -> SafeString:
        return words_of(route).groups()

    @admin.display(description=gettext_lazy("wait, interval, repeat"))
    def timers(self, route: Route) -> SafeString:
        return words_of(route).timers()

    @admin.display(description=gettext_lazy("tells"))
    def tells(self, route: Route) -> SafeString:
        return words_of(route).tells()

    @admin.display(description=gettext_lazy("times"))
    def times(self, route: Route) -> SafeString | str:
        return words_of(route).times()

    # --- "which route?" ---

    def get_urls(self) -> list[Any]:
        tester = self.admin_site.admin_view(self.tester_view)
        return [
            path("tester/", tester, name="alerts_route_tester"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        links = [
            {"url": reverse("admin:alerts_route_tester"), "label": _("Which route?")}
        ]
        if self.has_change_permission(request):
            address = reverse("admin:alertmanager_import")
            links.append({"url": address, "label": "alertmanager.yml"})
        return super().changelist_view(
            request, {"links": links} | (extra_context or {})
        )

    def tester_view(self, request: HttpRequest) -> HttpResponse:
        """Show how each route judges a pasted or stored alert. Changes nothing."""
        tenant_id = tenant_of(request)
        given = request.POST or (request.GET if request.GET else None)
        form = TesterForm(given, tenant_id=tenant_id)
        verdict = form.verdict() if given and form.is_valid() else None
        recent = Alert.objects.filter(tenant_id=tenant_id).order_by("-starts_at", "id")
        context = self.admin_site.each_context(request) | {
            "title": _("Which route takes this alert?"),
            "opts": self.opts,
            "form": form,
            "verdict": verdict,
            "recent": recent[:10],
        }
        return TemplateResponse(request, "admin/alertcenter/route_tester.html", context)


def words_of(route: Any) -> RouteWords:
    """Return what `TreeList` found out about a row of its list."""
    words: RouteWords = route.shown
    return words


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        50,
        gettext_lazy("Make a route to a policy"),
        lambda tenant_id: Route.objects.filter(
            tenant_id=tenant_id, active=True, policy__isnull=False
        ).exists(),
        lambda: admin.site.address_of(Route, "add"),  # type: ignore[attr-defined]
    )
)
admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        60,
        gettext_lazy("Receive the first alert"),
        lambda tenant_id: Group.objects.filter(tenant_id=tenant_id).exists(),
        lambda: reverse("admin:tenants_apikey_add"),
    )
)
