"""How does a person want to be told, in which order, and when not?"""

from __future__ import annotations

from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.channel import contact_kinds
from tenants.models import Member
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey
from tenants.timezones import validate_time_zone

LONGEST_WAIT = 24 * 3600
CRITICAL, ERROR = 5, 4
SEVERITIES = [
    (1, _("debug")),
    (2, _("info")),
    (3, _("warning")),
    (4, _("error")),
    (5, _("critical")),
]
DAYS = [
    ("mon", _("Monday")),
    ("tue", _("Tuesday")),
    ("wed", _("Wednesday")),
    ("thu", _("Thursday")),
    ("fri", _("Friday")),
    ("sat", _("Saturday")),
    ("sun", _("Sunday")),
]
DAY_NAMES = tuple(name for name, _label in DAYS)


def every_day() -> list[str]:
    """Return the names of all days."""
    return list(DAY_NAMES)


def validate_days(value: Any) -> None:
    """Raise ValidationError unless these are days' names, one at least."""
    if not isinstance(value, list) or not value or not set(value) <= set(DAY_NAMES):
        raise ValidationError(_("Choose at least one day."))


class PersonalStepKind(models.TextChoices):
    """What one step of a person's chain does."""

    CONTACT = "contact", _("notify by one contact")
    BY = "by", _("notify by all contacts of a kind")
    WAIT = "wait", _("wait")


class QuietHow(models.TextChoices):
    """What becomes of a page in a person's quiet hours."""

    HOLD = "hold", _("wait until they are over")
    MAIL = "mail", _("send nothing but e-mail")


class PersonalRule(TenantModel):
    """One row is what one member wants: from which severity on it is important, and
    what quiet hours keep back."""

    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        related_name="personal_rules",
        verbose_name=_("member"),
    )
    important_from = models.PositiveSmallIntegerField(
        _("important from"),
        choices=SEVERITIES,
        default=CRITICAL,
        help_text=_("From this severity on the important steps are taken."),
    )
    quiet_below = models.PositiveSmallIntegerField(
        _("quiet hours keep back what is below"),
        choices=SEVERITIES,
        default=CRITICAL,
    )
    quiet_how = models.CharField(
        _("in quiet hours"),
        max_length=10,
        choices=QuietHow.choices,
        default=QuietHow.HOLD,
    )
    time_zone = models.CharField(
        _("time zone of the quiet hours"),
        max_length=64,
        blank=True,
        default="",
        validators=[validate_time_zone],
        help_text=_("Empty: the member's."),
    )

    class Meta:
        db_table = "personal_rule"
        verbose_name = _("personal rule")
        verbose_name_plural = _("personal rules")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "member"], name="personal_rule_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.member)


class PersonalStep(TenantModel):
    """One row is one step of a member's default or important chain."""

    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        related_name="personal_steps",
        verbose_name=_("member"),
    )
    important = models.BooleanField(_("important"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    kind = models.CharField(_("step"), max_length=10, choices=PersonalStepKind.choices)
    contact = TenantForeignKey(
        "notifications.Contact",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("contact"),
    )
    by = models.CharField(
        _("by"), max_length=20, choices=contact_kinds, blank=True, default=""
    )
    wait_seconds = models.PositiveIntegerField(
        _("wait"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_WAIT)],
    )

    class Meta:
        db_table = "personal_step"
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["important", "position"]
        indexes = [models.Index(fields=["tenant", "member"], name="personal_step_of")]

    def __str__(self) -> str:
        return f"{self.position}. {self.get_kind_display()}"

    def clean(self) -> None:
        """Ask for what the kind of step needs; a contact is the member's own."""
        needed = {
            PersonalStepKind.CONTACT: "contact",
            PersonalStepKind.BY: "by",
            PersonalStepKind.WAIT: "wait_seconds",
        }.get(PersonalStepKind(self.kind) if self.kind else PersonalStepKind.WAIT)
        if self.kind and needed and not getattr(self, needed):
            raise ValidationError({needed: _("This kind of step needs a value here.")})
        if self.contact and self.contact.member_id != self.member_id:
            raise ValidationError({"contact": _("This is another member's contact.")})


class QuietHours(TenantModel):
    """One row is a time of the week at which a member wants quiet.

    `days` are those on which it begins; it may end on the next. From and to the same:
    a whole day.
    """

    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        related_name="quiet_hours",
        verbose_name=_("member"),
    )
    days = models.JSONField(_("days"), default=every_day, validators=[validate_days])
    begins = models.TimeField(_("begins"), default=time(22))
    ends = models.TimeField(_("ends"), default=time(7))

    class Meta:
        db_table = "quiet_hours"
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        ordering = ["begins"]
        indexes = [models.Index(fields=["tenant", "member"], name="quiet_hours_of")]

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}–{self.ends:%H:%M}"


class Person(Member):
    """A member as somebody who is notified: the page of contacts and chains."""

    class Meta:
        proxy = True
        verbose_name = _("notifications of a member")
        verbose_name_plural = _("personal notifications")
