"""How does a person word messages, language by language?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from modeltranslation.admin import TabbedTranslationAdmin

from notifications.models import MessageTemplate
from tenants.admin_base import TenantScopedAdmin


@admin.register(MessageTemplate)
class MessageTemplateAdmin(TenantScopedAdmin, TabbedTranslationAdmin):
    """Templates with a tab for each language."""

    section = "channels"
    section_order = 20
    list_display = ("kind", "channel_kind", "revision")
    list_filter = ("kind", "channel_kind")
    search_fields = ("title_en", "body_en")
    fieldsets = (
        (None, {"fields": ("kind", "channel_kind")}),
        (gettext_lazy("Wording"), {"fields": ("title", "body")}),
    )

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """A new revision, so that caches of the old wording are left."""
        if change:
            obj.revision += 1
        super().save_model(request, obj, form, change)
