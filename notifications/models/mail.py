"""What came back from mails, and from the links in messages?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey


class StoppedAddress(TenantModel):
    """One row is one mailbox that wants no more mails of the tenant."""

    # In small letters: mailboxes that tell them apart are not known to exist.
    address = models.CharField(_("address"), max_length=320)
    stopped_by = models.CharField(_("stopped by"), max_length=200, default="")

    class Meta:
        db_table = "stopped_address"
        verbose_name = _("stopped address")
        verbose_name_plural = _("stopped addresses")
        ordering = ["address"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "address"], name="stopped_address_once"
            )
        ]

    def __str__(self) -> str:
        return self.address


class UsedLink(TenantRow):
    """One row is one signed link that did what it says; it does so once."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    digest = models.CharField(max_length=64)
    group_id = models.UUIDField()
    act = models.CharField(max_length=20)
    actor_label = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "used_link"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="used_link_once")
        ]
        indexes = [models.Index(fields=["tenant", "group_id"], name="used_link_group")]


class MailOpening(TenantRow):
    """One row says that the picture in a mail was asked for: somebody opened it, or a
    mailbox did in their place. Only where a channel asks for it."""

    id = models.BigAutoField(primary_key=True)
    delivery = TenantForeignKey("notifications.Delivery", models.CASCADE)
    at = models.DateTimeField(_("first opened"), db_default=Now())
    last_at = models.DateTimeField(_("last opened"), db_default=Now())
    times = models.IntegerField(_("times"), default=1, db_default=1)

    class Meta:
        db_table = "mail_opening"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "delivery"], name="mail_opening_once"
            )
        ]
