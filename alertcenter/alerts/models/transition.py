"""What changed, when, by whom? Timeline, feed and audit anchor at once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantRow


class Kind(models.TextChoices):
    """What happened."""

    OPENED = "opened", _("opened")
    SEVERITY = "repeated_severity", _("severity changed")
    RESOLVED = "resolved", _("resolved")
    EXPIRED = "expired", _("expired")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    UNACKNOWLEDGED = "unacknowledged", _("acknowledgement withdrawn")
    SNOOZED = "snoozed", _("snoozed")
    WOKEN = "woken", _("woken")
    ASSIGNED = "assigned", _("assigned")
    ESCALATED = "escalated", _("escalated")
    GROUPED = "grouped", _("joined a group")
    SILENCED = "silenced", _("silenced")
    INHIBITED = "inhibited", _("inhibited")
    HEARD = "heard", _("heard again")
    HELD = "held", _("not notified")
    FLAPPING = "flapping", _("flapping")
    CALM = "calm", _("calm again")
    STORM = "storm", _("storm")
    NOTED = "noted", _("noted")
    PAGED = "paged", _("notified")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("delivery failed")


class Transition(TenantRow):
    """One row is one change of an alert or a group; append-only, by month.

    Written by alertcenter.alerts.lifecycle only.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    alert_id = models.UUIDField(_("alert"), null=True)
    group_id = models.UUIDField(_("group"), null=True)
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    from_state = models.CharField(_("from"), max_length=12, default="")
    to_state = models.CharField(_("to"), max_length=12, default="")
    actor_kind = models.CharField(_("actor"), max_length=20)
    actor_id = models.CharField(max_length=64, default="")
    actor_label = models.CharField(_("by"), max_length=200, default="")
    reason = models.CharField(_("reason"), max_length=64, default="")
    data = models.JSONField(_("details"), default=dict)
    correlation_id = models.CharField(max_length=64, default="")

    class Meta:
        db_table = "transition"
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        ordering = ["-at", "-id"]
        indexes = [
            # A change is either an alert's or a group's.
            models.Index(
                fields=["tenant", "group_id", "id"],
                condition=models.Q(group_id__isnull=False),
                name="transition_group",
            ),
            models.Index(
                fields=["tenant", "alert_id", "id"],
                condition=models.Q(alert_id__isnull=False),
                name="transition_alert",
            ),
            models.Index(fields=["tenant", "-at"], name="transition_at"),
        ]


class Feed(TenantRow):
    """One row is one change that `flow` has yet to look at; deleted when done."""

    # Unchecked, as in the history tables: see tenants.rls.PartitionByMonth.
    tenant = models.ForeignKey(
        "tenants.Tenant",
        models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("tenant"),
    )
    id = models.BigAutoField(primary_key=True)
    transition_id = models.BigIntegerField()
    alert_id = models.UUIDField(null=True)
    group_id = models.UUIDField(null=True)
    shard = models.SmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "feed"
        indexes = [models.Index(fields=["shard", "id"], name="feed_shard")]
