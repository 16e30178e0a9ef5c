"""How does a person write a route, and see which one takes an alert?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts.admin.tester import TesterForm
from alertcenter.alerts.models import Alert, Group, Route
from alertcenter.alerts.routing import EVERY_LABEL
from tenants.admin_base import TenantScopedAdmin, tenant_of
from tenants.admin_forms import LinesField, TenantForm
from tenants.site_index import FirstStep


class RouteForm(TenantForm):
    """Every route but the default one needs a condition."""

    matchers = LinesField(
        label=gettext_lazy("Conditions"),
        required=False,
        help_text=gettext_lazy(
            'One a line, for example severity="critical" or team=~"db|web". '
            "The default route needs none."
        ),
    )
    group_by = LinesField(
        label=gettext_lazy("Group by"),
        required=False,
        help_text=gettext_lazy(
            "Label names, one a line: alerts that agree in all of them are one "
            "group. Three dots make every alert a group of its own."
        ),
    )

    class Meta:
        model = Route
        fields = (
            "name",
            "active",
            "position",
            "is_default",
            "matchers",
            "group_by",
            "group_wait_seconds",
            "policy",
            "storm_per_minute",
        )

    def clean_group_by(self) -> list[str]:
        names: list[str] = self.cleaned_data["group_by"]
        for name in names:
            if name != EVERY_LABEL and ("=" in name or " " in name):
                raise ValidationError(
                    _("%(name)s is not the name of a label."), params={"name": name}
                )
        return list(dict.fromkeys(names))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "matchers" in self.errors or cleaned.get("is_default"):
            return cleaned
        if not cleaned.get("matchers"):
            self.add_error("matchers", _("A route needs at least one condition."))
        return cleaned


@admin.register(Route)
class RouteAdmin(TenantScopedAdmin):
    """Routes in the order in which they are tried."""

    section = "rules"
    section_order = 20
    form = RouteForm
    list_display = ("name", "position", "conditions", "groups", "to_policy", "active")
    list_select_related = ("policy",)
    list_filter = ("active",)
    search_fields = ("name",)
    autocomplete_fields = ("policy",)
    fieldsets = (
        (None, {"fields": ("name", "active", "position")}),
        (gettext_lazy("Which alerts"), {"fields": ("is_default", "matchers")}),
        (
            gettext_lazy("What becomes of them"),
            {
                "fields": (
                    "group_by",
                    "group_wait_seconds",
                    "policy",
                    "storm_per_minute",
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("conditions"))
    def conditions(self, route: Route) -> str:
        if route.is_default:
            return _("everything else")
        return ", ".join(map(str, route.matchers))

    @admin.display(description=gettext_lazy("group by"))
    def groups(self, route: Route) -> str:
        if route.group_by is None:
            return _("as above")
        return ", ".join(map(str, route.group_by)) or _("all in one group")

    @admin.display(description=gettext_lazy("policy"), ordering="policy__name")
    def to_policy(self, route: Route) -> SafeString | str:
        if route.policy is None:
            return format_html('<span class="nobody">{}</span>', _("tells nobody"))
        return str(route.policy)

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
        link = {"url": reverse("admin:alerts_route_tester"), "label": _("Which route?")}
        return super().changelist_view(
            request, {"links": [link]} | (extra_context or {})
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
