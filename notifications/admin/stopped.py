"""Which mailboxes asked for no more mails, and how do they get them again?"""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import stopping
from notifications.models import StoppedAddress
from tenants import roles
from tenants.admin_base import ActedOnAdmin, membership_of
from tenants.admin_buttons import button


@admin.register(StoppedAddress)
class StoppedAddressAdmin(ActedOnAdmin):
    """Stopped by the link in a mail; a page to such an address is given up at once."""

    section = "channels"
    section_order = 35
    list_display = ("address", "stopped_by", "created_at")
    search_fields = ("address", "stopped_by")
    sortable_by = ("address", "created_at")
    fieldsets = ((None, {"fields": ("address", "stopped_by", "created_at")}),)

    @button(gettext_lazy("Send mails again"), needs=roles.CONFIGURE, css="primary")
    def resume(self, request: HttpRequest, row: StoppedAddress) -> HttpResponse:
        """Take back what a reader asked for; the audit says who did."""
        who = membership_of(request)
        stopping.resume(who.tenant_id, row.address, actor=who.actor)
        text = _("Mails are sent to %(address)s again.")
        self.say(request, text % {"address": row.address})
        return redirect("admin:notifications_stoppedaddress_changelist")
