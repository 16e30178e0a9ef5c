"""How does a person write down services, whose they are, and what they need?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alertcenter.alerts import service_graph, service_import, weighing
from alertcenter.alerts.admin.service_picture import picture
from alertcenter.alerts.admin.shown import severity_pill
from alertcenter.alerts.models import Group, Service, ServiceDependency
from alertcenter.alerts.service_graph import ServiceError
from alertcenter.alerts.worst_first import OPEN_STATES
from tenants.admin_base import (
    TenantInline,
    TenantScopedAdmin,
    may,
    membership_of,
    tenant_of,
)
from tenants.admin_forms import LinesField, TenantForm

MOST_NAMED = 50
SEPARATOR = "="


class ServiceForm(TenantForm):
    """One more service only where there is room."""

    matchers = LinesField(
        label=gettext_lazy("Conditions"),
        required=False,
        help_text=gettext_lazy(
            'One a line, for example team="payments"; all must hold. Without any, '
            "alerts whose label “service” is the short name."
        ),
    )

    class Meta:
        model = Service
        fields = (
            "name",
            "slug",
            "description",
            "active",
            "tier",
            "team",
            "owner",
            "matchers",
            "position",
            "runbook_url",
            "dashboard_url",
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        tenant_id = self.membership.tenant_id
        try:
            if self.instance._state.adding:
                service_graph.make_room(tenant_id)
            else:
                service_graph.take_turn(tenant_id)
        except ServiceError as error:
            raise ValidationError(str(error)) from error
        return cleaned


class NeedsFormSet(BaseInlineFormSet):
    """All that a service needs, judged together."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        needs = [
            form.cleaned_data["needs"].pk
            for form in self.forms
            if form.cleaned_data.get("needs") and not form.cleaned_data.get("DELETE")
        ]
        if len(set(needs)) < len(needs):
            raise ValidationError(_("The same service is named twice."))
        tenant_id = self.instance.tenant_id
        try:
            graph = service_graph.load(tenant_id)
            service_graph.check_needs(graph, self.instance.pk, needs)
        except ServiceError as error:
            raise ValidationError(str(error)) from error


class NeedsInline(TenantInline, admin.TabularInline):
    """What the service needs."""

    model = ServiceDependency
    fk_name = "service"
    formset = NeedsFormSet
    fields = ("needs",)
    autocomplete_fields = ("needs",)
    extra = 1
    max_num = service_graph.MOST_NEEDS
    verbose_name = gettext_lazy("service that it needs")
    verbose_name_plural = gettext_lazy("needs")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_max=True, **kwargs)


