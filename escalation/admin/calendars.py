"""How does a person let a calendar fill a schedule, and show shifts in his own?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escalation import calendar_words, feeds
from escalation.admin.availability import KEPT
from escalation.admin.own_rows import OwnRowsAdmin, may_write
from escalation.calendar_fetch import checked_url
from escalation.models import CalendarFeed, CalendarImport, Schedule
from tenants import roles
from tenants.admin_base import TenantScopedAdmin, membership_of
from tenants.admin_buttons import button
from tenants.admin_forms import TenantForm, WriteOnlyField


class ImportForm(TenantForm):
    """The address is written and never read."""

    address = WriteOnlyField(label=gettext_lazy("calendar address"), help_text=KEPT)

    class Meta:
        model = CalendarImport
        fields = ("schedule", "overrides")

    def clean_address(self) -> str:
        given = checked_url(self.cleaned_data.get("address") or "")
        if not given and not self.instance.url:
            raise ValidationError(_("Give the calendar's address."))
        return given

    def save(self, commit: bool = True) -> Any:
        if given := self.cleaned_data.get("address"):
            self.instance.url = given
        self.instance.ask_anew()
        return super().save(commit)


@admin.register(CalendarImport)
class CalendarImportAdmin(TenantScopedAdmin):
    """Calendars whose events are shifts of a schedule."""

    section = "escalation"
    section_order = 24
    form = ImportForm
    list_display = ("schedule", "overrides", "fetched_at", "problem")
    list_select_related = ("schedule",)
    search_fields = ("schedule__name",)
    autocomplete_fields = ("schedule",)
    readonly_fields = ("fetched_at", "problem", "strangers")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["schedule", "overrides"]
        if self.has_change_permission(request, obj):
            fields.append("address")
        return fields if obj is None else [*fields, *self.readonly_fields]

    @admin.display(description=gettext_lazy("problem"))
    def problem(self, row: CalendarImport) -> str:
        return calendar_words.said(row.error) or "–"

    @admin.display(description=gettext_lazy("names that are nobody's"))
    def strangers(self, row: CalendarImport) -> str:
        return ", ".join(map(str, row.unknown)) or "–"

    @button(gettext_lazy("Read now"), needs=roles.CONFIGURE, css="primary")
    def read_now(self, request: HttpRequest, row: CalendarImport) -> None:
        """Let the engine read it within its next seconds."""
        row.ask_anew()
        row.save()
        self.audit(request, row, "read")
        self.say(request, _("It will be read within seconds."))


class FeedForm(TenantForm):
    """Of a schedule, of a member, or of a member in a schedule."""

    class Meta:
        model = CalendarFeed
        fields = ("schedule", "member")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("schedule") and not cleaned.get("member"):
            self.add_error(None, _("Choose a schedule, a member, or both."))
        alike = CalendarFeed.objects.filter(
            tenant_id=self.membership.tenant_id,
            schedule=cleaned.get("schedule"),
            member=cleaned.get("member"),
        )
        if alike.count() >= feeds.MOST_FEEDS:
            self.add_error(None, _("There are many of these already; revoke some."))
        return cleaned


@admin.register(CalendarFeed)
class CalendarFeedAdmin(OwnRowsAdmin):
    """Private addresses; each is shown once, and deleting it revokes it."""

    section = "escalation"
    section_order = 25
    form = FeedForm
    list_display = ("__str__", "schedule", "member", "made_at", "last_used_at")
    list_select_related = ("schedule", "member")
    search_fields = ("schedule__name", "member__name")
    autocomplete_fields = ("schedule", "member")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["schedule", "member"]
        return [*fields, "made_at", "last_used_at"] if obj else fields

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        own = may_write(request, None)
        return self.autocomplete_fields if own else ("schedule",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """A schedule's page asks for the schedule's, not for one's own."""
        given = super().get_changeform_initial_data(request)
        if "schedule" in request.GET and "member" not in request.GET:
            given.pop("member", None)
        return given

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        membership = membership_of(request)
        if not may_write(request, obj.member_id):
            raise PermissionDenied
        made, token = feeds.make(
            membership.tenant_id,
            schedule=obj.schedule,
            member=obj.member,
            actor=membership.actor,
        )
        obj.pk, obj._token = made.pk, token
        obj._state.adding = False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`feeds.make` has written it."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": _("A private calendar address"),
            "opts": self.opts,
            "address": feeds.address_of(obj._token),
        }
        answer = TemplateResponse(request, "admin/alertcenter/new_feed.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        feeds.revoke(obj, actor=membership_of(request).actor)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for feed in queryset:
            self.delete_model(request, feed)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """`feeds.revoke` has written them."""


def links_of(schedule: Schedule) -> list[dict[str, str]]:
    """Return the ways from a schedule's page to its calendars."""
    feed = reverse("admin:escalation_calendarfeed_add")
    imported = reverse("admin:escalation_calendarimport_add")
    return [
        {"url": f"{feed}?schedule={schedule.pk}", "label": _("Private calendar")},
        {"url": f"{imported}?schedule={schedule.pk}", "label": _("Import a calendar")},
    ]
