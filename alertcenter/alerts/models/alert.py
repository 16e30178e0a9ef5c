"""What is an alert, and what is one stretch of its firing?"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.choices import Severity
from tenants.models.base import TenantModel, TenantRow


class AlertState(models.TextChoices):
    """Whether the condition holds now."""

    FIRING = "firing", _("firing")
    RESOLVED = "resolved", _("resolved")


class ClosedBy(models.TextChoices):
    """Who said that it is over."""

    SOURCE = "source", _("source")
    PERSON = "person", _("person")
    TIMEOUT = "timeout", _("time-out")


class Alert(TenantModel):
    """One row is one deduplicated thing, for ever; a repeat only touches it.

    `state_at` is the source's own time of the last change and decides which event
    acts (design/decisions.md section 3). Only columns without an index change on
    a repeat, so that PostgreSQL updates in place (HOT).
    """

    # Unchecked by the database, as for the history: see tenants.rls.PartitionByMonth.
    tenant = models.ForeignKey(
        "tenants.Tenant",
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("tenant"),
    )
    dedup_key = models.TextField(_("dedup key"))
    fingerprint = models.CharField(_("fingerprint"), max_length=16, default="")
    state = models.CharField(_("state"), max_length=10, choices=AlertState.choices)
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    title = models.TextField(_("title"))
    labels = models.JSONField(_("labels"), default=dict)
    annotations = models.JSONField(_("annotations"), default=dict)
    link = models.TextField(_("link"), default="")
    source = models.CharField(_("source"), max_length=40)
    episode_id = models.UUIDField(_("episode"), null=True)
    state_at = models.DateTimeField(_("last change"))
    starts_at = models.DateTimeField(_("since"))
    ends_at = models.DateTimeField(_("until"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    last_at = models.DateTimeField(_("last seen"))
    count = models.BigIntegerField(_("count"), default=1)
    closed_by = models.CharField(
        _("closed by"), max_length=10, choices=ClosedBy.choices, default=""
    )
    version = models.IntegerField(default=1)

    class Meta:
        db_table = "alert"
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "dedup_key"], name="alert_key")
        ]
        indexes = [
            # Named after it was accepted: until then it has no entry here.
            models.Index(
                fields=["tenant", "fingerprint"],
                condition=~models.Q(fingerprint=""),
                name="alert_fingerprint",
            ),
            models.Index(
                fields=["tenant", "state", "-severity", "-starts_at"],
                name="alert_state",
            ),
            models.Index(fields=["tenant", "-starts_at", "id"], name="alert_recent"),
            GinIndex(
                fields=["labels"], name="alert_labels", opclasses=["jsonb_path_ops"]
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Episode(TenantRow):
    """One row is one stretch from firing to resolved; partitioned by month."""

    id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField(_("number"))
    alert_id = models.UUIDField(_("alert"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True)
    closed_by = models.CharField(
        _("closed by"), max_length=10, choices=ClosedBy.choices, default=""
    )
    at = models.DateTimeField(_("opened"))

    class Meta:
        db_table = "episode"
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["tenant", "alert_id", "-at"], name="episode_alert"),
        ]
