"""What changes a schedule for a while: overrides, temporary schedules, swaps?"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from escalation import limits, rota
from escalation.models.schedule import Schedule, is_backwards, out_of_reach
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey


class Stretch(TenantModel):
    """Something that lasts from one moment to another."""

    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    note = models.CharField(_("note"), max_length=200, blank=True, default="")

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Ask for an end after the start, both in reach, and for room."""
        limits.ask_room(self)
        names = ("starts_at", "ends_at")
        if wrong := out_of_reach(self.starts_at, self.ends_at, names):
            raise ValidationError(wrong)
        if is_backwards(self.starts_at, self.ends_at):
            raise ValidationError({"ends_at": _("It ends before it begins.")})


def lasts(name: str) -> models.CheckConstraint:
    """Return the constraint that a stretch ends after it begins."""
    return models.CheckConstraint(
        condition=Q(ends_at__gt=F("starts_at")), name=f"{name}_lasts"
    )


class OverrideKind(models.TextChoices):
    """What an override does to who is on call."""

    ONLY = rota.ONLY, _("takes over alone")
    REPLACE = rota.REPLACE, _("replaces")
    REMOVE = rota.REMOVE, _("is taken off")
    ADD = rota.ADD, _("is on call too")


class Override(Stretch):
    """One row puts a member on call, takes one off, or one in another's place."""

    schedule = TenantForeignKey(Schedule, models.CASCADE, related_name="overrides")
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=OverrideKind.choices,
        default=OverrideKind.ONLY,
    )
    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who comes in"),
    )
    instead = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who goes"),
    )
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)

    class Meta:
        db_table = "schedule_override"
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        ordering = ["starts_at", "made_at"]
        constraints = [lasts("override")]
        indexes = [
            models.Index(fields=["tenant", "schedule", "ends_at"], name="override_of")
        ]

    def __str__(self) -> str:
        return f"{self.member or self.instead or ''} {self.get_kind_display()}"

    def clean(self) -> None:
        """Ask for the members that the kind needs."""
        super().clean()
        needed = {
            OverrideKind.REPLACE: ("member", "instead"),
            OverrideKind.REMOVE: ("instead",),
        }.get(OverrideKind(self.kind) if self.kind else OverrideKind.ONLY, ("member",))
        missing = [name for name in needed if not getattr(self, f"{name}_id")]
        if missing:
            raise ValidationError(
                {name: _("This kind of override needs a member.") for name in missing}
            )


class TemporarySchedule(Stretch):
    """One row is a range in which only its own shifts count."""

    schedule = TenantForeignKey(Schedule, models.CASCADE, related_name="temporaries")

    class Meta:
        db_table = "temporary_schedule"
        verbose_name = _("temporary schedule")
        verbose_name_plural = _("temporary schedules")
        ordering = ["starts_at"]
        constraints = [lasts("temporary")]
        indexes = [
            models.Index(fields=["tenant", "schedule", "ends_at"], name="temporary_of")
        ]

    def __str__(self) -> str:
        return self.note or f"{self.starts_at:%Y-%m-%d}"


class TemporaryShift(Stretch):
    """One row is a member's shift of a temporary schedule."""

    temporary = TenantForeignKey(
        TemporarySchedule, models.CASCADE, related_name="shifts"
    )
    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )

    class Meta:
        db_table = "temporary_shift"
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ["starts_at"]
        constraints = [lasts("temporary_shift")]
        indexes = [
            models.Index(fields=["tenant", "temporary"], name="temporary_shift_of")
        ]


class Swap(Stretch):
    """One row asks for somebody to take a member's shifts in a range; once somebody
    has, he is on call in that member's place."""

    schedule = TenantForeignKey(Schedule, models.CASCADE, related_name="swaps")
    beneficiary = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        related_name="+",
        verbose_name=_("whose shifts"),
    )
    benefactor = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who takes them"),
    )
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    taken_at = models.DateTimeField(_("taken"), null=True, editable=False)
    reminded_at = models.DateTimeField(_("reminded"), null=True, editable=False)

    class Meta:
        db_table = "shift_swap"
        verbose_name = _("shift swap")
        verbose_name_plural = _("shift swaps")
        ordering = ["starts_at"]
        constraints = [
            lasts("swap"),
            models.CheckConstraint(
                condition=~Q(benefactor=F("beneficiary")), name="swap_of_two"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "schedule", "ends_at"], name="swap_of")
        ]

    def __str__(self) -> str:
        return f"{self.beneficiary} {self.starts_at:%Y-%m-%d}"
