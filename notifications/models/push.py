"""Which browsers take our notifications, and as whom do we send them?"""

from __future__ import annotations

from django.db import models

from tenants.fields import EncryptedField
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey


class PushSubscription(TenantModel):
    """One row is one browser of one member; its contact is what chains name.

    `secret` holds the push service's address and the browser's keys (JSON, sealed):
    whoever knows them can write to that browser. `digest` tells the address apart.
    """

    contact = TenantForeignKey(
        "notifications.Contact", models.CASCADE, related_name="push_subscriptions"
    )
    digest = models.CharField(max_length=64)
    secret = EncryptedField()

    class Meta:
        db_table = "push_subscription"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="push_browser")
        ]

    def __str__(self) -> str:
        return str(self.contact)


class PushKey(models.Model):
    """The installation's VAPID key, sealed by its key-encryption key; one row.

    Not a tenant's: a browser knows one key for each site, whatever tenants it shows.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sealed = models.BinaryField()

    class Meta:
        db_table = "push_key"

    def __str__(self) -> str:
        return "VAPID"
