"""What is mine: shifts, swaps, absences, hours. For every member, on a phone.

Who has no way into the settings does here what concerns himself. Swaps and absences
are written by the same functions as over the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from alertcenter.alerts.lifecycle import database_time
from alertcenter.common.clocks import as_utc
from alertcenter.dashboard.pages import last_tenant, page, tenant_page
from escalation import (
    calendar_words,
    hours,
    hours_field,
    layer_rows,
    oncall,
    presence,
    rota,
    swapping,
)
from escalation.hours import Span
from escalation.models import Absence, Availability, Schedule, Swap
from escalation.swapping import SwapError
from tenants.access import Membership

AHEAD = timedelta(days=30)
LONGEST_LISTED = timedelta(days=366)
MOST_SHIFTS, MOST_ROWS = 100, 50
CLOCK = "%Y-%m-%dT%H:%M"
View = Callable[..., HttpResponse]


def own_page(view: View) -> View:
    """Call `view(request, membership, ...)` for members; operators are nobody here."""

    @wraps(view)
    def inner(request: HttpRequest, who: Membership, **kwargs: Any) -> HttpResponse:
        own(who)
        return view(request, who, **kwargs)

    return tenant_page(inner)


def own(who: Membership) -> UUID:
    """Return the member's id. Raises Http404."""
    if who.member_id is None:
        raise Http404
    return who.member_id


