"""Which places are in trouble, or may take nothing now, and why?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.destinations import BREAKS_AT
from notifications.models import Destination
from tenants import roles
from tenants.admin_base import ActedOnAdmin
from tenants.admin_buttons import button


@admin.register(Destination)
class DestinationAdmin(ActedOnAdmin):
    """Places with a rate or a trouble; a place that is well may have no row."""

    section = "channels"
    section_order = 35
    list_display = ("place", "channel", "condition", "failures", "open_at", "why")
    list_filter = ("slow",)
    list_select_related = ("channel",)
    search_fields = ("key", "channel__name", "why")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "place",
                    "channel",
                    "condition",
                    "failures",
                    "open_at",
                    "why",
                )
            },
        ),
    )
    ordering = ("-failures", "-open_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("channel")

    @admin.display(description=gettext_lazy("place"))
    def place(self, row: Destination) -> str:
        address = row.key.partition(":")[2]
        return address or str(row.channel or row.key)

    @admin.display(description=gettext_lazy("state"))
    def condition(self, row: Destination) -> SafeString:
        css, word = "good", _("well")
        if row.failures >= BREAKS_AT:
            css, word = "bad", _("rests after failures")
        elif row.asked_until > timezone.now():
            css, word = "warn", _("asked to wait")
        elif row.slow:
            css, word = "warn", _("slow: one at a time")
        elif row.open_at > timezone.now():
            css, word = "warn", _("its rate is used up")
        return format_html('<span class="pill {}">{}</span>', css, word)

    @button(
        gettext_lazy("Try it now"),
        needs=roles.ACT,
        css="primary",
        shown=lambda row: row.failures > 0 or row.slow,
    )
    def try_now(self, request: HttpRequest, row: Destination) -> None:
        """Let the next message try it, unless the provider asked to wait."""
        Destination.objects.filter(pk=row.pk).update(
            open_at=F("asked_until"), slow=False, failures=0, why=""
        )
        self.audit(request, row, "try", channel=str(row.channel or ""))
        self.say(request, _("The next message tries it."), good=True)
