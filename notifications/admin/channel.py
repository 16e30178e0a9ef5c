"""How does a person set up a channel, and find out whether it works?"""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.buckets import Buckets
from alertcenter.common.outbound import OutboundError, check_url
from notifications import testing
from notifications.models import Channel, Delivery
from notifications.models.channel import ChannelKind
from tenants import roles
from tenants.admin_base import TenantScopedAdmin
from tenants.admin_buttons import button
from tenants.admin_forms import LinesField, TenantForm, WriteOnlyField
from tenants.fields import reveal
from tenants.rls import in_tenant
from tenants.site_index import FirstStep

SLACK_SETTINGS = ("channel", "team_id", "app_id")
WEBHOOK_SETTINGS = ("url", "send_resolved", "send_quiet_ends")
SLACK_SECRETS = ("bot_token", "signing_secret")
TYPED = {
    ChannelKind.SLACK: (*SLACK_SETTINGS, *SLACK_SECRETS),
    ChannelKind.EMAIL: ("to",),
    ChannelKind.WEBHOOK: (*WEBHOOK_SETTINGS, "bearer_token", "webhook_secret"),
}


class ChannelForm(TenantForm):
    """One field for each setting of the kind; secrets are written, never read."""

    channel = forms.CharField(
        label=gettext_lazy("Slack channel"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Such as #ops, or its id."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    team_id = forms.CharField(
        label=gettext_lazy("Team id"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("Begins with T; tells whose buttons were pressed."),
    )
    app_id = forms.CharField(
        label=gettext_lazy("App id"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("Begins with A."),
    )
    bot_token = WriteOnlyField(
        label=gettext_lazy("Bot token"),
        help_text=gettext_lazy("Begins with xoxb-. Empty: the stored one stays."),
    )
    signing_secret = WriteOnlyField(
        label=gettext_lazy("Signing secret"),
        help_text=gettext_lazy("Empty: the stored one stays."),
    )
    to = LinesField(
        label=gettext_lazy("Addresses"),
        required=False,
        help_text=gettext_lazy(
            "E-mail addresses, one a line; none: the channel only carries members' "
            "own mail."
        ),
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Takes a POST with JSON in Alertmanager's shape."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    send_resolved = forms.BooleanField(
        label=gettext_lazy("Say when it is over"), required=False, initial=True
    )
    send_quiet_ends = forms.BooleanField(
        label=gettext_lazy("Also of what fell quiet"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Alertmanager itself does not."),
    )
    bearer_token = WriteOnlyField(
        label=gettext_lazy("Bearer token"),
        help_text=gettext_lazy("Empty: the stored one stays."),
    )
    webhook_secret = WriteOnlyField(
        label=gettext_lazy("Secret that signs"),
        help_text=gettext_lazy(
            "As Standard Webhooks says. Empty: the stored one stays."
        ),
    )

    class Meta:
        model = Channel
        fields = ("kind", "name", "slug", "language", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("Empty: made from the name.")
        for name in ("channel", "team_id", "app_id", "to", *WEBHOOK_SETTINGS):
            if name not in self.instance.settings:
                continue
            self.initial.setdefault(name, self.instance.settings.get(name))
        if self.instance.kind:
            for name in every_setting() - set(TYPED[ChannelKind(self.instance.kind)]):
                self.fields.pop(name, None)

    @property
    def kind(self) -> str:
        return str(self.cleaned_data.get("kind") or self.instance.kind)

    def clean_slug(self) -> str:
        given: str = self.cleaned_data.get("slug") or ""
        return given or slugify(self.cleaned_data.get("name", ""))[:63]

    def clean_to(self) -> list[str]:
        addresses: list[str] = self.cleaned_data["to"]
        for address in addresses:
            validate_email(address)
        return addresses

    def clean_url(self) -> str:
        url: str = (self.cleaned_data.get("url") or "").strip()
        if url:
            try:
                check_url(url)
            except OutboundError as error:
                raise ValidationError(
                    _("Give an address that begins with http:// or https://.")
                ) from error
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.kind == ChannelKind.SLACK:
            self.need_slack(cleaned)
        missing = not cleaned.get("url") and "url" not in self.errors
        if self.kind == ChannelKind.WEBHOOK and missing:
            self.add_error("url", _("Give the address."))
        if self.kind == ChannelKind.WEBHOOK and cleaned.get("url"):
            self.keep_token_from_others(cleaned)
        return cleaned

    def keep_token_from_others(self, cleaned: dict[str, Any]) -> None:
        """A stored token is for the server it was given for, and shown to no other."""
        before = str(self.instance.settings.get("url") or "")
        if server_of(before) == server_of(cleaned["url"]):
            return
        held = stored_secrets(self.instance)
        if held.get("bearer_token") and not cleaned.get("bearer_token"):
            self.add_error(
                "bearer_token",
                _("The address is another server's: give the token again."),
            )

    def clean_bearer_token(self) -> str:
        token: str = self.cleaned_data.get("bearer_token") or ""
        if not token.isascii() or not token.isprintable():
            raise ValidationError(_("A token has printable ASCII characters only."))
        return token

    def need_slack(self, cleaned: dict[str, Any]) -> None:
        """Ask for what Slack needs; the simulation needs no real secrets."""
        if not cleaned.get("channel"):
            self.add_error("channel", _("Name the Slack channel."))
        if settings.SIMULATION or self.instance.secret:
            return
        for name in SLACK_SECRETS:
            if not cleaned.get(name):
                self.add_error(name, _("This is needed to talk to Slack."))

    def save(self, commit: bool = True) -> Any:
        self.instance.settings = self.instance.settings | self.given_settings()
        held = stored_secrets(self.instance)
        wanted = self.made_up_secrets() | held | self.given_secrets()
        if wanted != held:
            self.instance.secret = json.dumps(wanted)
        return super().save(commit)

    def made_up_secrets(self) -> dict[str, str]:
        """Return what the simulation's Slack accepts, where nobody has to ask Slack."""
        if self.kind != ChannelKind.SLACK or not settings.SIMULATION:
            return {}
        return {
            "bot_token": f"xoxb-sim-{self.instance.pk}",
            "signing_secret": secrets.token_hex(16),
        }

    def given_settings(self) -> dict[str, Any]:
        if self.kind == ChannelKind.WEBHOOK:
            return {
                "url": self.cleaned_data["url"],
                "send_resolved": self.cleaned_data["send_resolved"],
                "send_quiet_ends": self.cleaned_data["send_quiet_ends"],
            }
        if self.kind != ChannelKind.SLACK:
            return {"to": self.cleaned_data.get("to") or []}
        given = {name: self.cleaned_data.get(name) or "" for name in SLACK_SETTINGS}
        if settings.SIMULATION:
            mark = self.instance.pk.hex[-10:].upper()
            given["team_id"] = given["team_id"] or f"T{mark}"
            given["app_id"] = given["app_id"] or f"A{mark}"
        return given

    def given_secrets(self) -> dict[str, str]:
        if self.kind == ChannelKind.WEBHOOK:
            given = {
                "bearer_token": self.cleaned_data.get("bearer_token", ""),
                "signing_secret": self.cleaned_data.get("webhook_secret", ""),
            }
            return {name: value for name, value in given.items() if value}
        if self.kind != ChannelKind.SLACK:
            return {}
        given = {name: self.cleaned_data.get(name, "") for name in SLACK_SECRETS}
        return {name: value for name, value in given.items() if value}


def every_setting() -> set[str]:
    return {name for names in TYPED.values() for name in names}


def server_of(url: str) -> tuple[str, str]:
    """Return what may be told the same secrets."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.casefold()


def stored_secrets(channel: Channel) -> dict[str, str]:
    """Return the secrets that the row holds (needs the tenant's context)."""
    if not channel.secret:
        return {}
    stored: dict[str, str] = json.loads(reveal(channel, "secret") or "{}")
    return stored


# Providers count tests like any other message.
TESTS = Buckets(rate=1 / 10, burst=10)


@admin.register(Channel)
class ChannelAdmin(TenantScopedAdmin):
    """Channels; which settings are asked for follows the kind."""

    section = "channels"
    section_order = 10
    form = ChannelForm
    list_display = ("name", "kind", "place", "language", "active")
    list_filter = ("kind", "active")
    search_fields = ("name", "slug")
    fieldsets = (
        (None, {"fields": ("kind", "name", "slug", "language", "active")}),
        (
            gettext_lazy("Slack"),
            {
                "classes": ("for-slack",),
                "fields": (*SLACK_SETTINGS, *SLACK_SECRETS),
            },
        ),
        (
            gettext_lazy("E-mail"),
            {"classes": ("for-email",), "fields": ("to",)},
        ),
        (
            gettext_lazy("Webhook"),
            {
                "classes": ("for-webhook",),
                "fields": TYPED[ChannelKind.WEBHOOK],
            },
        ),
    )

    class Media:
        js = ("admin/alertcenter/channel.js",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show one kind's settings once the kind is settled."""
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ("kind", "name", "slug", "place", "active")})]
        if obj is None:
            return self.fieldsets
        titles = {
            ChannelKind.SLACK: 1,
            ChannelKind.EMAIL: 2,
            ChannelKind.WEBHOOK: 3,
        }
        basics = ("kind", "name", "slug", "language", "active", "secrets_held")
        chosen = self.fieldsets[titles[ChannelKind(obj.kind)]]
        return [(None, {"fields": basics}), chosen]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            return ("place",)
        return ("kind", "secrets_held") if obj else ()

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
        found = (channel.settings.get(name) for name in ("channel", "to", "url"))
        place = next((one for one in found if one), "")
        return ", ".join(place) if isinstance(place, list) else str(place)

    @admin.display(description=gettext_lazy("secrets"))
    def secrets_held(self, channel: Channel) -> SafeString:
        """Say which secrets are stored; never what they are."""
        if channel.secret:
            return format_html('<span class="pill good">{}</span>', _("stored"))
        return format_html('<span class="pill off">{}</span>', _("none"))

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
