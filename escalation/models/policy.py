"""Who is told, in which order, after how long?"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey

LONGEST_WAIT = 30 * 24 * 3600


class StepKind(models.TextChoices):
    """What one step does."""

    CHANNEL = "channel", _("notify a channel")
    MEMBER = "member", _("notify a member")
    ONCALL = "oncall", _("notify who is on call")
    WAIT = "wait", _("wait")


class Policy(TenantModel):
    """One row is an ordered list of steps that a group's run takes."""

    name = models.CharField(_("name"), max_length=100)

    class Meta:
        db_table = "policy"
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="policy_name")
        ]

    def __str__(self) -> str:
        return self.name


class Step(TenantModel):
    """One row is one step of a policy."""

    policy = TenantForeignKey(Policy, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    kind = models.CharField(_("kind"), max_length=20, choices=StepKind.choices)
    channel = TenantForeignKey(
        "notifications.Channel",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("channel"),
    )
    member = TenantForeignKey(
        "tenants.Member",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("member"),
    )
    schedule = TenantForeignKey(
        "escalation.Schedule",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("schedule"),
    )
    wait_seconds = models.PositiveIntegerField(
        _("wait (seconds)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_WAIT)],
    )

    class Meta:
        db_table = "step"
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position}. {self.get_kind_display()}"

    def clean(self) -> None:
        """Ask for what the kind of step needs."""
        needed = (
            {
                StepKind.CHANNEL: "channel",
                StepKind.MEMBER: "member",
                StepKind.ONCALL: "schedule",
                StepKind.WAIT: "wait_seconds",
            }.get(StepKind(self.kind))
            if self.kind
            else None
        )
        if needed and not getattr(self, needed):
            raise ValidationError({needed: _("This kind of step needs a value here.")})
