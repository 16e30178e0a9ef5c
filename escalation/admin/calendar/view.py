"""How does a person see a schedule's calendar, and change it there?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from alertcenter.alerts.lifecycle import database_time
from escalation import overriding
from escalation.admin.calendar import page
from escalation.admin.calendar.forms import OverrideForm, WallClockField
from escalation.admin.calendar.page import Asked
from escalation.admin.calendar.period import Period
from escalation.admin.calendar.picture import People, stretch
from escalation.admin.calendar.rows import override_words
from escalation.hours import Span
from escalation.models import Override, Schedule
from escalation.shifts import Shift
from tenants import roles
from tenants.admin_base import may, membership_of
from tenants.models import Member

MOST_GAPS = 3


class AtForm(forms.Form):
    """The moment somebody asks about, by the clock of the page."""

    at = WallClockField(required=False)


class CalendarPages:
    """Mix in: the pages `<id>/calendar/` and what is posted there."""

    opts: Any
    admin_site: Any

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path(
                "<path:object_id>/calendar/",
                wrap(require_http_methods(["GET", "POST"])(self.calendar_view)),
                name="escalation_schedule_calendar",
            ),
            path(
                "<path:object_id>/calendar/<uuid:override>/remove/",
                wrap(require_POST(self.remove_override)),
                name="escalation_schedule_remove_override",
            ),
        ]
        return own + super().get_urls()  # type: ignore[misc, no-any-return]

    def _schedule(self, request: HttpRequest, object_id: str) -> Schedule:
        found = self.get_object(  # type: ignore[attr-defined]
            request, unquote(object_id)
        )
        if found is None:
            raise Http404
        schedule: Schedule = found
        return schedule

    def calendar_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the calendar; a posted form is an override."""
        schedule, now = self._schedule(request, object_id), database_time()
        membership = membership_of(request)
        asked = page.asked_of(request, schedule, membership, now)
        form: OverrideForm | None = None
        if may(request, roles.CONFIGURE):
            form = override_form(request, schedule, asked)
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            if form.is_valid():
                row = form.instance
                before = overriding.on_call_in(row)
                overriding.put(row, actor=membership.actor)
                self.say(request, _("The override is saved."))  # type: ignore[attr-defined]
                for words in doubts(row, before, asked.period):
                    self.say(request, words, good=False)  # type: ignore[attr-defined]
                return HttpResponseRedirect(asked.query())
        context = (
            self.admin_site.each_context(request)
            | page.context(schedule, asked, now)
            | {
                "title": schedule.name,
                "opts": self.opts,
                "form": form,
                "overrides": overrides(schedule, asked),
                **who(request, schedule, asked, now),
            }
        )
        return TemplateResponse(request, "admin/alertcenter/calendar.html", context)

    def remove_override(
        self, request: HttpRequest, object_id: str, override: UUID
    ) -> HttpResponse:
        """Take an override back."""
        schedule = self._schedule(request, object_id)
        membership = membership_of(request)
        row = Override.objects.filter(
            tenant_id=membership.tenant_id, schedule=schedule, pk=override
        ).first()
        if row is None:
            raise Http404
        membership.require(roles.CONFIGURE)
        overriding.remove(row, actor=membership.actor)
        self.say(request, _("The override is gone."))  # type: ignore[attr-defined]
        asked = page.asked_of(request, schedule, membership, database_time())
        return HttpResponseRedirect(f"../../{asked.query()}")


def override_form(
    request: HttpRequest, schedule: Schedule, asked: Asked
) -> OverrideForm:
    """Return the form of a new override, whose times are by the page's clock."""
    bound = type(
        "BoundForm",
        (OverrideForm,),
        {"membership": membership_of(request), "shown_in": asked.period.zone},
    )
    row = Override(schedule=schedule, tenant_id=schedule.tenant_id)
    given = request.POST if request.method == "POST" else None
    form: OverrideForm = bound(given, instance=row)
    return form


def doubts(row: Override, before: Sequence[Shift] | None, period: Period) -> list[str]:
    """Say what somebody who wrote this override may not have meant."""
    after = overriding.on_call_in(row)
    if before is None or after is None:
        return []
    if before == after:
        return [_("It changes nothing: who is on call stays the same.")]
    return gap_words(overriding.new_gaps(row, before, after), period)


def gap_words(gaps: Sequence[Span], period: Period) -> list[str]:
    """Say which gaps a change leaves."""
    return [
        _("This leaves a gap, nobody is on call: %(when)s.")
        % {"when": stretch(period, gap)}
        for gap in gaps[:MOST_GAPS]
    ]


def overrides(schedule: Schedule, asked: Asked) -> list[dict[str, Any]]:
    """Return the period's overrides in words."""
    begin, end = asked.period.within
    rows = Override.objects.filter(
        tenant_id=schedule.tenant_id,
        schedule=schedule,
        starts_at__lt=end,
        ends_at__gt=begin,
    )
    members = Member.objects.filter(tenant_id=schedule.tenant_id)
    people = People.of({member.pk: member for member in members})
    return [
        {
            "id": row.pk,
            "what": override_words(people, row),
            "when": stretch(asked.period, Span(row.starts_at, row.ends_at)),
            "note": row.note,
        }
        for row in rows
    ]


def who(
    request: HttpRequest, schedule: Schedule, asked: Asked, now: datetime
) -> dict[str, Any]:
    """Return the answer to "who at <time>?" (?at=), or for now."""
    zone = asked.period.zone
    form = AtForm(request.GET)
    if not form.is_valid():
        return {"at_form": form, "answers": []}
    given = form.cleaned_data["at"]
    if not given:
        local = now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
        names = page.who_at(schedule, now)
        answers = [{"words": _("now"), "names": names}]
        return {"at_form": AtForm(initial={"at": local}), "answers": answers}
    return {"at_form": form, "answers": page.answers(schedule, given, zone)}
