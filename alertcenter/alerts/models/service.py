"""Which services are there, whose are they, and what do they need?"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.conditions import validate_matchers
from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey

LONGEST_SLUG = 63
MOST_MATCHERS = 20

validate_slug = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_.-]*\Z",
    _("Letters, digits, dots, dashes and underscores only."),
)
# URLField would take ftp, and wants a dot in the host, which an intranet's has not.
validate_web = RegexValidator(
    r"""\Ahttps?://[^\s<>"'`|^{}\\]+\Z""",
    _("Give an address that begins with http:// or https://."),
)


def validate_number(value: object) -> None:
    """Raise ValidationError for more conditions than anybody writes."""
    if isinstance(value, list) and len(value) > MOST_MATCHERS:
        message = _("A service may have %(most)s conditions.")
        raise ValidationError(message, params={"most": MOST_MATCHERS})


class Tier(models.IntegerChoices):
    """How much hangs on a service."""

    VITAL = 1, _("1: vital")
    IMPORTANT = 2, _("2: important")
    USUAL = 3, _("3: usual")
    MINOR = 4, _("4: minor")


def web_address(label: Any) -> models.CharField:
    """Return a field for a link that a browser may follow: http and https only."""
    return models.CharField(
        label, max_length=1_000, blank=True, default="", validators=[validate_web]
    )


class Service(TenantModel):
    """One row is something that people run and others need.

    Its alerts are those that meet all its `matchers`; without any, those whose label
    `service` is its `slug`. Of several services the first by `position` (then slug)
    has the alert. `team` is who answers for it, in words; `owner` is a member.
    """

    slug = models.CharField(
        _("short name"),
        max_length=LONGEST_SLUG,
        validators=[validate_slug],
        help_text=_("Without conditions, alerts whose label “service” says this."),
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(
        _("description"), blank=True, default="", max_length=4_000
    )
    team = models.CharField(
        _("team"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Who answers for it; messages say so."),
    )
    owner = TenantForeignKey(
        "tenants.Member",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    matchers = models.JSONField(
        _("conditions"),
        default=list,
        blank=True,
        validators=[validate_matchers, validate_number],
        help_text=_("One condition a line; all must hold."),
    )
    position = models.PositiveIntegerField(
        _("position"), default=100, help_text=_("Lower numbers are tried first.")
    )
    tier = models.PositiveSmallIntegerField(
        _("importance"), choices=Tier.choices, default=Tier.USUAL
    )
    runbook_url = web_address(_("runbook"))
    dashboard_url = web_address(_("dashboard"))
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "service"
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["position", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="service_slug"),
            models.CheckConstraint(
                condition=Q(tier__gte=1, tier__lte=4), name="service_tier"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def said_owner(self) -> str:
        """Who answers for it, in words: the team, else the member's name."""
        return self.team or (self.owner.name if self.owner else "")


class ServiceDependency(TenantRow):
    """One row says that `service` needs `needs`; there are no cycles."""

    id = models.BigAutoField(primary_key=True)
    service = TenantForeignKey(
        Service,
        models.CASCADE,
        db_index=False,
        related_name="dependencies",
        verbose_name=_("service"),
    )
    needs = TenantForeignKey(
        Service, models.CASCADE, related_name="dependents", verbose_name=_("needs")
    )

    class Meta:
        db_table = "service_dependency"
        verbose_name = _("dependency")
        verbose_name_plural = _("dependencies")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "service", "needs"], name="service_dependency_once"
            ),
            models.CheckConstraint(
                condition=~Q(service=F("needs")), name="service_dependency_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} → {self.needs_id}"
