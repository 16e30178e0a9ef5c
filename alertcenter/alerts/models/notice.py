"""When is a group told again, and what was said of it last?"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantRow
from tenants.rls import TenantForeignKey


class Flush(TenantRow):
    """One row is the timer of one group key that a route's channels are told of.

    It is Alertmanager's aggregation group: flushed at `anchor`, then at whole
    group intervals after it, by the database's clock. It outlives a group that
    resolves and opens anew in between, and ends when there is nothing left to say.
    `cleared_at` is the last flush that got through, or the birth: what left the group
    before is forgotten. `earlier` are groups of the key that resolved since then.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=64)
    group = TenantForeignKey("alerts.Group", models.CASCADE)
    anchor = models.DateTimeField()
    due_at = models.DateTimeField(_("due"))
    cleared_at = models.DateTimeField(db_default=Now())
    earlier = ArrayField(models.UUIDField(), default=list, db_default=[])
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.TextField(_("error"), default="")

    class Meta:
        db_table = "flush"
        verbose_name = _("timer of a group")
        verbose_name_plural = _("timers of groups")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="flush_key")
        ]
        indexes = [
            models.Index(fields=["due_at"], name="flush_due"),
            models.Index(fields=["tenant", "group"], name="flush_group"),
        ]


class Notice(TenantRow):
    """One row is what one channel was last told of one group key.

    `firing` and `resolved` are the alerts then said, each as the low 63 bits of its
    id. Alertmanager's notification log (reference/wire-protocols.md 3.3). `owed` were
    said to fire and fell quiet since: their end is still to be told.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=64)
    channel = TenantForeignKey("notifications.Channel", models.CASCADE)
    firing = ArrayField(models.BigIntegerField(), default=list)
    resolved = ArrayField(models.BigIntegerField(), default=list)
    owed = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    reason = models.CharField(_("reason"), max_length=20)
    at = models.DateTimeField(_("told"))
    expires_at = models.DateTimeField()
    times = models.IntegerField(_("times"), default=1)

    class Meta:
        db_table = "notice"
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key", "channel"], name="notice_once"
            )
        ]
        indexes = [models.Index(fields=["expires_at"], name="notice_expires")]
