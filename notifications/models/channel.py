"""Where can a message go?"""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.fields import EncryptedField
from tenants.models.base import TenantModel
from tenants.models.tenant import content_languages
from tenants.rls import TenantForeignKey


class ChannelKind(models.TextChoices):
    """The kinds of destination, one module each in notifications.channels."""

    SLACK = "slack", _("Slack")
    EMAIL = "email", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")


class Channel(TenantModel):
    """One row is one destination of a tenant, such as #ops in its Slack.

    `settings` by kind: slack {"channel", "team_id", "app_id"};
    email {"to": [addresses]} or {} when it is only used for members' own mail;
    webhook {"url", "send_resolved", "send_quiet_ends"}. `send_resolved` false: its
    routes do not say that something is over; `send_quiet_ends` false: nor of what fell
    quiet. `secret` is JSON, sealed: slack {"bot_token", "signing_secret"},
    webhook {"bearer_token", "signing_secret"}.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=ChannelKind.choices)
    slug = models.CharField(
        _("short name"),
        max_length=63,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$")],
    )
    name = models.CharField(_("name"), max_length=100)
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=content_languages,
        blank=True,
        default="",
        help_text=_("Empty: the tenant's language."),
    )
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    secret = EncryptedField(_("secret"), null=True, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "channel"
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="channel_slug")
        ]

    def __str__(self) -> str:
        return self.name


class Contact(TenantModel):
    """One row is one address of one member: a mailbox, a Slack user id."""

    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        related_name="contacts",
        verbose_name=_("member"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=ChannelKind.choices)
    address = models.CharField(
        _("address"),
        max_length=320,
        help_text=_("An e-mail address, or a Slack user id such as U0123ABCD."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        db_table = "contact"
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["position", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "address"], name="contact_address"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.address}"
