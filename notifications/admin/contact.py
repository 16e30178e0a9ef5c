"""Where can a member be reached? Contacts, on the member's page and as a list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError

from notifications.channels.registry import channels
from notifications.models import Contact
from tenants import roles
from tenants.admin.member import MemberAdmin
from tenants.admin_base import TenantInline, TenantScopedAdmin
from tenants.admin_forms import TenantForm


class ContactForm(TenantForm):
    """An address that fits its kind."""

    class Meta:
        model = Contact
        fields = ("kind", "address", "position")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind, address = cleaned.get("kind"), cleaned.get("address", "").strip()
        try:
            cleaned["address"] = check_address(kind or "", address)
        except ValidationError as error:
            self.add_error("address", error)
        return cleaned


def check_address(kind: str, address: str) -> str:
    """Return the address as it is stored. Raises ValidationError."""
    module = channels().get(kind)
    if module is None or module.SPEC.contact is None:
        return address
    return module.SPEC.contact.check(address)


class ContactInline(TenantInline, admin.TabularInline):
    """The addresses of one member; the first is tried first."""

    model = Contact
    form = ContactForm
    needs_to_change = roles.ADMINISTER
    extra = 1
    fields = ("position", "kind", "address")


@admin.register(Contact)
class ContactAdmin(TenantScopedAdmin):
    """All addresses of all members, to search."""

    section = "people"
    section_order = 15
    needs_to_change = roles.ADMINISTER
    form = ContactForm
    list_display = ("member", "kind", "address", "position")
    list_filter = ("kind",)
    list_select_related = ("member",)
    search_fields = ("address", "member__name")
    autocomplete_fields = ("member",)
    fields = ("member", "kind", "address", "position")


MemberAdmin.inlines = [*MemberAdmin.inlines, ContactInline]
