"""What stands in the admin's header: tenant, language, the way to the dashboard?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tenants import audit
from tenants.access import Membership, memberships
from tenants.rls import tenant_context


def header_context(request: HttpRequest) -> dict[str, Any]:
    """Return what base_site.html shows on every page."""
    membership: Membership | None = getattr(request, "membership", None)
    mine = getattr(request, "_memberships", []) if membership else []
    return {
        "membership": membership,
        "my_tenants": mine,
        "dashboard_url": f"/t/{membership.slug}/" if membership else "/",
        "interface_languages": settings.LANGUAGES,
        "simulation": settings.SIMULATION,
        "outbox_url": "/outbox/",
    }


@require_POST
def switch_tenant(request: HttpRequest) -> HttpResponse:
    """Work in another of the person's tenants. Operators' visits are audited."""
    wanted = request.POST.get("tenant", "")
    for item in memberships(request.user.pk):
        if str(item.tenant_id) == wanted:
            enter(request, item)
            return HttpResponseRedirect(reverse("admin:index"))
    raise Http404


def enter(request: HttpRequest, membership: Membership) -> None:
    """Make `membership` the session's current tenant."""
    request.session["tenant_id"] = str(membership.tenant_id)
    if not request.user.is_superuser:
        return
    with tenant_context(membership.tenant_id):
        audit.record(
            membership.tenant_id,
            membership.actor,
            "tenant.enter",
            kind="tenant",
            object_id=membership.tenant_id,
        )


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on; anybody may ask, logged in or not."""
    wanted = request.POST.get("language", "")
    if wanted in dict(settings.LANGUAGES):
        request.session["language"] = wanted
    return HttpResponseRedirect(safe_return(request))


def safe_return(request: HttpRequest) -> str:
    """Return where the person came from, if that is on this site."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else reverse("admin:index")
