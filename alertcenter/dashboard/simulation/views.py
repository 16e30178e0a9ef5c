"""Which pages show the simulation?"""

from __future__ import annotations

from typing import Any

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
)
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from alertcenter.dashboard.pages import page
from alertcenter.dashboard.simulation import cards, press, storms
from alertcenter.dashboard.simulation.door import outbox_page
from alertcenter.dashboard.simulation.scenarios import BY_SLUG, SCENARIOS
from alertcenter.dashboard.words import outbox_words
from notifications.models import Channel, Contact, SimulatedMessage
from tenants import roles
from tenants.access import Membership
from tenants.rls import in_tenant

# A mail is a stranger's document: no script, no form, nothing from anywhere. Its
# links open a page of their own, as in a mailbox.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
)


@require_GET
@never_cache
@outbox_page
def outbox(request: HttpRequest, who: Membership) -> HttpResponse:
    """The page of cards and mails."""
    with in_tenant(who.tenant_id):
        return page(
            request,
            "dashboard/outbox.html",
            who,
            people=_people(who),
            scenarios=SCENARIOS,
            speeds=storms.SPEEDS,
            texts=outbox_words(),
            here="outbox",
        )


@require_GET
@never_cache
@outbox_page
def messages(request: HttpRequest, who: Membership) -> HttpResponse:
    """All cards, or 204 when nothing changed since `?version=`."""
    with in_tenant(who.tenant_id):
        version = cards.version(who.tenant_id)
        if request.GET.get("version") == version:
            return HttpResponse(status=204)
        return JsonResponse({"version": version, "cards": cards.cards(who.tenant_id)})


@require_GET
@never_cache
@xframe_options_sameorigin
@outbox_page
def mail(_request: HttpRequest, who: Membership, number: int) -> HttpResponse:
    """One mail's HTML, locked into its frame."""
    with in_tenant(who.tenant_id):
        row = SimulatedMessage.objects.filter(
            tenant_id=who.tenant_id, pk=number, kind="email"
        ).first()
    if row is None:
        raise Http404
    response = HttpResponse(str(row.payload.get("html", "")))
    response["Content-Security-Policy"] = MAIL_POLICY
    return response


@require_POST
@outbox_page
def press_button(request: HttpRequest, who: Membership) -> HttpResponse:
    """Send the callback that Slack would send, as the chosen Slack user."""
    who.require(roles.ACT)
    given = request.POST
    number = given.get("message", "")
    user_id = given.get("user", "")
    if not number.isascii() or not number.isdigit() or "\0" in user_id:
        return HttpResponseBadRequest()
    pressed = press.Press(
        int(number),
        given.get("action_id", ""),
        given.get("block_id", ""),
        given.get("value", ""),
        user_id,
        _name_of(who, user_id),
    )
    try:
        status, answer = press.press(who.tenant_id, pressed)
    except (SimulatedMessage.DoesNotExist, Channel.DoesNotExist):
        raise Http404 from None
    return JsonResponse({"status": status, "answer": answer})


@require_GET
@never_cache
@outbox_page
def storm(_request: HttpRequest, who: Membership) -> HttpResponse:
    """How far the storm is."""
    return JsonResponse({"storm": _status(who)})


@require_POST
@outbox_page
def start_storm(request: HttpRequest, who: Membership) -> HttpResponse:
    """Let it begin."""
    who.require(roles.ACT)
    scenario = BY_SLUG.get(request.POST.get("scenario", ""))
    speed = request.POST.get("speed", "1")
    if scenario is None or speed not in map(str, storms.SPEEDS):
        return HttpResponseBadRequest()
    try:
        storms.start(who, scenario, int(speed))
    except storms.Busy:
        return JsonResponse({"storm": _status(who), "error": "busy"}, status=409)
    return JsonResponse({"storm": _status(who)})


@require_POST
@outbox_page
def stop_storm(_request: HttpRequest, who: Membership) -> HttpResponse:
    """Let it end."""
    who.require(roles.ACT)
    storms.stop(who.tenant_id)
    return JsonResponse({"storm": _status(who)})


def _status(who: Membership) -> dict[str, Any] | None:
    found = storms.current(who.tenant_id)
    if found is None:
        return None
    with in_tenant(who.tenant_id):
        return storms.status(found)


def _people(who: Membership) -> list[Contact]:
    """Return the Slack users a press may come from."""
    rows = Contact.objects.filter(
        tenant_id=who.tenant_id, kind="slack", member__active=True
    )
    return list(rows.select_related("member").order_by("member__name"))


def _name_of(who: Membership, user_id: str) -> str:
    with in_tenant(who.tenant_id):
        row = (
            Contact.objects.filter(
                tenant_id=who.tenant_id, kind="slack", address=user_id
            )
            .select_related("member")
            .first()
        )
        return row.member.name if row else user_id
