"""How does a person say what must be heard of, and where it is pinged?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import heartbeats
from alertcenter.alerts.models import Heartbeat, HeartbeatPing
from alertcenter.alerts.models.heartbeat import HeartbeatState
from tenants import roles
from tenants.admin_base import ReadOnlyInline, TenantScopedAdmin, membership_of
from tenants.admin_buttons import button
from tenants.admin_forms import LinesField, PairsField, TenantForm
from tenants.admin_timezones import TimeZoneChoices

ADDING: tuple[Any, ...] = (
    (None, {"fields": ("name", "slug")}),
    (
        gettext_lazy("When it must be heard of"),
        {"fields": ("period_seconds", "cron", "time_zone", "grace_seconds")},
    ),
    (
        gettext_lazy("The alert of its absence"),
        {"fields": ("severity", "labels", "message")},
    ),
    (gettext_lazy("Instead of pings"), {"fields": ("match",)}),
)
CSS = {"up": "good", "started": "good", "late": "warn", "down": "bad"}


class HeartbeatForm(TimeZoneChoices, TenantForm):
    """A period, or a cron expression."""

    labels = PairsField(
        label=gettext_lazy("Labels"),
        required=False,
        help_text=gettext_lazy("name=value, one a line; routes see them."),
    )
    match = LinesField(
        label=gettext_lazy("Watch alerts"),
        required=False,
        help_text=gettext_lazy(
            'One condition a line, for example alertname="Watchdog": a firing alert '
            "that meets all of them counts as a ping each time it is sent."
        ),
    )

    class Meta:
        model = Heartbeat
        fields = (
            "name",
            "slug",
            "period_seconds",
            "cron",
            "time_zone",
            "grace_seconds",
            "severity",
            "labels",
            "message",
            "match",
        )


class PingInline(ReadOnlyInline, admin.TabularInline):
    """The last hundred pings."""

    model = HeartbeatPing
    fields = ("at", "kind", "exit_code", "body")
    readonly_fields = fields
    ordering = ("-id",)


@admin.register(Heartbeat)
class HeartbeatsAdmin(TenantScopedAdmin):
    """What must be heard of; its address is shown once."""

    section = "rules"
    section_order = 40
    form = HeartbeatForm
    inlines = (PingInline,)
    list_display = ("name", "state_word", "plan", "last_ping_at", "due_at")
    list_filter = ("state", "severity")
    search_fields = ("name", "slug")
    readonly_fields = (
        "state_word",
        "last_ping_at",
        "last_start_at",
        "last_exit",
        "expected_at",
        "due_at",
        "output",
    )
    fieldsets = (
        *ADDING,
        (gettext_lazy("How it is"), {"fields": readonly_fields}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else ADDING

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    # --- what the pages say ---

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_word(self, row: Heartbeat) -> SafeString:
        word = HeartbeatState(row.state).label
        css = CSS.get(row.state, "off")
        return format_html('<span class="pill {}">{}</span>', css, word)

    @admin.display(description=gettext_lazy("expected"))
    def plan(self, row: Heartbeat) -> str:
        if row.cron:
            return f"{row.cron} ({row.time_zone})"
        return _("every %(seconds)s s") % {"seconds": row.period_seconds}

    @admin.display(description=gettext_lazy("last output"))
    def output(self, row: Heartbeat) -> SafeString | str:
        return format_html("<pre>{}</pre>", row.last_body) if row.last_body else "–"

    # --- making, changing, deleting ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Write what the form changed and no more: pings come in meanwhile."""
        if not change:
            request._token = heartbeats.give_address(obj)  # type: ignore[attr-defined]
            super().save_model(request, obj, form, change)
            return
        if form.changed_data:
            obj.save(update_fields=form.changed_data)
            heartbeats.reschedule(obj)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        return self.show_address(request, obj, request._token)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        heartbeats.remove(obj, actor=membership_of(request).actor)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """`remove` writes the audit row."""

    # --- deeds ---

    @button(gettext_lazy("Pause"), needs=roles.CONFIGURE, shown=lambda row: row.enabled)
    def pause(self, request: HttpRequest, row: Heartbeat) -> None:
        heartbeats.pause(row, actor=membership_of(request).actor)
        self.say(request, _("Nothing is expected until it is resumed."))

    @button(
        gettext_lazy("Resume"), needs=roles.CONFIGURE, shown=lambda row: not row.enabled
    )
    def resume(self, request: HttpRequest, row: Heartbeat) -> None:
        heartbeats.resume(row, actor=membership_of(request).actor)
        self.say(request, _("It is waited for again."))

    @button(gettext_lazy("New address"), needs=roles.CONFIGURE, css="danger")
    def renew(self, request: HttpRequest, row: Heartbeat) -> HttpResponse:
        token = heartbeats.renew_address(row, actor=membership_of(request).actor)
        return self.show_address(request, row, token)

    def show_address(
        self, request: HttpRequest, row: Heartbeat, token: str
    ) -> HttpResponse:
        """Show the address in the answer itself: only its hash is stored."""
        address = f"{settings.BASE_URL}/h/{token}"
        context = self.admin_site.each_context(request) | {
            "title": _("The address of %(name)s") % {"name": row.name},
            "opts": self.opts,
            "address": address,
            "shell": shell_lines(address),
            "cron": cron_line(row.cron or "0 3 * * *", address),
        }
        response = TemplateResponse(
            request, "admin/alertcenter/new_heartbeat.html", context
        )
        response.headers["Cache-Control"] = "no-store"
        return response


def shell_lines(address: str) -> str:
    """Return a script that tells when it starts, and how it ends with what words."""
    return (
        f"curl -fsS -m 10 --retry 5 -o /dev/null {address}/start\n"
        "output=$(/usr/local/bin/backup.sh 2>&1); code=$?\n"
        "printf '%s' \"$output\" | tail -c 10000 |\n"
        "  curl -fsS -m 10 --retry 5 -o /dev/null --data-binary @- "
        f"{address}/$code\n"
    )


def cron_line(cron: str, address: str) -> str:
    """Return a line of a crontab that tells when its job ended well."""
    return (
        f"{cron} /usr/local/bin/backup.sh && "
        f"curl -fsS -m 10 --retry 5 -o /dev/null {address}"
    )
