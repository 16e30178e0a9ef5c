"""How does the admin work inside one tenant?

Every view runs in one transaction with the context of ONE current tenant: the one
chosen in the header, checked against the person's memberships on each request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants import access
from tenants.logins import AdminPatience
from tenants.rls import tenant_context
from tenants.site_header import choose_language, header_context, switch_tenant
from tenants.site_index import FirstStep, KeyNumber, index_context, sections

View = Callable[..., HttpResponseBase]


class AlertCenterAdminSite(admin.AdminSite):
    """Django's admin site, opened for one tenant at a time.

    Rooms add their `numbers` and `steps` to the first page, and `pages` of their own
    that belong to no single model, from their admin.py.
    """

    site_title = _("AlertCenter")
    site_header = _("AlertCenter")
    index_title = _("Overview")
    index_template = "admin/alertcenter/index.html"
    login_template = "admin/alertcenter/login.html"
    login_form = AdminPatience

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.numbers: list[KeyNumber] = []
        self.steps: list[FirstStep] = []
        self.pages: list[URLPattern] = []

    # --- who may come in, and where he stands ---

    def has_permission(self, request: HttpRequest) -> bool:
        """Active members of any tenant, and platform operators."""
        user = request.user
        if not user.is_active:
            return False
        return bool(user.is_superuser or (user.is_staff and memberships_of(request)))

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Open the current tenant around `view`."""
        return super().admin_view(in_current_tenant(view), cacheable)

    def get_urls(self) -> list[Any]:
        own = [
            path("language/", choose_language, name="language"),
            path("tenant/switch/", self.admin_view(switch_tenant), name="switch"),
        ]
        return own + self.pages + super().get_urls()

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the login page; speak the member's language afterwards."""
        response = super().login(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated:
            remember_language(request)
        return response

    # --- what every page shows ---

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | header_context(request)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Any]:
        """Return our sections, or one app's models for that app's page."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        return sections(self, request)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        own = index_context(self, request)
        return super().index(request, own | (extra_context or {}))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Nothing: the audit log takes the place of Django's own entries."""
        from django.contrib.admin.models import LogEntry

        return LogEntry.objects.none()

    def address_of(self, model: Any, what: str, *args: object) -> str:
        """Return the URL of a model's `what` page (changelist, add, change)."""
        names = f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}"
        return reverse(names, args=args, current_app=self.name)


def memberships_of(request: HttpRequest) -> list[access.Membership]:
    """Return the person's tenants, asked once per request."""
    found = getattr(request, "_memberships", None)
    if found is None:
        found = access.memberships(request.user.pk)
        request._memberships = found  # type: ignore[attr-defined]
    return found


def current_membership(request: HttpRequest) -> access.Membership | None:
    """Return the chosen tenant if it still is one of the person's, else the first.

    A form names the tenant in which it was opened, and is saved there: meanwhile a
    page of another tenant in another tab may have changed the session's choice.
    None only for an operator of an installation without tenants.
    """
    mine = {str(item.tenant_id): item for item in memberships_of(request)}
    for chosen in (request.POST.get("_tenant", ""), request.session.get("tenant_id")):
        if chosen in mine:
            if chosen != request.session.get("tenant_id"):
                request.session["tenant_id"] = chosen
            return mine[chosen]
    return next(iter(mine.values()), None)


def in_current_tenant(view: View) -> View:
    """Run `view` and render its page in a transaction of the current tenant.

    A view marked `outside_transaction` opens its own: it talks to the network.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refuse_nul(request)
        membership = current_membership(request)
        request.membership = membership  # type: ignore[attr-defined]
        if getattr(view, "outside_transaction", False):
            return view(request, *args, **kwargs)
        ids: list[UUID] = [membership.tenant_id] if membership else []
        zone = membership.time_zone if membership else "UTC"
        with transaction.atomic(), tenant_context(*ids), timezone.override(zone):
            response = rendered(view(request, *args, **kwargs))
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    return inner


def refuse_nul(request: HttpRequest) -> None:
    """Answer 400 to an address with NUL, which no filter of a list expects and no
    text in PostgreSQL can hold."""
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise SuspiciousOperation("NUL in the address")


def rendered(response: HttpResponseBase) -> HttpResponseBase:
    """Render now: later there is no context, so templates would see no rows."""
    if isinstance(response, TemplateResponse):
        response.render()
    return response


def remember_language(request: HttpRequest) -> None:
    """Keep the member's language in the session unless one was chosen before."""
    membership = current_membership(request)
    if membership is None or "language" in request.session:
        return
    if membership.language in dict(settings.LANGUAGES):
        request.session["language"] = membership.language
