"""How does a person connect a tool, and see what it sends?"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import again, intake, mapping
from alertcenter.alerts import severity as severities
from alertcenter.alerts.admin import setup
from alertcenter.alerts.sources import registry
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.translate import MAPPED, translate
from tenants import apikeys, roles
from tenants.admin_base import TenantScopedAdmin, membership_of, tenant_of
from tenants.admin_buttons import button
from tenants.admin_forms import TenantForm
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.site_index import FirstStep

LONGEST_PAYLOAD = 200_000
SAMPLE_MAPPING = {
    "title": "{{ name }} on {{ host }}",
    "key": "id",
    "severity": "level",
    "status": "state",
    "resolved_when": ["ok"],
    "labels": {"host": "host"},
}


class IntegrationForm(TenantForm):
    """A source and a name; a mapping where the source is plain JSON."""

    source = forms.ChoiceField(label=gettext_lazy("Source"))

    class Meta:
        model = Integration
        fields = ("source", "name", "settings")
        widgets = {
            "settings": forms.Textarea(attrs={"rows": 14, "spellcheck": "false"})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "source" in self.fields:
            self.fields["source"].choices = setup.choices()  # type: ignore[attr-defined]
        if "settings" in self.fields:
            self.fields["settings"].label = _("Mapping")
            self.fields["settings"].required = False

    def clean_settings(self) -> dict[str, Any]:
        given = self.cleaned_data["settings"] or {}
        if not isinstance(given, dict):
            raise ValidationError(_("A mapping is a JSON object."))
        if given:
            try:
                mapping.compile_mapping(given)
            except mapping.BadMapping as error:
                raise ValidationError(str(error)) from error
        return given


class ChangeForm(IntegrationForm):
    """What sends may not change: its keys' alerts would be another tool's."""

    source = None  # type: ignore[assignment]


class PayloadForm(forms.Form):
    """A pasted payload, to see what becomes of it."""

    payload = forms.CharField(
        label=gettext_lazy("Payload"),
        max_length=LONGEST_PAYLOAD,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )

    def clean_payload(self) -> Any:
        try:
            data = json.loads(self.cleaned_data["payload"], strict=False)
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is no JSON.")) from error
        if not isinstance(data, dict | list):
            raise ValidationError(_("This is neither an object nor a list."))
        return data


@admin.register(Integration)
class IntegrationAdmin(TenantScopedAdmin):
    """Tools that send, each with keys and a set-up page of its own."""

    section = "rules"
    section_order = 5
    needs_to_change = roles.ADMINISTER
    form = IntegrationForm
    list_display = ("name", "kind", "standing", "events", "odd", "last_event_at")
    search_fields = ("name", "slug", "source")
    ordering = ("name",)
    change_form_template = "admin/alertcenter/integration.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("source", "name")
        return ("name", "settings") if obj.source == MAPPED else ("name",)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj:
            kwargs["form"] = ChangeForm
        return super().get_form(request, obj, change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Keys are never deleted by themselves; with their integration they are."""
        listed, counts, _needed, protected = super().get_deleted_objects(objs, request)
        return listed, counts, set(), protected

    # --- what the list says ---

    @admin.display(description=gettext_lazy("source"), ordering="source")
    def kind(self, row: Integration) -> str:
        return setup.title_of(row.source)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, row: Integration) -> SafeString:
        return state_of(row)

    @admin.display(
        description=gettext_lazy("not understood"), ordering="not_understood"
    )
    def odd(self, row: Integration) -> SafeString | str:
        if not row.not_understood:
            return "0"
        return format_html('<span class="nobody">{}</span>', row.not_understood)

    # --- making one, and its keys ---

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        if not change:
            obj.slug = free_slug(tenant_of(request), obj.name, obj.source)
        super().save_model(request, obj, form, change)
        if not change:
            request._keys = self.mint(request, obj)  # type: ignore[attr-defined]

    def mint(self, request: HttpRequest, row: Integration) -> tuple[str, str]:
        """Make the keys that the set-up page shows once: for the address, and for a
        header."""
        membership = membership_of(request)
        wanted = setup.key_kind(row.source)
        made = [
            apikeys.mint(
                membership.tenant_id,
                row.name,
                setup.scopes_of(row.source, kind),
                actor=membership.actor,
                kind=kind,
                integration=row,
            )[1]
            for kind in dict.fromkeys((wanted, Kind.API))
        ]
        return made[0], made[-1]

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Show the keys in the answer itself: they are never stored."""
        return self.keys_page(request, obj, request._keys)  # type: ignore[attr-defined]

    def keys_page(
        self, request: HttpRequest, row: Integration, made: tuple[str, str]
    ) -> HttpResponse:
        key, header_key = made
        slug = membership_of(request).slug
        context = self.admin_site.each_context(request) | {
            "title": row.name,
            "opts": self.opts,
            "integration": row,
            "source": setup.title_of(row.source),
            "address": setup.address_of(row, key),
            "key": key if row.source in setup.PROTOCOLS else header_key,
            "snippet": setup.snippet_of(row, slug, key, header_key),
            "steps": setup.steps_of(row.source),
            "adapter": registry.find(row.source),
            "poll": reverse("admin:tenants_integration_state", args=[row.pk]),
        }
        return TemplateResponse(
            request, "admin/alertcenter/integration_keys.html", context
        )

    @button(gettext_lazy("New address and key"), needs=roles.ADMINISTER)
    def renew(self, request: HttpRequest, row: Integration) -> HttpResponse:
        return self.keys_page(request, row, self.mint(request, row))

    @button(
        gettext_lazy("Revoke all keys"),
        needs=roles.ADMINISTER,
        css="danger",
        shown=lambda row: row.keys.filter(revoked_at=None).exists(),
    )
    def revoke(self, request: HttpRequest, row: Integration) -> None:
        self.revoke_keys(request, row)
        self.say(request, _("All keys of this integration are revoked."))

    def revoke_keys(self, request: HttpRequest, row: Integration) -> None:
        actor = membership_of(request).actor
        for key in row.keys.filter(revoked_at=None):
            apikeys.revoke(key, actor=actor)

    def delete_model(self, request: HttpRequest, obj: Integration) -> None:
        """Its keys are revoked first, so that every process hears of it."""
        self.revoke_keys(request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)

    # --- trying it ---

    @button(
        gettext_lazy("Send an example"),
        needs=roles.ACT,
        shown=lambda row: registry.find(row.source) is not None,
        outside_transaction=True,
    )
    def example(self, request: HttpRequest, row: Integration) -> None:
        try:
            found = again.send_example(row)
        except (again.CannotReplay, intake.DatabaseAway, TimeoutError) as error:
            self.say(request, str(error) or _("It was not kept."), good=False)
            return
        titles = ", ".join(event.title for event in found.parsed.events)
        self.say(request, _("Sent: %(titles)s") % {"titles": titles[:300]})

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path(
                "<uuid:pk>/state/",
                view(self.state_view),
                name="tenants_integration_state",
            ),
            *super().get_urls(),
        ]

    def state_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Say whether something has come, for the page that waits for it."""
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None or not self.has_view_permission(request, row):
            return JsonResponse({}, status=404)
        return JsonResponse({"events": row.events, "pill": state_of(row)})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return super().change_view(request, object_id, form_url, extra_context)
        tried = request.method == "POST" and "_try" in request.POST
        form = PayloadForm(request.POST if tried else None)
        found = None
        if tried and form.is_valid():
            incoming = Incoming(form.cleaned_data["payload"])
            found = translate(row.source, incoming, self.settings_tried(request, row))
        slug = membership_of(request).slug
        kind = setup.key_kind(row.source)
        placeholder = "0" * 32 if kind != Kind.API else setup.YOUR_KEY
        more = {
            "steps": setup.steps_of(row.source),
            "snippet": setup.snippet_of(row, slug, placeholder, setup.YOUR_KEY),
            "adapter": registry.find(row.source),
            "source": setup.title_of(row.source),
            "pill": state_of(row),
            "keys": row.keys.order_by("-created_at")[:20],
            "payload_form": form,
            "found": found,
            "events": [
                (event, severities.NAMES[event.severity])
                for event in (found.parsed.events if found else ())
            ],
            "sample_mapping": json.dumps(SAMPLE_MAPPING, indent=2),
            "has_mapping": row.source == MAPPED,
            "raw": reverse("admin:alerts_rawevent_changelist")
            + f"?integration_id={row.pk}",
            "poll": reverse("admin:tenants_integration_state", args=[row.pk]),
        }
        if tried:
            request.method = "GET"  # nothing is saved
        page = super().change_view(
            request, object_id, form_url, more | (extra_context or {})
        )
        if tried and isinstance(page, TemplateResponse) and page.context_data:
            # What was written but not saved stays where it was written.
            shown = page.context_data["adminform"].form
            shown.initial["name"] = request.POST.get("name", row.name)
            shown.initial["settings"] = self.settings_tried(request, row)
        return page

    def settings_tried(self, request: HttpRequest, row: Integration) -> dict[str, Any]:
        """Return the mapping as it stands in the form above, saved or not."""
        try:
            given = json.loads(request.POST.get("settings") or "null")
        except ValueError:
            return dict(row.settings)
        return given if isinstance(given, dict) else dict(row.settings)


def state_of(row: Integration) -> SafeString:
    """Return whether anything has come yet."""
    if row.events:
        return format_html('<span class="pill good">{}</span>', _("receiving"))
    return format_html(
        '<span class="pill off">{}</span>', _("waiting for the first event")
    )


def free_slug(tenant_id: Any, name: str, source: str) -> str:
    """Return a short name that nobody in the tenant has."""
    wanted = slugify(name)[:40] or source.replace("_", "-")
    taken = set(
        Integration.objects.filter(
            tenant_id=tenant_id, slug__startswith=wanted
        ).values_list("slug", flat=True)
    )
    # The bare name of a source is kept for what comes without a key of its own.
    taken |= set(registry.adapters()) | set(setup.PROTOCOLS)
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        25,
        gettext_lazy("Connect the first tool"),
        lambda tenant_id: Integration.objects.filter(tenant_id=tenant_id).exists(),
        lambda: reverse("admin:tenants_integration_add"),
    )
)
