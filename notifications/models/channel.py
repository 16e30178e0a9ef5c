"""Where can a message go?"""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.fields import EncryptedField
from tenants.models.base import TenantModel
from tenants.models.tenant import content_languages
from tenants.rls import TenantForeignKey


def channel_kinds() -> list[tuple[str, Any]]:
    """Return the kinds of destination: one module each in notifications.channels."""
    from notifications.channels import registry

    return registry.choices()


def contact_kinds() -> list[tuple[str, Any]]:
    """Return the kinds on which a member can be reached."""
    from notifications.channels import registry

    return registry.contact_choices()


class Channel(TenantModel):
    """One row is one destination of a tenant, such as #ops in its Slack.

    What `settings` and `secret` (JSON, sealed) hold is said by the kind's SPEC. On
    routes, `send_resolved` false: nothing is said when it is over; `send_quiet_ends`
    false: nor of what fell quiet. What cannot be delivered goes to `fallback`.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=channel_kinds)
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
    fallback = TenantForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("fallback"),
        help_text=_("Told of what this channel cannot deliver."),
    )

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
    """One row is one address of one member: a mailbox, a Slack user id.

    A telephone is used when a code that was sent to it was typed in (`verified_at`),
    and not while its owner wants nothing (`stopped_at`; who answered STOP). The code
    is kept as a hash.
    """

    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        related_name="contacts",
        verbose_name=_("member"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=contact_kinds)
    address = models.CharField(
        _("address"),
        max_length=320,
        help_text=_("An e-mail address, a phone number, a user id."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    verified_at = models.DateTimeField(_("verified"), null=True, editable=False)
    stopped_at = models.DateTimeField(_("stopped"), null=True, editable=False)
    code_hash = models.CharField(
        max_length=64, default="", db_default="", editable=False
    )
    code_sent_at = models.DateTimeField(null=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False
    )

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
