"""What was asked of us that is done afterwards? Slack's calls, others' acts."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from alertcenter.common.ids import uuid7
from tenants.models.base import TenantRow, UuidV7


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


class AskedAct(TenantRow):
    """One row is one act on one alert that another protocol's client asked for.

    Such clients acknowledge an alert right after they made it, before anything has
    grouped it: what cannot be done yet waits here. Opsgenie's clients ask by `id` what
    became of it.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid7, db_default=UuidV7(), editable=False
    )
    at = models.DateTimeField(db_default=Now())
    protocol = models.CharField(max_length=20)
    integration_id = models.UUIDField(null=True)
    act = models.CharField(max_length=20)
    dedup_key = models.TextField(default="")
    params = models.JSONField(default=dict)
    actor = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default="waiting")
    status = models.CharField(max_length=200, default="")
    alert_id = models.UUIDField(null=True)
    episode_id = models.UUIDField(null=True)
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    correlation_id = models.CharField(max_length=64, default="")

    class Meta:
        db_table = "asked_act"
        indexes = [
            models.Index(
                fields=["at"],
                condition=models.Q(state="waiting"),
                name="asked_act_waiting",
            ),
            models.Index(fields=["at"], name="asked_act_age"),
        ]
