"""Which page of silences answers which request?"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
)
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from alertcenter.alerts.silence_presets import LASTING, MOST_GROUPS
from alertcenter.alerts.silences import SilenceError
from alertcenter.dashboard import silencing
from alertcenter.dashboard.pages import page, tenant_page
from tenants.access import Membership


@require_GET
@never_cache
@tenant_page
def silences(request: HttpRequest, who: Membership) -> HttpResponse:
    """What is quiet now, or will be."""
    rows, more = silencing.listed(who.tenant_id)
    return page(
        request,
        "dashboard/silences.html",
        who,
        silences=rows,
        more=more,
        longer=silencing.LONGER,
        lasting=LASTING,
        now=timezone.now(),
        here="silences",
    )


@require_GET
@never_cache
@tenant_page
def proposal(request: HttpRequest, who: Membership) -> HttpResponse:
    """Conditions for the dialog, from the alerts of one group or of several."""
    try:
        numbers = [int(text) for text in request.GET.getlist("group")]
    except ValueError:
        return HttpResponseBadRequest()
    if not 0 < len(numbers) <= MOST_GROUPS:
        return HttpResponseBadRequest()
    if not all(0 < number < 2**63 for number in numbers):
        return HttpResponseBadRequest()
    return JsonResponse(silencing.proposal(who.tenant_id, numbers))


@require_POST
@tenant_page
def preview(request: HttpRequest, who: Membership) -> HttpResponse:
    """What the dialog's silence would mute."""
    try:
        return JsonResponse(silencing.previewed(who, request.POST))
    except SilenceError as error:
        return JsonResponse({"sentence": error.message, "alarming": True})


@require_POST
@tenant_page
def create(request: HttpRequest, who: Membership) -> HttpResponse:
    """Keep the dialog's silence."""
    told = silencing.silence(who, request.POST)
    return JsonResponse(told, status=400 if "error" in told else 201)


@require_POST
@tenant_page
def expire(request: HttpRequest, who: Membership, pk: UUID) -> HttpResponse:
    """End one."""
    silencing.expire(who, pk)
    messages.success(request, _("It is over: what still fires is told again."))
    return redirect("silences", slug=who.slug)


@require_POST
@tenant_page
def extend(request: HttpRequest, who: Membership, pk: UUID) -> HttpResponse:
    """Let one hold longer."""
    told = silencing.extend(who, pk, request.POST.get("longer", ""))
    messages.info(request, told)
    return redirect("silences", slug=who.slug)
