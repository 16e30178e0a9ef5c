"""Where do a tenant's events come from?"""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel

SLUG = RegexValidator(
    r"^[a-z0-9][a-z0-9_-]{0,49}\Z",
    _("Lower-case letters, digits, hyphens and underscores, please."),
)


class Integration(TenantModel):
    """One row is one tool that sends events, with keys and a name space of its own.

    `source` names the adapter that reads what it sends. The counts are written about
    once a second by whoever takes events (api/integrations.py).
    """

    slug = models.CharField(_("short name"), max_length=50, validators=[SLUG])
    name = models.CharField(_("name"), max_length=100)
    source = models.CharField(_("source"), max_length=40)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    events = models.BigIntegerField(_("events"), default=0, editable=False)
    not_understood = models.BigIntegerField(
        _("not understood"), default=0, editable=False
    )
    last_event_at = models.DateTimeField(
        _("last event"), null=True, blank=True, editable=False
    )

    class Meta:
        db_table = "integration"
        verbose_name = _("integration")
        verbose_name_plural = _("integrations")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="integration_slug"),
        ]

    def __str__(self) -> str:
        return self.name
