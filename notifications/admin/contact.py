"""Where can a member be reached? Contacts, on the member's page and as a list."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from notifications.models import Contact
from notifications.models.channel import ChannelKind
from tenants import roles
from tenants.admin.member import MemberAdmin
from tenants.admin_base import TenantInline, TenantScopedAdmin
from tenants.admin_forms import TenantForm

SLACK_USER = re.compile(r"^[UW][A-Z0-9]{2,30}$")  # https://api.slack.com/types/user


class ContactForm(TenantForm):
    """An address that fits its kind."""

    class Meta:
        model = Contact
        fields = ("kind", "address", "position")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind, address = cleaned.get("kind"), cleaned.get("address", "").strip()
        try:
            check_address(kind or "", address)
        except ValidationError as error:
            self.add_error("address", error)
        else:
            cleaned["address"] = address
        return cleaned


def check_address(kind: str, address: str) -> None:
    """Raise ValidationError unless `address` is one of its kind."""
    if kind == ChannelKind.EMAIL:
        validate_email(address)
    if kind == ChannelKind.SLACK and not SLACK_USER.match(address):
        raise ValidationError(_("A Slack user id looks like U0123ABCD."))


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