@admin.register(Service)
class ServiceAdmin(TenantScopedAdmin):
    """What people run; messages name it and its owner."""

    section = "rules"
    section_order = 30
    form = ServiceForm
    inlines = (NeedsInline,)
    list_display = ("name", "how", "tier", "answers", "conditions", "active")
    list_select_related = ("owner",)
    list_filter = ("tier", "active")
    search_fields = ("name", "slug", "team")
    autocomplete_fields = ("owner",)
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("name", "id")
    readonly_fields = ("how", "impact")
    fieldsets = (
        (None, {"fields": ("name", "slug", "description", "active")}),
        (
            gettext_lazy("How much hangs on it, and whose it is"),
            {"fields": ("tier", "team", "owner", "runbook_url", "dashboard_url")},
        ),
        (gettext_lazy("Which alerts"), {"fields": ("matchers", "position")}),
        (gettext_lazy("How it is"), {"fields": ("how", "impact")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:-1]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the worst open group of each state: one look into an index each."""
        worst = {f"worst_{state}": worst_group(state) for state in OPEN_STATES}
        rows: QuerySet[Any] = super().get_queryset(request).annotate(**worst)
        return rows

    # --- what the pages say ---

    @admin.display(description=gettext_lazy("owner"))
    def answers(self, row: Service) -> str:
        return row.said_owner or "–"

    @admin.display(description=gettext_lazy("conditions"))
    def conditions(self, row: Service) -> str:
        return ", ".join(map(str, row.matchers)) or f'service="{row.slug}"'

    @admin.display(description=gettext_lazy("state"))
    def how(self, row: Service) -> SafeString:
        """The worst of its open groups, as `get_queryset` found them."""
        found = {state: getattr(row, f"worst_{state}") for state in OPEN_STATES}
        worst = max(severity or 0 for severity in found.values())
        if not worst:
            return format_html('<span class="pill good">{}</span>', _("well"))
        word = severity_pill(worst)
        if found["firing"]:
            return word
        return format_html('{} <span class="pill">{}</span>', word, _("taken"))

    @admin.display(description=gettext_lazy("what depends on it"))
    def impact(self, row: Service) -> SafeString | str:
        graph = service_graph.load(row.tenant_id)
        found = graph.impact(row.pk)
        if not found:
            return _("nothing")
        links = format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            ((address(pk), graph.names[pk]) for pk, _steps in found[:MOST_NAMED]),
        )
        said = ngettext("%(n)s service:", "%(n)s services:", len(found))
        more = len(found) - MOST_NAMED
        return format_html(
            "{} {}{}", said % {"n": len(found)}, links, f" +{more}" if more > 0 else ""
        )

    # --- writing: open groups follow ---

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        weighing.reweigh(tenant_of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        weighing.reweigh(tenant_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        weighing.reweigh(tenant_of(request))

    # --- pages of its own ---

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("graph/", wrap(self.graph_view), name="alerts_service_graph"),
            path("import/", wrap(self.import_view), name="alerts_service_import"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        links = [{"url": reverse("admin:alerts_service_graph"), "label": _("Graph")}]
        if self.has_add_permission(request):
            url = reverse("admin:alerts_service_import")
            links.append({"url": url, "label": _("Import from labels")})
        return super().changelist_view(
            request, {"links": links} | (extra_context or {})
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        url = f"{reverse('admin:alerts_service_graph')}?service={object_id}"
        links = {"links": [{"url": url, "label": _("In the graph")}]}
        return super().change_view(
            request, object_id, form_url, links | (extra_context or {})
        )

    def graph_view(self, request: HttpRequest) -> HttpResponse:
        """Draw what needs what; with `?service=` also what depends on that one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {
            "title": _("What needs what"),
            "opts": self.opts,
            **picture(tenant_of(request), as_id(request.GET.get("service", ""))),
        }
        return TemplateResponse(request, "admin/alertcenter/services.html", context)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Propose services by the labels of the last alerts; make the ticked ones."""
        if not may(request, self.needs_to_change):
            raise PermissionDenied
        membership = membership_of(request)
        if request.method == "POST":
            self.import_ticked(request)
            return HttpResponseRedirect(reverse("admin:alerts_service_changelist"))
        context = self.admin_site.each_context(request) | {
            "title": _("Import services from labels"),
            "opts": self.opts,
            "proposals": service_import.proposals(membership.tenant_id),
            "looked_at": service_import.LOOKED_AT,
            "labels": service_import.LABELS,
        }
        return TemplateResponse(
            request, "admin/alertcenter/import_services.html", context
        )

    def import_ticked(self, request: HttpRequest) -> None:
        membership = membership_of(request)
        picks = []
        for text in request.POST.getlist("pick"):
            label, _divider, value = text.partition(SEPARATOR)
            picks.append((label, value))
        try:
            made = service_import.create(
                membership.tenant_id, picks, actor=membership.actor
            )
        except ServiceError as error:
            self.say(request, str(error), good=False)
            return
        weighing.reweigh(membership.tenant_id)
        said = ngettext(
            "%(n)s service was made.", "%(n)s services were made.", len(made)
        )
        self.say(request, said % {"n": len(made)}, good=bool(made))


def worst_group(state: str) -> Subquery:
    groups = Group.objects.filter(
        tenant_id=OuterRef("tenant_id"), service_id=OuterRef("pk"), state=state
    )
    return Subquery(groups.order_by("-severity").values("severity")[:1])


def address(pk: UUID) -> str:
    return reverse("admin:alerts_service_change", args=[pk])


def as_id(text: str) -> UUID | None:
    """Return the id that `text` is, None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
