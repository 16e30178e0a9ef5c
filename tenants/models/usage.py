"""How much did a tenant send, hour by hour?"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantRow


class Usage(TenantRow):
    """One row is one hour of one tenant. Counted in memory and written every few
    seconds: a crash may cost seconds of it."""

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField(_("hour"))
    events = models.BigIntegerField(_("events"), default=0)
    refused = models.BigIntegerField(_("requests refused"), default=0)

    class Meta:
        db_table = "usage"
        verbose_name = _("use")
        verbose_name_plural = _("use")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour"], name="usage_hour")
        ]
