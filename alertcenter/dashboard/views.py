"""Which page answers which request?"""

from __future__ import annotations

import base64
import json
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alertcenter.alerts.silence_presets import LASTING
from alertcenter.common.crypto import SealBroken
from alertcenter.dashboard import acts, push, queries, setup, silencing, stories
from alertcenter.dashboard import explained as explaining
from alertcenter.dashboard.build import build_hash
from alertcenter.dashboard.pages import last_tenant, page, remember, tenant_page
from escalation import oncall
from escalation.explain import stored
from tenants import apikeys, keyring, roles
from tenants.access import Membership, membership
from tenants.logins import Patience

LARGEST_BODY = 64 * 1024
FIRST_KEY = "dashboard"


class Login(auth_views.LoginView):
    """The product's own door; the admin has another one for its staff."""

    template_name = "dashboard/login.html"
    authentication_form = Patience
    redirect_authenticated_user = True
    extra_context = {"build": build_hash(), "languages": settings.LANGUAGES}


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the person's last tenant, or say what to do without one."""
    who = last_tenant(request)
    if who is not None:
        return redirect("dashboard", slug=who.slug)
    return page(request, "dashboard/nowhere.html", None)


@require_GET
@never_cache
@tenant_page
def dashboard(request: HttpRequest, who: Membership) -> HttpResponse:
    """The live list."""
    items = setup.checklist(who.tenant_id)
    finished = sum(item.done for item in items)
    fresh_key = unwrapped(who, request.session.pop("fresh_key", ""))
    return page(
        request,
        "dashboard/index.html",
        who,
        on_call=oncall.everyone_on_call(who.tenant_id, timezone.now()),
        checklist=items,
        finished=finished,
        unfinished=finished < len(items),
        snippets=setup.snippets(who.slug, fresh_key or "YOUR_KEY"),
        fresh_key=fresh_key,
        heartbeats=queries.heartbeats(who.tenant_id),
        storms=queries.storms(who.tenant_id),
        lasting=LASTING,
        push=push.button(who),
        here="dashboard",
    )


@require_GET
@never_cache
@tenant_page
def group(request: HttpRequest, who: Membership, number: int) -> HttpResponse:
    """One group's story."""
    found = stories.story(who.tenant_id, number)
    (row,) = queries.group_rows(who.tenant_id, [found.group.pk])
    why = explaining.explained(stored.of_group(found.group), request, who)
    return page(
        request,
        "dashboard/group.html",
        who,
        story=found,
        row=row,
        why=why,
        silenced_by=silencing.of_group(found.group),
        lasting=LASTING,
    )


@require_GET
@never_cache
@tenant_page
def why(request: HttpRequest, who: Membership, number: int) -> HttpResponse:
    """Why somebody was told of this group, or why not: every decision."""
    group, trace = explaining.of_number(who.tenant_id, number)
    shown = explaining.explained(trace, request, who)
    return page(request, "dashboard/why.html", who, group=group, why=shown)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@tenant_page
def explain(request: HttpRequest, who: Membership) -> HttpResponse:
    """Who would be told of a pasted alert; with `?alert=` why of a stored one.
    Changes nothing."""
    given = request.POST or request.GET or None
    form = explaining.ExplainForm(given, who=who)
    shown = None
    if given and form.is_valid():
        try:
            shown = explaining.explained(form.trace(), request, who)
        except ValidationError as error:
            form.add_error("at", error)
    return page(
        request, "dashboard/explain.html", who, form=form, why=shown, here="explain"
    )


@require_GET
@never_cache
@tenant_page
def more(request: HttpRequest, who: Membership) -> HttpResponse:
    """The open groups that follow a snapshot."""
    try:
        rows, after = queries.more_groups(who.tenant_id, request.GET.get("after", ""))
    except ValueError:
        return HttpResponseBadRequest()
    return JsonResponse({"groups": rows, "more": after})


@require_GET
@never_cache
@tenant_page
def pulse(_request: HttpRequest, who: Membership) -> HttpResponse:
    """Whether the person still may look; asked when no socket can be opened."""
    return JsonResponse({"build": build_hash(), "seq": queries.head(who.tenant_id)})


@require_POST
@login_required
def act(request: HttpRequest, slug: str) -> HttpResponse:
    """Do what a click asks while the socket is down."""
    who = membership(request.user.pk, slug)
    if len(request.body) > LARGEST_BODY:
        return JsonResponse({"error": "too_big"}, status=413)
    try:
        wanted: Any = json.loads(request.body)
        if not isinstance(wanted, dict):
            raise acts.BadAct("body")
        return JsonResponse({"results": acts.perform(who, wanted)})
    except acts.BadAct as error:
        status = 403 if error.code == "forbidden" else 400
        return JsonResponse({"error": error.code}, status=status)
    except (ValueError, RecursionError):
        return JsonResponse({"error": "body"}, status=400)


@require_POST
@tenant_page
def first_key(request: HttpRequest, who: Membership) -> HttpResponse:
    """Make a key for the examples, shown once on the next page."""
    who.require(roles.ADMINISTER)
    scopes = ["ingest", "read"]
    _row, plaintext = apikeys.mint(who.tenant_id, FIRST_KEY, scopes, actor=who.actor)
    request.session["fresh_key"] = wrapped(who, plaintext)
    return redirect("dashboard", slug=who.slug)


# Sessions lie in the database: until the next page shows it, the key is sealed there.


def wrapped(who: Membership, plaintext: str) -> str:
    """Return the key as the session may hold it."""
    sealed = keyring.seal(who.tenant_id, plaintext, _place(who))
    return base64.b64encode(sealed).decode()


def unwrapped(who: Membership, held: str) -> str:
    """Return the key; "" when there is none, or it is another tenant's."""
    if not held:
        return ""
    try:
        return keyring.unseal(who.tenant_id, base64.b64decode(held), _place(who))
    except SealBroken:
        return ""


def _place(who: Membership) -> bytes:
    return keyring.place_of(who.tenant_id, "session", "fresh_key", who.label)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        request.session["language"] = chosen
    return HttpResponseRedirect(_back(request))


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Go to another of the person's tenants."""
    who = membership(request.user.pk, request.POST.get("tenant", ""))
    remember(request, who)
    return redirect("dashboard", slug=who.slug)


def _back(request: HttpRequest) -> str:
    """Return where the person came from, if that is one of our pages."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}):
        return target
    return "/"
