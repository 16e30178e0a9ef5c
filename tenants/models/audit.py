"""Who changed what, when?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantRow


class Audit(TenantRow):
    """One row is one act of a person, a key or the engine; rows never change."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"), db_default=Now())
    actor_kind = models.CharField(_("actor"), max_length=20)
    actor_id = models.CharField(max_length=64, default="")
    actor_label = models.CharField(_("by"), max_length=200, default="")
    action = models.CharField(_("action"), max_length=64)
    object_kind = models.CharField(_("object kind"), max_length=64)
    object_id = models.CharField(_("object"), max_length=64)
    data = models.JSONField(_("details"), default=dict)
    correlation_id = models.CharField(max_length=64, default="")

    class Meta:
        db_table = "audit"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["tenant", "-at"], name="audit_at")]
        # The table is partitioned by month: design/decisions.md section 2.

    def __str__(self) -> str:
        return f"{self.action} {self.object_kind} {self.object_id}"
