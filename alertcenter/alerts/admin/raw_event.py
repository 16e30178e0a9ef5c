"""What did a sender say, word for word? To read."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts import again, intake
from alertcenter.alerts.admin.search import as_uuid
from alertcenter.alerts.models import RawEvent
from tenants import roles
from tenants.admin_base import ActedOnAdmin, may, tenant_of
from tenants.models import Integration

MOST_REPLAYED = 100

MOST_PROTOCOLS = 12
MOST_SHOWN = 256 * 1024  # characters; a page of a megabyte is read by nobody


class ProtocolFilter(admin.SimpleListFilter):
    """By the protocols there are, each found by one step in the index."""

    title = _("protocol")
    parameter_name = "protocol"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = RawEvent.objects.filter(tenant_id=tenant_of(request))
        names = rows.order_by("protocol").values_list("protocol", flat=True)
        found: list[str] = []
        last: str | None = ""
        while len(found) < MOST_PROTOCOLS:
            last = names.filter(protocol__gt=last).first()
            if last is None:
                break
            found.append(last)
        return [(name, name) for name in found]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return queryset.filter(protocol=wanted) if wanted else queryset


class IntegrationFilter(admin.SimpleListFilter):
    """By the integration whose key it came with."""

    title = _("integration")
    parameter_name = "integration_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Integration.objects.filter(tenant_id=tenant_of(request))
        return [(str(pk), name) for pk, name in rows.values_list("pk", "name")[:50]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = as_uuid(self.value() or "")
        return queryset.filter(integration_id=wanted) if wanted else queryset


@admin.register(RawEvent)
class RawEventAdmin(ActedOnAdmin):
    """Bodies as they arrived, the newest first; their headers are never kept."""

    section = "history"
    section_order = 40
    list_display = ("at", "protocol", "outcome", "length", "first_error")
    list_filter = ("outcome", ProtocolFilter, IntegrationFilter)
    actions = ("replay_selected",)
    search_fields = ("=correlation_id",)
    search_help_text = _("Correlation id")
    ordering = ("-at", "-id")
    sortable_by = ("at",)
    fields = (
        "at",
        "protocol",
        "outcome",
        "what_was_wrong",
        "content_type",
        "length",
        "key_id",
        "correlation_id",
        "pretty",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A list does not fetch what it does not show."""
        return super().get_queryset(request).defer("body")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        asked = search_term.strip()
        return (queryset.filter(correlation_id=asked) if asked else queryset), False

    @admin.action(description=_("Read the selected again"), permissions=["act"])
    def replay_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Send what was kept through today's adapter."""
        done, events, odd = 0, 0, 0
        for row in rows[:MOST_REPLAYED]:
            try:
                found = again.replay(row)
            except (again.CannotReplay, intake.DatabaseAway, TimeoutError) as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
                continue
            done += 1
            events += len(found.parsed.events)
            odd += found.not_understood
        words = gettext(
            "%(done)d payloads read again: %(events)d events, %(odd)d not understood."
        )
        told = {"done": done, "events": events, "odd": odd}
        self.message_user(request, words % told)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return may(request, roles.ACT)

    @admin.display(description=_("size"))
    def length(self, row: RawEvent) -> str:
        return str(filesizeformat(row.size))

    @admin.display(description=_("error"))
    def first_error(self, row: RawEvent) -> str:
        reason = str(row.errors[0]["reason"]) if row.errors else ""
        return reason if len(reason) <= 100 else reason[:97] + "..."

    @admin.display(description=_("errors"))
    def what_was_wrong(self, row: RawEvent) -> SafeString | str:
        pairs = ((error["index"], error["reason"]) for error in row.errors)
        lines = format_html_join("", "<li><code>{}</code> {}</li>", pairs)
        return format_html('<ul class="labels">{}</ul>', lines) if lines else "–"

    @admin.display(description=_("body"))
    def pretty(self, row: RawEvent) -> SafeString:
        text = readable(row.content)
        shown = text[:MOST_SHOWN]
        cut = row.size > len(row.content) or len(text) > MOST_SHOWN
        note = format_html('<p class="help">{}</p>', _("Cut off here.")) if cut else ""
        return format_html("<pre>{}</pre>{}", shown, note)


def readable(body: bytes) -> str:
    """Return `body` with its JSON set out in lines; whatever it is, as text."""
    text = body.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    try:
        return json.dumps(json.loads(text), ensure_ascii=True, indent=2)
    except (ValueError, RecursionError):
        return text
