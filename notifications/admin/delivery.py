"""What became of each message? Deliveries with their attempts, and "retry now"."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.models import Attempt, Delivery, MailOpening
from notifications.models.delivery import DeliveryState
from notifications.retrying import RETRIABLE, retry
from tenants import roles
from tenants.admin_base import ActedOnAdmin, membership_of, tenant_of
from tenants.admin_buttons import button
from tenants.site_index import KeyNumber

STATE_CLASSES = {
    DeliveryState.SENT: "good",
    DeliveryState.DEAD: "bad",
    DeliveryState.AMBIGUOUS: "warn",
    DeliveryState.CANCELLED: "off",
}
RECENT = timedelta(days=1)
MOST_ATTEMPTS = 100
MOST_AT_ONCE = 1000


class AgeFilter(admin.SimpleListFilter):
    """By age, by the index on the time of making."""

    title = gettext_lazy("age")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("hour", _("last hour")),
            ("day", _("last day")),
            ("week", _("last week")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        hours = {"hour": 1, "day": 24, "week": 168}.get(self.value() or "")
        if hours is None:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - timedelta(hours=hours))


def link_to(pk: UUID | None) -> SafeString | str:
    """Return a link to another delivery."""
    if pk is None:
        return "–"
    url = reverse("admin:notifications_delivery_change", args=[pk])
    return format_html('<a href="{}">{}</a>', url, _("delivery"))


@admin.register(Delivery)
class DeliveryAdmin(ActedOnAdmin):
    """Deliveries; the only act is to try again."""

    section = "channels"
    section_order = 30
    list_display = (
        "created_at",
        "kind",
        "recipient",
        "channel_kind",
        "state_word",
        "attempts",
        "last_error",
    )
    list_filter = ("state", "kind", "channel_kind", AgeFilter)
    list_select_related = ("channel", "member")
    search_fields = ("address", "error", "=provider_id", "=correlation_id")
    search_help_text = gettext_lazy(
        "Address, error, provider's id, correlation id, or id of a group"
    )
    sortable_by = ("created_at",)
    actions = ("retry_selected",)
    change_form_template = "admin/alertcenter/delivery.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "kind",
                    "state_word",
                    "recipient",
                    "channel",
                    "to_group",
                    "attempts",
                    "error",
                    "in_place_of",
                    "said_by",
                )
            },
        ),
        (
            gettext_lazy("Details"),
            {
                "fields": (
                    "created_at",
                    "next_at",
                    "sent_at",
                    "opened",
                    "provider_id",
                    "correlation_id",
                    "said",
                )
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if len(text) == 36 and text.count("-") == 4:
            return queryset.filter(Q(group_id=text) | Q(pk=text)), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=gettext_lazy("to"))
    def recipient(self, delivery: Delivery) -> str:
        parts = [delivery.member, delivery.channel, delivery.address]
        return str(next((part for part in parts if part), "–"))

    @admin.display(description=gettext_lazy("state"))
    def state_word(self, delivery: Delivery) -> SafeString:
        css = STATE_CLASSES.get(DeliveryState(delivery.state), "")
        word = delivery.get_state_display()
        return format_html('<span class="pill {}">{}</span>', css, word)

    @admin.display(description=gettext_lazy("last error"))
    def last_error(self, delivery: Delivery) -> str:
        return delivery.error[:120]

    @admin.display(description=gettext_lazy("group"))
    def to_group(self, delivery: Delivery) -> SafeString | str:
        if delivery.group_id is None:
            return "–"
        url = reverse("admin:alerts_group_change", args=[delivery.group_id])
        return format_html('<a href="{}">{}</a>', url, delivery.message.get("title"))

    @admin.display(description=gettext_lazy("in place of"))
    def in_place_of(self, delivery: Delivery) -> SafeString | str:
        return link_to(delivery.instead_of)

    @admin.display(description=gettext_lazy("said by the digest"))
    def said_by(self, delivery: Delivery) -> SafeString | str:
        return link_to(delivery.merged_into)

    @admin.display(description=gettext_lazy("opened"))
    def opened(self, delivery: Delivery) -> str:
        """Say when a mail was looked at, of channels that ask for it."""
        rows = MailOpening.objects.filter(tenant_id=delivery.tenant_id)
        found = rows.filter(delivery_id=delivery.pk).first()
        if found is None:
            return "–"
        text = _("%(first)s; %(n)d times, last on %(last)s")
        return text % {
            "first": date_format(localtime(found.at), "DATETIME_FORMAT"),
            "n": found.times,
            "last": date_format(localtime(found.last_at), "DATETIME_FORMAT"),
        }

    @admin.display(description=gettext_lazy("message"))
    def said(self, delivery: Delivery) -> SafeString:
        text = json.dumps(delivery.message, ensure_ascii=False, indent=2)
        return format_html("<pre>{}</pre>", text)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        tries: Any = []
        if delivery is not None:
            rows = Attempt.objects.filter(
                tenant_id=tenant_of(request), delivery_id=delivery.pk
            )
            tries = rows.order_by("-id")[:MOST_ATTEMPTS]
        return super().change_view(
            request, object_id, form_url, {"tries": tries} | (extra_context or {})
        )

    @button(
        gettext_lazy("Retry now"),
        needs=roles.ACT,
        css="primary",
        shown=lambda delivery: delivery.state in RETRIABLE,
    )
    def retry(self, request: HttpRequest, delivery: Delivery) -> None:
        self.retry_all(request, [delivery.pk])

    @admin.action(
        description=gettext_lazy("Retry the selected deliveries now"),
        permissions=["change"],
    )
    def retry_selected(self, request: HttpRequest, deliveries: Any) -> None:
        rows = deliveries.order_by().values_list("pk", flat=True)
        self.retry_all(request, list(rows[:MOST_AT_ONCE]))

    def retry_all(self, request: HttpRequest, ids: list[Any]) -> None:
        """Try again and say how many could be."""
        membership = membership_of(request)
        count = retry(membership.tenant_id, ids, actor=membership.actor)
        text = ngettext(
            "%(n)d delivery is tried again now.",
            "%(n)d deliveries are tried again now.",
            count,
        )
        self.say(request, text % {"n": count}, good=count > 0)


admin.site.numbers.append(  # type: ignore[attr-defined]
    KeyNumber(
        gettext_lazy("deliveries given up (last day)"),
        lambda tenant_id: Delivery.objects.filter(
            tenant_id=tenant_id,
            state=DeliveryState.DEAD,
            created_at__gte=timezone.now() - RECENT,
        ),
        lambda: (
            reverse("admin:notifications_delivery_changelist")
            + "?state__exact=dead&age=day"
        ),
        alarming=True,
    )
)
