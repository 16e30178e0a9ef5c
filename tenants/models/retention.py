"""When were old rows last let go, and which?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class RetentionRun(models.Model):
    """One row is one walk over all tenants; `position` is the last tenant done."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)
    position = models.UUIDField(null=True)
    deleted = models.JSONField(_("rows deleted"), default=dict)
    dropped = models.JSONField(_("partitions dropped"), default=list)
    put_off = models.JSONField(_("put off"), default=list)

    class Meta:
        db_table = "retention_run"
        verbose_name = _("retention run")
        verbose_name_plural = _("storage and retention")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
