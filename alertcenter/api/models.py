"""What did Slack call us about?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from tenants.models.base import TenantRow


class SlackInbox(TenantRow):
    """One row is one verified callback; its signature is unique, so a replay or a
    retry of the same call changes nothing."""

    id = models.BigAutoField(primary_key=True)
    signature_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_default=Now())
    channel_id = models.UUIDField(null=True)
    body = models.JSONField()
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(default="")
    correlation_id = models.CharField(max_length=64, default="")

    class Meta:
        db_table = "slack_inbox"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "signature_sha256"], name="slack_inbox_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=models.Q(done_at=None),
                name="slack_inbox_open",
            )
        ]
