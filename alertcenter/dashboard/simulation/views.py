"""Which pages show the simulation?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
)
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from alertcenter.dashboard.pages import page
from alertcenter.dashboard.simulation import cards, forms, phone, press, storms
from alertcenter.dashboard.simulation.door import outbox_page
from alertcenter.dashboard.simulation.scenarios import BY_SLUG, SCENARIOS
from alertcenter.dashboard.words import outbox_words
from notifications.models import Channel, Contact, SimulatedMessage
from tenants import roles
from tenants.access import Membership
from tenants.rls import in_tenant

OK, SHOWN_ANSWER, MOST_TYPED = 200, 4_000, 160

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
    kind = given.get("type") or "button"
    if kind != "button" and kind not in cards.MENUS:
        return HttpResponseBadRequest()
    pressed = press.Press(
        int(number),
        given.get("action_id", ""),
        given.get("block_id", ""),
        given.get("value", ""),
        user_id,
        _name_of(who, user_id),
        kind,
    )
    try:
        done = press.press(who.tenant_id, pressed)
    except (SimulatedMessage.DoesNotExist, Channel.DoesNotExist):
        raise Http404 from None
    form = reverse("outbox-form", args=[done.form]) if done.form else ""
    shown = {"status": done.status, "answer": done.answer[:SHOWN_ANSWER], "form": form}
    return JsonResponse(shown)


@require_POST
@outbox_page
def answer_phone(request: HttpRequest, who: Membership) -> HttpResponse:
    """Send the callback that Twilio would send for an answer or a key."""
    who.require(roles.ACT)
    number, typed = request.POST.get("message", ""), request.POST.get("value", "")
    if not number.isascii() or not number.isdigit() or "\0" in typed:
        return HttpResponseBadRequest()
    try:
        status, said = phone.answer(who.tenant_id, int(number), typed[:MOST_TYPED])
    except (SimulatedMessage.DoesNotExist, Channel.DoesNotExist):
        raise Http404 from None
    return JsonResponse({"status": status, "answer": said[:SHOWN_ANSWER]})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@outbox_page
def form(request: HttpRequest, who: Membership, number: int) -> HttpResponse:
    """A form of Slack's, and what is filled into it."""
    with in_tenant(who.tenant_id):
        row = forms.form_of(who.tenant_id, number)
    if row is None:
        raise Http404
    if request.method != "POST":
        return _form_page(request, who, row)
    who.require(roles.ACT)
    given = {name: str(text).replace("\0", "") for name, text in request.POST.items()}
    redraw = "redraw" in given
    try:
        status, answer = press.fill(who.tenant_id, row, given, redraw=redraw)
    except Channel.DoesNotExist:
        raise Http404 from None
    view, errors = forms.answered(answer)
    refused = "" if status == OK else f"{status} {answer[:SHOWN_ANSWER]}"
    with in_tenant(who.tenant_id):
        if view is not None:
            forms.show(row, view)
        row.refresh_from_db()
    if redraw or errors or refused or view:
        return _form_page(request, who, row, given, errors, refused)
    return redirect("outbox")


def _form_page(
    request: HttpRequest,
    who: Membership,
    row: SimulatedMessage,
    given: Mapping[str, str] = MappingProxyType({}),
    errors: Mapping[str, str] = MappingProxyType({}),
    refused: str = "",
) -> HttpResponse:
    view = row.payload["view"]
    with in_tenant(who.tenant_id):
        people = [(one.address, one.member.name) for one in _people(who)]
        return page(
            request,
            "dashboard/outbox_form.html",
            who,
            title=forms.words(view.get("title")),
            submit=forms.words(view.get("submit")),
            close=forms.words(view.get("close")) or _("Close"),
            fields=forms.fields(view, given, errors, people),
            refused=refused,
            here="outbox",
        )


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
