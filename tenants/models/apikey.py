"""Which keys open the API of a tenant?"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel
from tenants.models.integration import Integration
from tenants.rls import TenantForeignKey


class Scope(models.TextChoices):
    """What a key may do."""

    INGEST = "ingest", _("send alerts")
    READ = "read", _("read")
    ACT = "act", _("act on alerts")
    ADMIN = "admin", _("administer")


class Kind(models.TextChoices):
    """Where a key is written; the two short ones are 32 lower-case hex digits."""

    API = "api", _("header")
    ROUTING = "routing", _("routing key")
    URL = "url", _("address")


class ApiKey(TenantModel):
    """One row is one key; only a keyed hash of it is stored."""

    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(
        _("kind"), max_length=10, choices=Kind.choices, default=Kind.API
    )
    integration = TenantForeignKey(
        Integration,
        verbose_name=_("integration"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="keys",
    )
    lookup_hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(_("begins with"), max_length=16, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope.choices),
        verbose_name=_("scopes"),
        default=list,
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(
        _("revoked"), null=True, blank=True, editable=False
    )
    last_used_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False
    )

    class Meta:
        db_table = "apikey"
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
