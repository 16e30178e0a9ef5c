"""Who is on call, by turns?"""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey
from tenants.timezones import validate_time_zone


class Schedule(TenantModel):
    """One row is an on-call order: members take turns of equal length.

    A turn starts at `handoff` o'clock, wall time in `time_zone`, every
    `turn_days` days, counted from the date `starts_on`.
    """

    name = models.CharField(_("name"), max_length=100)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
    )
    starts_on = models.DateField(_("first day"))
    handoff = models.TimeField(_("hand-over at"))
    turn_days = models.PositiveSmallIntegerField(
        _("length of a turn (days)"), default=7, validators=[MinValueValidator(1)]
    )

    class Meta:
        db_table = "schedule"
        verbose_name = _("on-call order")
        verbose_name_plural = _("on-call orders")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="schedule_name")
        ]

    def __str__(self) -> str:
        return self.name


class Turn(TenantModel):
    """One row is one member's place in an on-call order."""

    schedule = TenantForeignKey(Schedule, models.CASCADE, related_name="turns")
    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        db_table = "turn"
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position}. {self.member}"
