"""Where can a member be reached? Contacts, on the member's page and as a list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import proving
from notifications.channels.registry import channels
from notifications.models import Contact
from notifications.wishes import need_by_hand
from tenants import roles
from tenants.admin.member import MemberAdmin
from tenants.admin_base import (
    TenantInline,
    TenantScopedAdmin,
    may,
    membership_of,
)
from tenants.admin_buttons import button
from tenants.admin_forms import TenantForm
from tenants.rls import in_tenant


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
            new = {"kind", "address"} & set(self.changed_data)
            if kind and new and not self.membership.may(roles.ADMINISTER):
                need_by_hand(kind)
        except ValidationError as error:
            self.add_error("address", error)
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """Another address, or another's, is not proven by what was."""
        if {"kind", "address", "member"} & set(self.changed_data):
            self.instance.verified_at = None
            self.instance.stopped_at = None
            self.instance.code_hash = ""
        return super().save(commit)


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
    fields = ("position", "kind", "address", "use")
    readonly_fields = ("use",)

    @admin.display(description=gettext_lazy("use"))
    def use(self, contact: Contact) -> SafeString:
        """Say whether it is used, and lead to where it is proven."""
        return use_of(contact, linked=True)


def use_of(contact: Contact, *, linked: bool = False) -> SafeString:
    """Return in words whether messages go to this address."""
    if contact._state.adding:
        return SafeString()
    if contact.stopped_at:
        return format_html('<span class="pill off">{}</span>', _("answered STOP"))
    if not proving.needs_proof(contact):
        return format_html('<span class="pill good">{}</span>', _("in use"))
    pill = format_html('<span class="pill warn">{}</span>', _("not proven"))
    if not linked:
        return pill
    address = reverse("admin:notifications_contact_change", args=[contact.pk])
    return format_html('{} <a href="{}">{}</a>', pill, address, _("prove it"))


@admin.register(Contact)
class ContactAdmin(TenantScopedAdmin):
    """All addresses of all members, to search."""

    section = "people"
    section_order = 15
    needs_to_change = roles.ADMINISTER
    form = ContactForm
    list_display = ("member", "kind", "address", "position", "use")
    list_filter = ("kind",)
    list_select_related = ("member",)
    search_fields = ("address", "member__name")
    autocomplete_fields = ("member",)
    fields = ("member", "kind", "address", "position", "use")
    readonly_fields = ("use",)

    def get_urls(self) -> list[Any]:
        code = self.admin_site.admin_view(self.code_view)
        name = "notifications_contact_code"
        return [path("<uuid:object_id>/code/", code, name=name), *super().get_urls()]

    @admin.display(description=gettext_lazy("use"))
    def use(self, contact: Contact) -> SafeString:
        """Say whether it is used."""
        return use_of(contact)

    def shown_buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """The owner proves a number, or who administers."""
        if obj is None or not self.may_prove(request, obj):
            return []
        return super().shown_buttons(request, obj)

    def may_prove(self, request: HttpRequest, contact: Contact) -> bool:
        own = contact.member.user_id == request.user.pk
        return own or may(request, roles.ADMINISTER)

    @button(
        gettext_lazy("Send code"),
        needs=roles.VIEW,
        css="primary",
        shown=proving.needs_proof,
        outside_transaction=True,
    )
    def send_code(self, request: HttpRequest, contact: Contact) -> HttpResponse | None:
        """Send a code to the number, and ask for it."""
        with in_tenant(contact.tenant_id):
            contact = Contact.objects.select_related("member").get(pk=contact.pk)
        if not self.may_prove(request, contact):
            raise PermissionDenied
        if not proving.needs_proof(contact):
            return None
        actor = membership_of(request).actor
        try:
            proving.send_code(contact.tenant_id, contact.pk, actor=actor)
        except proving.NotSent as error:
            self.say(request, str(error), good=False)
            return None
        return HttpResponseRedirect(self._address("code", contact.pk))

    def code_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Take the code that was sent."""
        contact = self.get_object(request, str(object_id))
        if contact is None:
            raise Http404
        if not self.may_prove(request, contact):
            raise PermissionDenied
        if request.method == "POST":
            outcome = proving.prove(
                contact.tenant_id,
                contact.pk,
                request.POST.get("code", "")[:LONGEST_TYPED],
                actor=membership_of(request).actor,
            )
            self.say(request, str(SAID[outcome]), good=outcome == "done")
            if outcome != "wrong":
                return self.back_to(contact)
        context = self.admin_site.each_context(request) | {
            "title": _("Type in the code"),
            "opts": self.opts,
            "contact": contact,
        }
        return TemplateResponse(request, "admin/alertcenter/contact_code.html", context)


LONGEST_TYPED = 40
SAID = {
    "done": gettext_lazy("The number is proven; messages go there from now on."),
    "wrong": gettext_lazy("This is not the code that was sent."),
    "expired": gettext_lazy("The code is no longer good. Send a new one."),
    "too_many": gettext_lazy("There were too many tries. Send a new code."),
}

MemberAdmin.inlines = [*MemberAdmin.inlines, ContactInline]
