"""What does every tenant-owned row have?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alertcenter.common.ids import uuid7


class UuidV7(models.Func):
    """PostgreSQL 18's uuidv7()."""

    function = "uuidv7"
    template = "%(function)s()"
    output_field = models.UUIDField()


class TenantRow(models.Model):
    """A row that belongs to one tenant; tables with a key of their own."""

    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.CASCADE,
        db_index=False,
        related_name="+",
        verbose_name=_("tenant"),
    )

    class Meta:
        abstract = True


class TenantModel(TenantRow):
    """A tenant-owned row with an id that people or protocols may see."""

    # Both defaults: with the database's alone, bulk_create leaves pk empty.
    id = models.UUIDField(
        primary_key=True, default=uuid7, db_default=UuidV7(), editable=False
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        abstract = True
