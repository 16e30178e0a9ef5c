"""Which frames went out to live screens?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from tenants.models.base import TenantRow


class Live(TenantRow):
    """One row is one frame of one tenant's stream, kept ten minutes."""

    id = models.BigAutoField(primary_key=True)
    seq = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())
    frame = models.JSONField()

    class Meta:
        db_table = "live"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "seq"], name="live_seq")
        ]
        indexes = [models.Index(fields=["at"], name="live_at")]


class LiveHead(TenantRow):
    """One row holds the last sequence number of one tenant's stream."""

    id = models.BigAutoField(primary_key=True)
    seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "live_head"
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="live_head_tenant")
        ]
