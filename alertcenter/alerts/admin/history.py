"""What happened? Transitions and episodes, to read."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.admin.search import as_uuid
from alertcenter.alerts.models import Episode, Transition
from tenants.admin_base import ReadOnlyAdmin
from tenants.admin_lists import ACTORS, ActorFilter


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin):
    """Every change of an alert or a group."""

    section_order = 20
    list_display = ("at", "kind", "subject", "from_state", "to_state", "actor_label")
    list_filter = ("kind", ActorFilter)
    search_fields = ("actor_label", "=reason", "=correlation_id")
    search_help_text = _("Author, reason, correlation id, or id of a group or alert")
    fields = (
        "at",
        "kind",
        "subject",
        "from_state",
        "to_state",
        "actor_word",
        "actor_label",
        "reason",
        "details",
        "correlation_id",
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        identity = as_uuid(search_term.strip())
        if identity is None:
            return super().get_search_results(request, queryset, search_term)
        of_group = queryset.filter(group_id=identity)
        if of_group.exists():
            return of_group, False
        return queryset.filter(alert_id=identity), False

    @admin.display(description=_("actor"))
    def actor_word(self, row: Transition) -> str:
        return str(ACTORS.get(row.actor_kind, row.actor_kind))

    @admin.display(description=_("of"))
    def subject(self, row: Transition) -> SafeString | str:
        if row.group_id:
            url = reverse("admin:alerts_group_change", args=[row.group_id])
            return format_html('<a href="{}">{}</a>', url, _("group"))
        if row.alert_id:
            url = reverse("admin:alerts_alert_change", args=[row.alert_id])
            return format_html('<a href="{}">{}</a>', url, _("alert"))
        return ""

    @admin.display(description=_("details"))
    def details(self, row: Transition) -> SafeString:
        text = json.dumps(row.data, ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)


@admin.register(Episode)
class EpisodeAdmin(ReadOnlyAdmin):
    """Every stretch from firing to resolved."""

    section_order = 30
    list_display = ("number", "at", "starts_at", "ends_at", "closed_by", "alert")
    list_filter = ("closed_by",)
    search_fields = ("=number",)
    search_help_text = _("Number, or id of an alert")
    fields = ("number", "alert", "starts_at", "ends_at", "closed_by", "at")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip().lstrip("#")
        identity = as_uuid(text)
        if identity is not None:
            return queryset.filter(alert_id=identity), False
        if text.isdecimal() and len(text) < 19:
            return queryset.filter(number=int(text)), False
        return (queryset.none() if text else queryset), False

    @admin.display(description=_("alert"))
    def alert(self, row: Episode) -> SafeString:
        url = reverse("admin:alerts_alert_change", args=[row.alert_id])
        return format_html('<a href="{}">{}</a>', url, _("alert"))
