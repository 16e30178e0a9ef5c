"""How does a member let this browser notify him? A button, and the worker behind it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from alertcenter.dashboard.build import STATIC
from alertcenter.dashboard.pages import tenant_page
from notifications import push_keys, subscribing
from tenants.access import Membership
from tenants.models import Member

LARGEST_BODY = 8 * 1024
WORKER = "push-worker.js"


def button(who: Membership) -> dict[str, str] | None:
    """Return what the button needs; None for operators, who are told of nothing."""
    if who.member_id is None:
        return None
    known = subscribing.known(who.tenant_id, who.member_id)
    return {"key": push_keys.public_key(), "known": " ".join(known)}


@require_POST
@tenant_page
def subscription(request: HttpRequest, who: Membership) -> HttpResponse:
    """Keep or forget this browser: {"subscription": {...}} or {"forget": endpoint}."""
    if who.member_id is None:
        raise PermissionDenied
    if len(request.body) > LARGEST_BODY:
        return JsonResponse({"error": "too_big"}, status=413)
    try:
        wanted: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict):
        return JsonResponse({"error": "body"}, status=400)
    member = Member.objects.get(tenant_id=who.tenant_id, pk=who.member_id)
    if endpoint := wanted.get("forget"):
        known = subscribing.unsubscribe(member, str(endpoint), actor=who.actor)
        return JsonResponse({"known": known})
    try:
        row = subscribing.subscribe(
            member,
            wanted.get("subscription"),
            agent=request.headers.get("User-Agent", ""),
            actor=who.actor,
        )
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=400)
    return JsonResponse({"digest": row.digest}, status=201)


@require_GET
def worker(_request: HttpRequest) -> HttpResponse:
    """The service worker, from the root: so all of the site is in its scope."""
    answer = HttpResponse(_source(), content_type="text/javascript; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@lru_cache(maxsize=1)
def _source() -> bytes:
    return (STATIC / WORKER).read_bytes()
