"""Who changed what? The audit log, to read."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tenants.admin_base import ReadOnlyAdmin
from tenants.models import Audit


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """Searchable by object, author and act."""

    section_order = 10
    list_display = ("at", "actor_label", "action", "object_kind", "details")
    list_filter = ("actor_kind", "object_kind")
    search_fields = ("=object_id", "actor_label", "action", "=correlation_id")
    search_help_text = _("Act, author, object id or correlation id")
    fields = (
        "at",
        "actor_kind",
        "actor_label",
        "action",
        "object_kind",
        "object_id",
        "pretty",
        "correlation_id",
    )
    readonly_fields = fields

    @admin.display(description=_("details"))
    def details(self, row: Audit) -> str:
        text = json.dumps(row.data, ensure_ascii=False)
        return text if len(text) < 120 else text[:117] + "..."

    @admin.display(description=_("details"))
    def pretty(self, row: Audit) -> SafeString:
        text = json.dumps(row.data, ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)
