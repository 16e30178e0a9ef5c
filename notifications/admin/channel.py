"""How does a person set up a channel, and find out whether it works?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.buckets import Buckets
from notifications import testing
from notifications.admin.channel_form import ChannelForm, form_of
from notifications.channels.registry import channels
from notifications.models import Channel, Delivery
from tenants import roles
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_buttons import button
from tenants.rls import in_tenant
from tenants.site_index import FirstStep


def kind_asked(request: HttpRequest) -> str:
    """Return the kind that a new channel is to have; "" where none is named."""
    given = request.POST.get("kind") or request.GET.get("kind") or ""
    return given if given in channels() else ""


def inbound_of(channel: Channel) -> str:
    """Return the address at which a channel's tool calls back; "" for none."""
    module = channels().get(channel.kind)
    path = module.SPEC.inbound if module else ""
    path = path.format(tenant=channel.tenant_id, channel=channel.pk)
    return f"{settings.BASE_URL}{path}" if path else ""


def preview_of(channel: Channel) -> str:
    """Return what a channel's templates make of an example; "" for none."""
    show = getattr(channels().get(channel.kind), "preview", None)
    return str(show(channel.settings)) if show else ""


# Providers count tests like any other message.
TESTS = Buckets(rate=1 / 10, burst=10)


@admin.register(Channel)
class ChannelAdmin(TenantScopedAdmin):
    """Channels; which settings are asked for follows the kind."""

    section = "channels"
    section_order = 10
    form = ChannelForm
    list_display = ("name", "kind", "place", "language", "fallback", "active")
    list_filter = ("kind", "active")
    list_select_related = ("fallback",)
    search_fields = ("name", "slug")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask for the kind first: each has its own settings."""
        if kind_asked(request) or request.method == "POST":
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        specs = [module.SPEC for module in channels().values()]
        context = self.admin_site.each_context(request) | {
            "title": _("Which kind of channel?"),
            "opts": self.opts,
            "kinds": sorted(specs, key=lambda spec: str(spec.label).casefold()),
        }
        return TemplateResponse(
            request, "admin/alertcenter/channel_kinds.html", context
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if self.has_change_permission(request, obj):
            kwargs["form"] = form_of(obj.kind if obj else kind_asked(request))
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None and kind_asked(request) and "kind" in form.base_fields:
            form.base_fields["kind"].widget = forms.HiddenInput()
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the kind's settings below what all channels have."""
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ("kind", "name", "slug", "place", "active")})]
        kind = obj.kind if obj else kind_asked(request)
        basics = ["kind", "name", "slug", "language", "fallback", "active"]
        if obj:
            basics.append("secrets_held")
        if obj and inbound_of(obj):
            basics.append("inbound")
        if obj and self.pasted(obj):
            basics.append("addresses")
        parts: list[Any] = [(None, {"fields": basics})]
        if module := channels().get(kind):
            names = [setting.name for setting in module.SPEC.settings]
            if obj and preview_of(obj):
                names.append("preview")
            about = {"fields": names, "description": module.SPEC.about}
            if names:
                parts.append((module.SPEC.label, about))
        return parts

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            return ("place",)
        own = ("kind", "secrets_held", "inbound", "addresses", "preview")
        return own if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A channel with history is switched off, not deleted."""
        if not super().has_delete_permission(request, obj):
            return False
        return (
            obj is None
            or not Delivery.objects.filter(
                tenant_id=obj.tenant_id, channel=obj
            ).exists()
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description=gettext_lazy("place"))
    def place(self, channel: Channel) -> str:
        module = channels().get(channel.kind)
        return module.SPEC.place(channel.settings) if module else ""

    @admin.display(description=gettext_lazy("told at"))
    def inbound(self, channel: Channel) -> str:
        """Say where the tool tells us what was done there."""
        return inbound_of(channel)

    @admin.display(description=gettext_lazy("an example"))
    def preview(self, channel: Channel) -> SafeString:
        """Show what the templates make of an example."""
        return format_html('<pre class="preview">{}</pre>', preview_of(channel))

    @admin.display(description=gettext_lazy("secrets"))
    def secrets_held(self, channel: Channel) -> SafeString:
        """Say which secrets are stored; never what they are."""
        if channel.secret:
            return format_html('<span class="pill good">{}</span>', _("stored"))
        return format_html('<span class="pill off">{}</span>', _("none"))

    def pasted(self, channel: Channel) -> list[tuple[Any, str]]:
        """Return the addresses of ours that a person pastes at the vendor."""
        module = channels().get(channel.kind)
        if module is None:
            return []
        return module.SPEC.pasted(channel.tenant_id, channel.pk)

    @admin.display(description=gettext_lazy("our addresses"))
    def addresses(self, channel: Channel) -> SafeString:
        """Say where the vendor reaches us."""
        return format_html_join(
            "", "<p>{}<br><code>{}</code></p>", self.pasted(channel)
        )

    @button(
        gettext_lazy("Send test"),
        needs=roles.CONFIGURE,
        css="primary",
        outside_transaction=True,
    )
    def send_test(self, request: HttpRequest, channel: Channel) -> None:
        """Send a test message and show the provider's own answer."""
        if wait := TESTS.wait(channel.tenant_id):
            text = _("Many tests were just sent. Please wait %(seconds)s seconds.")
            self.say(request, text % {"seconds": int(wait) + 1}, good=False)
            return
        TESTS.take(channel.tenant_id)
        result = testing.send_test(channel)
        with in_tenant(channel.tenant_id):
            self.audit(request, channel, "test", ok=result.ok)
        words = {"answer": result.answer, "n": result.milliseconds}
        if result.ok:
            text = _("The test arrived (%(n)d ms). Answer: %(answer)s")
        else:
            text = _("The test failed (%(n)d ms). Answer: %(answer)s")
        self.say(request, text % words, good=result.ok)


admin.site.steps.append(  # type: ignore[attr-defined]
    FirstStep(
        30,
        gettext_lazy("Set up a channel and send a test"),
        lambda tenant_id: Channel.objects.filter(
            tenant_id=tenant_id, active=True
        ).exists(),
        lambda: reverse("admin:notifications_channel_add"),
    )
)
