"""What is a tenant, and which keys seal its secrets?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alertcenter.common.ids import uuid7
from tenants.models.base import TenantRow, UuidV7
from tenants.timezones import validate_time_zone

SLUG = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$",
    _("Use lower-case letters, digits and hyphens, at most 63 characters."),
)

LONGEST_DAYS = 3650
MOST_EVENTS = 1_000_000


class KeepRaw(models.TextChoices):
    """Which bodies are kept as they arrived."""

    REFUSED = "refused", _("what was refused, wholly or partly")
    ALL = "all", _("a sample of everything")
    OFF = "off", _("nothing")


def days(verbose_name: Any) -> models.PositiveIntegerField[int | None, int | None]:
    """Return a field for how long something is kept."""
    return models.PositiveIntegerField(
        verbose_name,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_DAYS)],
        help_text=_("Empty: as long as the installation keeps them."),
    )


def rate(verbose_name: Any) -> models.PositiveIntegerField[int | None, int | None]:
    """Return a field for how many events are taken in a second."""
    return models.PositiveIntegerField(
        verbose_name,
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_EVENTS)],
        help_text=_(
            "Ten seconds' worth may come at once. 0: no limit; empty: the "
            "installation's."
        ),
    )


def content_languages() -> list[tuple[str, str]]:
    """Return (code, name in that language) for the content languages."""
    from django.conf.locale import LANG_INFO

    return [
        (code, str(LANG_INFO.get(code, {}).get("name_local", code)))
        for code in settings.CONTENT_LANGUAGES
    ]


class Tenant(models.Model):
    """One row is one customer organisation, kept apart from all others."""

    id = models.UUIDField(
        primary_key=True, default=uuid7, db_default=UuidV7(), editable=False
    )
    slug = models.CharField(
        _("short name"),
        max_length=63,
        unique=True,
        validators=[SLUG],
        help_text=_("Stands in every URL: /t/<short name>/."),
    )
    name = models.CharField(_("name"), max_length=200)
    language = models.CharField(
        _("language"), max_length=10, default="en", choices=content_languages
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text=_("An IANA name such as Europe/Paris."),
    )
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    history_days = days(_("days of history"))
    raw_days = days(_("days of raw payloads"))
    closed_days = days(_("days of resolved alerts and groups"))
    keep_raw = models.CharField(
        _("raw payloads to keep"),
        max_length=10,
        choices=KeepRaw.choices,
        default=KeepRaw.REFUSED,
        db_default="refused",
        help_text=_(
            "Bodies as they arrived, for people who look for a mistake. Best effort."
        ),
    )
    events_per_second = rate(_("events a second"))
    key_events_per_second = rate(_("events a second with one key"))
    address_events_per_second = rate(_("events a second from one address"))
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "tenant"
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class TenantKey(TenantRow):
    """One row is one version of a tenant's data key, wrapped by the KEK."""

    id = models.UUIDField(
        primary_key=True, default=uuid7, db_default=UuidV7(), editable=False
    )
    version = models.PositiveSmallIntegerField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tenant_key"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version"], name="tenant_key_version"
            )
        ]
