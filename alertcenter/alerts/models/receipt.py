"""Which request was answered already? One row for each Idempotency-Key."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from tenants.models.base import TenantRow


class Receipt(TenantRow):
    """One row is one request that its sender may send again without effect.

    `key` and `body` are hashes: of the protocol and the sender's key, and of what was
    sent. `answer` says what was kept; it is committed together with the events.
    """

    # Unchecked, as in the history: a day later the row is gone.
    tenant = models.ForeignKey(
        "tenants.Tenant",
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )
    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=64)
    body = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)
    kept = models.IntegerField(default=0)
    dropped = models.IntegerField(default=0)
    refused = ArrayField(models.IntegerField(), default=list)

    class Meta:
        db_table = "receipt"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="receipt_once")
        ]
