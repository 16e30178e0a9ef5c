"""Who is told, in which order, after how long?"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.choices import Severity
from escalation import limits
from escalation.models.team import Team
from escalation.steps import registry
from escalation.steps.fields import LONGEST_WAIT
from tenants.models import Member
from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey


def step_kinds() -> list[tuple[str, Any]]:
    """Return the kinds of steps: see escalation.steps."""
    return registry.choices()


class Policy(TenantModel):
    """One row is an ordered list of steps that a group's run takes."""

    name = models.CharField(_("name"), max_length=100)
    ack_timeout_seconds = models.PositiveIntegerField(
        _("an acknowledgement lasts (seconds)"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(LONGEST_WAIT)],
        help_text=_("Then the policy begins anew; 0: for ever."),
    )

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

    def clean(self) -> None:
        """Ask whether there is room for one more."""
        limits.ask_room(self)


class Step(TenantModel):
    """One row is one step of a policy."""

    policy = TenantForeignKey(Policy, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    kind = models.CharField(_("kind"), max_length=20, choices=step_kinds)
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
    # What else the kind is told: escalation.steps.fields.
    params = models.JSONField(_("details"), default=dict, db_default={}, blank=True)

    class Meta:
        db_table = "step"
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position}. {self.get_kind_display()}"

    def clean(self) -> None:
        """Ask for what the kind of step needs, and keep nothing else of params."""
        kind = registry.kinds().get(self.kind)
        if kind is None:
            return  # said of the field
        wrong: dict[str, Any] = {
            field.name: _("This kind of step needs a value here.")
            for field in kind.fields
            if field.kind == "column" and field.required
            # A wait of no time is one that was not written.
            if not getattr(self, ATTRIBUTES.get(field.name, field.name))
        }
        if not isinstance(self.params, dict):
            raise ValidationError({"params": _("Details are an object.")})
        try:
            self.params = kind.clean(self.params)
        except ValidationError as error:
            wrong |= dict(error.error_dict)
        wrong = wrong or self._strangers()
        if wrong:
            raise ValidationError(wrong)

    def _strangers(self) -> dict[str, Any]:
        """Return what params name that is not of this tenant."""
        wrong = {}
        for name, model in (("members", Member), ("team", Team), ("policy", Policy)):
            value = self.params.get(name)
            ids = set(value if name == "members" else [value]) if value else set()
            rows = model.objects.filter(tenant_id=self.tenant_id, pk__in=ids)
            if ids and rows.count() != len(ids):
                wrong[name] = _("There is no such row.")
        return wrong


# The id alone: what it names may not be there, which its field says.
ATTRIBUTES = {name: f"{name}_id" for name in ("channel", "member", "schedule")}


class StepTurn(TenantRow):
    """One row is whose turn it was last in a round robin. The step may be gone: what
    runs by its snapshot goes on taking turns."""

    id = models.BigAutoField(primary_key=True)
    step_id = models.UUIDField()
    member_id = models.UUIDField(null=True)

    class Meta:
        db_table = "step_turn"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "step_id"], name="step_turn_once")
        ]


class SlaTarget(TenantModel):
    """One row is how soon a group of a severity is to be acknowledged and resolved."""

    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    acknowledge_seconds = models.PositiveIntegerField(
        _("acknowledged within (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_WAIT)],
    )
    resolve_seconds = models.PositiveIntegerField(
        _("resolved within (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_WAIT)],
    )

    class Meta:
        db_table = "sla_target"
        verbose_name = _("service level")
        verbose_name_plural = _("service levels")
        ordering = ["-severity"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "severity"], name="sla_target_of")
        ]

    def __str__(self) -> str:
        return str(self.get_severity_display())
