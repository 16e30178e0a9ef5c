"""How does a person make, see and revoke keys? The key itself is shown once."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenants import apikeys, roles
from tenants.admin_base import TenantScopedAdmin, membership_of
from tenants.admin_buttons import button
from tenants.admin_forms import TenantForm
from tenants.models import ApiKey
from tenants.models.apikey import Scope
from tenants.site_index import FirstStep

SAMPLE_ALERT = {
    "title": "Disk almost full",
    "severity": "critical",
    "labels": {"alertname": "DiskFull", "host": "db-1"},
}


class KeyForm(TenantForm):
    """Scopes by tick boxes; a new key may send alerts unless told otherwise."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.INGEST],
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise forms.ValidationError(_("This time has passed."))
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(TenantScopedAdmin):
    """Making and revoking keys is for administrators."""

    section = "people"
    section_order = 20
    needs_to_change = roles.ADMINISTER
    form = KeyForm
    list_display = ("name", "prefix", "scope_names", "standing", "last_used_at")
    search_fields = ("name", "prefix")
    search_help_text = gettext_lazy("Name or beginning of the key")
    actions = ("revoke_selected",)
    add_fields = ("name", "scopes", "expires_at")
    fields = (
        "name",
        "prefix",
        "scope_names",
        "expires_at",
        "standing",
        "last_used_at",
        "created_at",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else self.add_fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A key's name may change; what it opens may not: make another."""
        return [name for name in self.fields if name != "name"] if obj else ()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj:
            kwargs["form"] = TenantForm
        return super().get_form(request, obj, change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keys are revoked and stay on record."""
        return False

    # --- what the list says ---

    @admin.display(description=gettext_lazy("scopes"))
    def scope_names(self, key: ApiKey) -> str:
        names = dict(Scope.choices)
        return ", ".join(str(names.get(scope, scope)) for scope in key.scopes)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, key: ApiKey) -> SafeString:
        if key.revoked_at:
            return format_html('<span class="pill off">{}</span>', _("revoked"))
        if key.expires_at and key.expires_at <= timezone.now():
            return format_html('<span class="pill off">{}</span>', _("expired"))
        return format_html('<span class="pill good">{}</span>', _("valid"))

    # --- making one ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        membership = membership_of(request)
        row, plaintext = apikeys.mint(
            membership.tenant_id,
            obj.name,
            obj.scopes,
            actor=membership.actor,
            expires_at=obj.expires_at,
        )
        obj.pk, obj.prefix = row.pk, row.prefix
        request._plaintext = plaintext  # type: ignore[attr-defined]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`mint` has written the audit row."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Show the key in the answer itself: it is never stored, so never again."""
        membership = membership_of(request)
        plaintext = request._plaintext  # type: ignore[attr-defined]
        address = f"{settings.BASE_URL}/t/{membership.slug}/api/v1/alerts"
        context = self.admin_site.each_context(request) | {
            "title": _("The new key"),
            "opts": self.opts,
            "key": obj,
            "plaintext": plaintext,
            "curl": curl_line(address, plaintext),
            "prometheus": prometheus_lines(membership.slug, plaintext),
            "may_ingest": Scope.INGEST in obj.scopes,
        }
        return TemplateResponse(request, "admin/alertcenter/new_key.html", context)

    # --- revoking ---

    @button(
        gettext_lazy("Revoke"),
        needs=roles.ADMINISTER,
        css="danger",
        shown=lambda key: key.revoked_at is None,
    )
    def revoke(self, request: HttpRequest, key: ApiKey) -> None:
        apikeys.revoke(key, actor=membership_of(request).actor)
        self.say(request, _("The key is revoked."))

    @admin.action(
        description=gettext_lazy("Revoke the selected keys"), permissions=["change"]
    )
    def revoke_selected(self, request: HttpRequest, keys: Any) -> None:
        actor = membership_of(request).actor
        count = sum(apikeys.revoke(key, actor=actor) for key in keys)
        text = ngettext("%(n)d key revoked.", "%(n)d keys revoked.", count)
        self.say(request, text % {"n": count})


def curl_line(address: str, key: str) -> str:
    """Return a command that sends one alert."""
    body = json.dumps(SAMPLE_ALERT)
    return (
        f"curl -X POST {address} \\\n"
        f"  -H 'Authorization: Bearer {key}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'"
    )


def prometheus_lines(slug: str, key: str) -> str:
    """Return the part of prometheus.yml that sends alerts here."""
    scheme, _sep, host = settings.BASE_URL.partition("://")
    return (
        "alerting:\n"
        "  alertmanagers:\n"
        f"    - scheme: {scheme}\n"
        f"      path_prefix: /t/{slug}\n"
        "      authorization:\n"
        f"        credentials: {key}\n"
        "      static_configs:\n"
        f"        - targets: ['{host}']\n"
    )


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        20,
        gettext_lazy("Make a key for what sends alerts"),
        lambda tenant_id: ApiKey.objects.filter(
            tenant_id=tenant_id, revoked_at=None
        ).exists(),
        lambda: admin.site.address_of(ApiKey, "add"),  # type: ignore[attr-defined]
    )
)
