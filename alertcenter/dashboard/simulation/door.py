"""Is this an installation that simulates? Else none of these pages exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from alertcenter.dashboard.pages import last_tenant, remember
from tenants.access import membership

View = Callable[..., HttpResponse]


def simulated(view: View) -> View:
    """Answer 404 unless the installation simulates its channels."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.SIMULATION:
            raise Http404
        return view(request, *args, **kwargs)

    return inner


def outbox_page(view: View) -> View:
    """Call `view(request, membership, ...)` for the tenant chosen on the dashboard.

    `?tenant=<slug>` chooses another one. No transaction is opened: some of these
    views wait for the network.
    """

    @wraps(view)
    def inner(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        slug = request.GET.get("tenant")
        who = membership(request.user.pk, slug) if slug else last_tenant(request)
        if who is None:
            raise Http404
        remember(request, who)
        return view(request, who, **kwargs)

    return simulated(login_required(inner))
