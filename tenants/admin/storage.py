"""What lies on the disk, and what did retention let go? For operators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from tenants import partitions
from tenants.admin_base import OperatorsOnly
from tenants.models import RetentionRun

MOST_TABLES = 20


@admin.register(RetentionRun)
class RetentionRunAdmin(OperatorsOnly, admin.ModelAdmin):
    """The last runs, under the sizes of the tables; to read."""

    section_order = 60
    list_display = ("started_at", "finished_at", "rows", "partitions", "put_off_words")
    fields = ("started_at", "finished_at", "rows", "partitions", "put_off_words")
    readonly_fields = fields
    change_list_template = "admin/alertcenter/storage.html"
    actions = None
    list_per_page = 20
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        own = {
            "sizes": partitions.sizes(MOST_TABLES),
            "title": _("Storage and retention"),
        }
        return super().changelist_view(request, own | (extra_context or {}))

    @admin.display(description=_("rows deleted"))
    def rows(self, run: RetentionRun) -> str:
        pairs = sorted(run.deleted.items())
        return ", ".join(f"{table}: {rows}" for table, rows in pairs) or "–"

    @admin.display(description=_("partitions dropped"))
    def partitions(self, run: RetentionRun) -> str:
        return ", ".join(run.dropped) or "–"

    @admin.display(description=_("put off, as somebody held a lock"))
    def put_off_words(self, run: RetentionRun) -> str:
        return ", ".join(run.put_off) or "–"
