"""What do all pages have in common? A member, a context, a header."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from alertcenter.dashboard.build import build_hash
from alertcenter.dashboard.words import words
from tenants import roles
from tenants.access import Membership, membership, memberships
from tenants.rls import in_tenant
from tenants.site_header import enter

View = Callable[..., HttpResponse]
# The admin keeps the chosen tenant under the same name.
TENANT_KEY = "tenant_id"


def tenant_page(view: View) -> View:
    """Call `view(request, membership, ...)` inside the tenant of the URL's slug.

    Strangers are led to the login; members of other tenants get 404.
    """

    @wraps(view)
    def inner(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponse:
        who = membership(request.user.pk, slug)
        remember(request, who)
        with in_tenant(who.tenant_id):
            return view(request, who, **kwargs)

    return login_required(inner)


def remember(request: HttpRequest, who: Membership) -> None:
    """Keep the tenant as the one to come back to, and the member's language.

    An operator who comes in from elsewhere is put on record, as by the admin's switch.
    """
    if request.session.get(TENANT_KEY) != str(who.tenant_id):
        with transaction.atomic():
            enter(request, who)
    languages = dict(settings.LANGUAGES)
    if "language" not in request.session and who.language in languages:
        request.session["language"] = who.language
        translation.activate(who.language)
        request.LANGUAGE_CODE = who.language


def last_tenant(request: HttpRequest) -> Membership | None:
    """Return the tenant the person was in last, else the first one, else None."""
    mine = memberships(request.user.pk)
    chosen = request.session.get(TENANT_KEY)
    remembered = [item for item in mine if str(item.tenant_id) == chosen]
    return next(iter(remembered + mine), None)


def page(
    request: HttpRequest, template: str, who: Membership | None, **context: Any
) -> HttpResponse:
    """Render a page with the header that all share."""
    shared: dict[str, Any] = {
        "who": who,
        "mine": memberships(request.user.pk),
        "languages": settings.LANGUAGES,
        "build": build_hash(),
        "may_act": bool(who and who.may(roles.ACT)),
        "may_configure": bool(who and who.may(roles.CONFIGURE)),
    }
    if who is not None:
        shared["config"] = config(request, who)
    return render(request, template, shared | context)


def config(request: HttpRequest, who: Membership) -> dict[str, Any]:
    """Return what the browser's module needs to know."""
    return {
        "slug": who.slug,
        "build": build_hash(),
        "language": translation.get_language() or "en",
        "zone": who.time_zone,
        "me": who.label,
        "mayAct": who.may(roles.ACT),
        "wall": request.GET.get("wall") == "1",
        "words": words(),
    }