def deed(view: View) -> View:
    """Do it, say what was wrong with it, and lead back."""

    @wraps(view)
    def inner(request: HttpRequest, who: Membership, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                said = view(request, who, **kwargs)
            messages.success(request, str(said))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        return redirect("me", slug=who.slug)

    return require_POST(own_page(inner))


@require_GET
@login_required
def lead(request: HttpRequest) -> HttpResponse:
    """Lead from /me/, which is easy to remember, to the tenant of last time."""
    who = last_tenant(request)
    return redirect("me", slug=who.slug) if who else redirect("home")


@require_GET
@never_cache
@own_page
def show(request: HttpRequest, who: Membership) -> HttpResponse:
    """The page."""
    now = database_time()
    zone = layer_rows.zone_or_utc(who.time_zone)
    away = absences(who, now)
    swaps = open_swaps(who, now)
    found, whole = shifts(who, Span(now, now + AHEAD), away, swaps)
    return page(
        request,
        "dashboard/me.html",
        who,
        here="me",
        zone=zone,
        now=now,
        orders=oncall.everyone_on_call(who.tenant_id, now),
        shifts=found[:MOST_SHIFTS],
        more_shifts=max(0, len(found) - MOST_SHIFTS),
        too_much="" if whole else calendar_words.too_much(),
        on_call_now=[one for one in found if one["now"]],
        asked=[one for one in swaps if one.beneficiary_id == who.member_id],
        taken=[one for one in swaps if one.benefactor_id == who.member_id],
        offers=[
            one
            for one in swaps
            if one.benefactor_id is None and one.beneficiary_id != who.member_id
        ],
        absences=away,
        hours=hour_rows(who),
    )


def shifts(
    who: Membership, within: Span, away: list[Absence], swaps: list[Swap]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the member's shifts in order, and whether all schedules were reckoned."""
    loaded = oncall.load(who.tenant_id, None, within)
    rotas = {pk: r for pk, r in loaded.items() if who.member_id in rota.people_of(r)}
    names = Schedule.objects.filter(tenant_id=who.tenant_id).in_bulk(list(rotas))
    zone = layer_rows.zone_or_utc(who.time_zone)
    budget = rota.Budget()
    fitting = {pk: r for pk, r in rotas.items() if budget.takes(r, within)}
    found: list[dict[str, Any]] = []
    for pk, one in fitting.items():
        mine = [s for s in rota.final(one, within) if who.member_id in s.people]
        for span in hours.joined(Span(s.starts_at, s.ends_at) for s in mine):
            asked = [
                swap
                for swap in swaps
                if swap.schedule_id == pk
                and swap.beneficiary_id == who.member_id
                and not swap.benefactor_id
                and meets(swap, span)
            ]
            found.append(
                {
                    "schedule": names[pk],
                    "starts_at": span.starts_at,
                    "ends_at": span.ends_at,
                    "now": span.starts_at <= within.starts_at,
                    "goes_on": span.ends_at >= within.ends_at,
                    "away": any(meets(absence, span) for absence in away),
                    "asked": bool(asked),
                    "from": local(span.starts_at, zone),
                    "until": local(span.ends_at, zone),
                }
            )
    found.sort(key=lambda s: (s["starts_at"], s["schedule"].name))
    return found, len(fitting) == len(rotas)


def meets(one: Absence | Swap, span: Span) -> bool:
    return one.starts_at < span.ends_at and one.ends_at > span.starts_at


def local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime(CLOCK)


def open_swaps(who: Membership, now: datetime) -> list[Swap]:
    """Return what is asked for, and what concerns the member."""
    rows = Swap.objects.filter(tenant_id=who.tenant_id, ends_at__gt=now).filter(
        Q(benefactor=None) | Q(benefactor_id=own(who)) | Q(beneficiary_id=own(who))
    )
    named = rows.select_related("schedule", "beneficiary", "benefactor")
    return list(named.order_by("starts_at", "id")[:MOST_ROWS])


def absences(who: Membership, now: datetime) -> list[Absence]:
    rows = Absence.objects.filter(
        tenant_id=who.tenant_id,
        member_id=own(who),
        ends_at__gt=now,
        starts_at__lt=now + LONGEST_LISTED,
    )
    return list(rows.order_by("starts_at", "id")[:MOST_ROWS])


def hour_rows(who: Membership) -> list[dict[str, Any]]:
    """Return the rows of the form: the member's hours, and an empty one."""
    row = Availability.objects.filter(
        tenant_id=who.tenant_id, member_id=own(who)
    ).first()
    given = row.hours if row and isinstance(row.hours, list) else []
    workdays = {"days": list(hours.DAY_NAMES[:5]), "begins": "", "ends": ""}
    return [
        hours_field.shown("hours", number, one)
        for number, one in enumerate([*given, workdays][: hours_field.MOST_ROWS])
    ]


# --- what a member does here ---


@deed
def ask(request: HttpRequest, who: Membership) -> Any:
    """Ask for somebody to take shifts."""
    schedule = one_of(Schedule, who, request.POST.get("schedule", ""))
    swap = Swap(
        tenant_id=who.tenant_id,
        schedule=schedule,
        beneficiary_id=own(who),
        **stretch(request.POST, who),
    )
    swap.full_clean(exclude=["tenant"])
    if swap.ends_at <= database_time():
        raise ValidationError(_("That is over."))
    swapping.ask(swap, by=who)
    return _("You are on call until somebody takes it.")


@deed
def answer(request: HttpRequest, who: Membership, swap: UUID, action: str) -> Any:
    """Take a swap, give it back, or take one's own request back."""
    row = one_of(Swap, who, str(swap))
    if action == "take":
        return take(row, who)
    if action == "give-back" and row.benefactor_id == who.member_id:
        swapping.give_back(row, by=who)
        return _("It is asked for again; until somebody takes it, it is not yours.")
    if action == "remove" and row.beneficiary_id == who.member_id:
        swapping.remove(row, by=who)
        return _("The request is taken back.")
    raise Http404


def take(row: Swap, who: Membership) -> str:
    try:
        swapping.take(row, own(who), by=who)
    except SwapError as error:
        said = {
            "own": _("These are the member's own shifts."),
            "taken": _("Somebody has taken them."),
        }
        raise ValidationError(said[error.code]) from error
    return _("You are on call then: it is yours now.")


@deed
def add_absence(request: HttpRequest, who: Membership) -> Any:
    absence = Absence(
        tenant_id=who.tenant_id,
        member_id=own(who),
        **stretch(request.POST, who),
    )
    absence.full_clean(exclude=["tenant"])
    presence.add(absence, actor=who.actor)
    return _("Your absence is noted.")


@deed
def remove_absence(request: HttpRequest, who: Membership, absence: UUID) -> Any:
    row = one_of(Absence, who, str(absence))
    if row.member_id != who.member_id:
        raise Http404
    presence.remove(row, actor=who.actor)
    return _("Your absence is removed.")


@deed
def set_hours(request: HttpRequest, who: Membership) -> Any:
    rows = hours_field.HoursWidget().value_from_datadict(request.POST, None, "hours")
    found = hours_field.HoursField(required=False).clean(rows)
    presence.work(who.tenant_id, own(who), found, actor=who.actor)
    return _("Your hours are saved.")


def one_of(model: Any, who: Membership, text: str) -> Any:
    """Return a row of the tenant. Raises Http404."""
    try:
        pk = UUID(text)
    except ValueError as error:
        raise Http404 from error
    row = model.objects.filter(tenant_id=who.tenant_id, pk=pk).first()
    if row is None:
        raise Http404
    return row


def stretch(given: Mapping[str, str], who: Membership) -> dict[str, Any]:
    """Return from when until when, by the member's clock. Raises ValidationError."""
    zone = layer_rows.zone_or_utc(who.time_zone)
    return {
        "starts_at": moment(given.get("starts_at", ""), zone, last=False),
        "ends_at": moment(given.get("ends_at", ""), zone, last=True),
        "note": given.get("note", "").replace("\0", "")[:200],
    }


def moment(text: str, zone: ZoneInfo, *, last: bool) -> datetime:
    try:
        found = datetime.strptime(text[: len("2026-01-01T00:00")], CLOCK)  # noqa: DTZ007
        return as_utc(found, zone, last=last)
    except (ValueError, OverflowError) as error:
        raise ValidationError(_("Enter a date and a time.")) from error
