"""Who changed what? The audit log, to read."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tenants.admin_base import ReadOnlyAdmin, belongs_to_tenant
from tenants.admin_lists import ACTORS, ActorFilter
from tenants.models import Audit, Tenant


def object_kinds() -> dict[str, Any]:
    """Return {model name: what people call it} of all that belongs to tenants."""
    return {
        str(model._meta.model_name): model._meta.verbose_name
        for model in admin.site._registry
        if belongs_to_tenant(model) or model is Tenant
    }


class ObjectFilter(admin.SimpleListFilter):
    """By kind of object, from the list of kinds and not from the rows."""

    title = _("object kind")
    parameter_name = "object_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kinds = object_kinds().items()
        return sorted(kinds, key=lambda kind: str(kind[1]))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return queryset.filter(object_kind=wanted) if wanted else queryset


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """Searchable by object, author and act."""

    section_order = 10
    list_display = ("at", "actor_label", "act", "kind_word", "details")
    list_filter = (ActorFilter, ObjectFilter)
    search_fields = ("=object_id", "actor_label", "action", "=correlation_id")
    search_help_text = _("Act, author, object id or correlation id")
    fields = (
        "at",
        "actor_word",
        "actor_label",
        "act",
        "kind_word",
        "object_id",
        "pretty",
        "correlation_id",
    )
    readonly_fields = fields

    @admin.display(description=_("action"))
    def act(self, row: Audit) -> SafeString:
        return format_html("<code>{}</code>", row.action)

    @admin.display(description=_("actor"))
    def actor_word(self, row: Audit) -> str:
        return str(ACTORS.get(row.actor_kind, row.actor_kind))

    @admin.display(description=_("object kind"))
    def kind_word(self, row: Audit) -> str:
        return str(object_kinds().get(row.object_kind, row.object_kind))

    @admin.display(description=_("details"))
    def details(self, row: Audit) -> SafeString | str:
        if not row.data:
            return "–"
        text = json.dumps(row.data, ensure_ascii=False)
        short = text if len(text) < 120 else text[:117] + "..."
        return format_html("<code>{}</code>", short)

    @admin.display(description=_("details"))
    def pretty(self, row: Audit) -> SafeString:
        text = json.dumps(row.data, ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)
