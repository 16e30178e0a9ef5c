"""Which storms were there, and what became of them?"""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models import Storm
from tenants.admin_base import ReadOnlyAdmin


@admin.register(Storm)
class StormAdmin(ReadOnlyAdmin):
    """Every storm on a route: how many alerts, how many groups, and its own group."""

    section_order = 15
    list_display = (
        "began_at",
        "route",
        "alerts",
        "groups",
        "open_groups",
        "ended_at",
        "closed_at",
    )
    list_select_related = ("route",)
    search_fields = ("route__name",)
    fields = (
        "route",
        "began_at",
        "ended_at",
        "closed_at",
        "alerts",
        "groups",
        "open_groups",
        "told_at",
        "its_group",
    )
    readonly_fields = fields

    @admin.display(description=_("group"))
    def its_group(self, storm: Storm) -> SafeString | str:
        if storm.group_id is None:
            return ""
        url = reverse("admin:alerts_group_change", args=[storm.group_id])
        return format_html('<a href="{}">{}</a>', url, _("group"))
