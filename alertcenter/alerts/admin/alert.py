"""Which alerts are there? Lists, searches and one alert's own history."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts.admin.manual import Manual
from alertcenter.alerts.admin.search import by_words
from alertcenter.alerts.admin.shown import label_list, severity_pill, state_pill
from alertcenter.alerts.models import Alert, GroupAlert, Transition
from tenants import roles
from tenants.admin_base import ActedOnAdmin, may, membership_of, tenant_of

MOST_HISTORY = 100
SAFE_LINKS = ("http://", "https://")


@admin.register(Alert)
class AlertAdmin(Manual, ActedOnAdmin):
    """Alerts; acts on them are added by the room that knows how (escalation)."""

    section_order = 20
    list_display = ("title", "severity_word", "state_word", "starts_at", "some_labels")
    list_filter = ("state", "severity")  # by source would look at every row
    search_fields = ("title",)
    search_help_text = gettext_lazy("Words of the title, or label=value")
    ordering = ("-starts_at", "id")
    sortable_by = ("starts_at",)
    change_form_template = "admin/alertcenter/alert.html"
    fieldsets = (
        (None, {"fields": ("title", "severity_word", "state_word", "all_labels")}),
        (
            gettext_lazy("Times"),
            {"fields": ("starts_at", "last_at", "ends_at", "expires_at", "count")},
        ),
        (
            gettext_lazy("Details"),
            {
                "fields": (
                    "source",
                    "notes",
                    "where",
                    "fingerprint",
                    "dedup_key",
                    "closed_by",
                ),
            },
        ),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        links = {"links": self.manual_links(request)}
        return super().changelist_view(request, links | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return by_words(queryset, search_term), False

    @admin.display(description=gettext_lazy("severity"))
    def severity_word(self, alert: Alert) -> SafeString:
        return severity_pill(alert.severity)

    @admin.display(description=gettext_lazy("state"))
    def state_word(self, alert: Alert) -> SafeString:
        return state_pill(alert.state, alert.get_state_display())

    @admin.display(description=gettext_lazy("labels"))
    def some_labels(self, alert: Alert) -> SafeString:
        return label_list(alert.labels, most=3)

    @admin.display(description=gettext_lazy("labels"))
    def all_labels(self, alert: Alert) -> SafeString:
        return label_list(alert.labels, most=200)

    @admin.display(description=gettext_lazy("annotations"))
    def notes(self, alert: Alert) -> SafeString:
        return label_list(alert.annotations, most=200)

    @admin.display(description=gettext_lazy("link"))
    def where(self, alert: Alert) -> SafeString | str:
        """Only http and https become a link: a source may write anything."""
        if not alert.link.lower().startswith(SAFE_LINKS):
            return alert.link
        return format_html(
            '<a href="{}" rel="noreferrer noopener">{}</a>', alert.link, alert.link
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        alert = self.get_object(request, object_id)
        own: dict[str, Any] = {}
        if alert is not None:
            own = self.context_of(tenant_of(request), alert)
            url = f"/t/{membership_of(request).slug}/explain?alert={alert.pk}"
            own["links"].append({"url": url, "label": _("Why?")})
            if may(request, roles.ACT):
                url = f"{reverse('admin:alerts_silence_add')}?alert={alert.pk}"
                own["links"].append({"url": url, "label": _("Silence")})
        return super().change_view(
            request, object_id, form_url, own | (extra_context or {})
        )

    def context_of(self, tenant_id: Any, alert: Alert) -> dict[str, Any]:
        """Return the alert's groups and its last changes."""
        memberships = GroupAlert.objects.filter(tenant_id=tenant_id, alert=alert)
        changes = Transition.objects.filter(tenant_id=tenant_id, alert_id=alert.pk)
        tester = reverse("admin:alerts_route_tester")
        return {
            "memberships": memberships.select_related("group").order_by("-joined_at")[
                :MOST_HISTORY
            ],
            "changes": changes.order_by("-id")[:MOST_HISTORY],
            "links": [
                {"url": f"{tester}?alert={alert.pk}", "label": _("Which route?")},
            ],
        }
