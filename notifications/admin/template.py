"""How does a person word messages, language by language, and see the result?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST
from modeltranslation.admin import TabbedTranslationAdmin

from notifications import rendering
from notifications.admin.preview import FRAME_POLICY, preview, stored_messages
from notifications.models import MessageTemplate
from tenants.admin_base import TenantScopedAdmin, tenant_of
from tenants.admin_forms import TenantForm
from tenants.models import Tenant
from tenants.models.tenant import content_languages


class TemplateForm(TenantForm):
    """Each wording is tried before it is saved."""

    class Meta:
        model = MessageTemplate
        fields = ("kind", "channel_kind", "title", "body")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, source in list(cleaned.items()):
            if not name.startswith(("title_", "body_")) or not source:
                continue
            reason = rendering.validate_template(source)
            if reason:
                self.add_error(name, reason)
        return cleaned


@admin.register(MessageTemplate)
class MessageTemplateAdmin(TenantScopedAdmin, TabbedTranslationAdmin):
    """Templates with a tab for each language, and a preview beside them."""

    section = "channels"
    section_order = 20
    form = TemplateForm
    list_display = ("__str__", "kind", "channel_kind", "languages", "revision")
    list_filter = ("kind", "channel_kind")
    search_fields = ("title_en", "body_en", "title_fr", "body_fr", "title_de")
    change_form_template = "admin/alertcenter/template.html"
    fieldsets = (
        (None, {"fields": ("kind", "channel_kind")}),
        (gettext_lazy("Wording"), {"fields": ("title", "body")}),
    )

    class Media:
        js = ("admin/alertcenter/preview.js",)

    @admin.display(description=gettext_lazy("languages"))
    def languages(self, template: MessageTemplate) -> str:
        """Return the languages that have a body."""
        return ", ".join(
            code
            for code in settings.CONTENT_LANGUAGES
            if getattr(template, rendering.column_of("body", code))
        )

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name.startswith(("title", "body")):
            rows = 2 if db_field.name.startswith("title") else 8
            field.widget.attrs["rows"] = rows
            field.widget.attrs["spellcheck"] = "false"
        return field

    def save_model(
        self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool
    ) -> None:
        """A new revision, so that caches of the old wording are left."""
        if change:
            obj.revision += 1
        super().save_model(request, obj, form, change)

    # --- preview ---

    def get_urls(self) -> list[Any]:
        shown = self.admin_site.admin_view(
            xframe_options_sameorigin(require_POST(self.preview_view))
        )
        name = "notifications_messagetemplate_preview"
        return [path("preview/", shown, name=name), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Render the posted, unsaved fields into the page's frame."""
        tenant = Tenant.objects.get(pk=tenant_of(request))
        response = TemplateResponse(
            request,
            "admin/alertcenter/template_preview.html",
            {"preview": preview(tenant, request.POST)},
        )
        response.headers["Content-Security-Policy"] = FRAME_POLICY
        return response

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= {
            "preview_url": reverse("admin:notifications_messagetemplate_preview"),
            "preview_languages": content_languages(),
            "preview_language": get_language(),
            "stored_messages": stored_messages(tenant_of(request)),
            "variables": rendering.variables(),
        }
        return super().render_change_form(request, context, *args, **kwargs)
