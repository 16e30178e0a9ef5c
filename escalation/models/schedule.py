"""Who is on call: schedules, their layers and turns?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from escalation import hours, limits
from escalation.hours import DAY_NAMES, HoursError
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey
from tenants.timezones import validate_time_zone

HIGHEST_LEVEL = 9
LONGEST_TURN = 1000  # units of a layer's frequency
LONGEST_NOTICE = 14 * 24 * 60  # minutes
LONGEST_SHIFT = 400 * 24 * 60  # minutes


def every_day() -> list[str]:
    """Return the names of all days."""
    return list(DAY_NAMES)


def validate_days(value: Any) -> None:
    """Raise ValidationError unless these are days' names, one at least."""
    known = isinstance(value, list) and all(day in DAY_NAMES for day in value)
    if not known or not value:
        raise ValidationError(_("Choose at least one day."))


def validate_hours(value: Any) -> None:
    """Raise ValidationError unless `escalation.hours.parse` can read `value`."""
    try:
        hours.parse(value)
    except HoursError as error:
        raise ValidationError(
            _("Hours are written as a list like %(example)s (%(what)s)."),
            params={
                "example": '[{"days": ["mon"], "begins": "09:00", "ends": "17:00"}]',
                "what": str(error),
            },
        ) from error


def is_backwards(first: date | None, last: date | None) -> bool:
    """Whether something ends before it begins; not where a form found one wrong."""
    return first is not None and last is not None and last <= first


# Beyond these a moment may lie in no year of some zone, and a turn in none at all.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


def out_of_reach(first: date | None, last: date | None, names: Sequence[str]) -> Any:
    """Return what is wrong, by name, of days that nothing can be reckoned with."""
    given = zip(names, (first, last), strict=True)
    return {
        name: _("Give a year from %(first)s to %(last)s.")
        % {"first": EARLIEST.year, "last": LATEST.year}
        for name, day in given
        if day is not None and not EARLIEST.year <= day.year <= LATEST.year
    }


class Frequency(models.TextChoices):
    """The unit in which a layer's turns are counted."""

    HOURLY = "hourly", _("hours")
    DAILY = "daily", _("days")
    WEEKLY = "weekly", _("weeks")
    MONTHLY = "monthly", _("months")


class OnHolidays(models.TextChoices):
    """What a layer does on the schedule's holidays."""

    ANY = "any", _("as on any day")
    NEVER = "never", _("not on holidays")
    ONLY = "only", _("on holidays only")


class Schedule(TenantModel):
    """One row is a schedule: its layers say who is on call, and swaps, overrides and
    temporary schedules change that for a while (escalation/rota.py)."""

    name = models.CharField(_("name"), max_length=100)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
    )
    owner = TenantForeignKey(
        "tenants.Member",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
        help_text=_("Is told of gaps and double bookings before they happen."),
    )
    # ISO 3166-1 and -2, as the library `holidays` names them.
    holiday_country = models.CharField(
        _("holidays of country"), max_length=2, blank=True, default=""
    )
    holiday_subdivision = models.CharField(
        _("region"), max_length=10, blank=True, default=""
    )
    stand_in = models.BooleanField(
        _("the next stands in for who is absent"), default=True
    )

    remind_minutes = models.PositiveIntegerField(
        _("remind of a shift (minutes before)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_NOTICE)],
        help_text=_("Empty: nobody is reminded that a shift begins."),
    )
    # When gaps and double bookings were looked for: who looks takes the row first.
    checked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "schedule"
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="schedule_name")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Ask whether there is room for one more."""
        limits.ask_room(self)


class Layer(TenantModel):
    """One row is a rotation of a schedule (escalation/shifts.py).

    The first turn begins on `starts_on` at `handoff`, wall time of the layer's zone,
    or the schedule's where it has none.
    """

    schedule = TenantForeignKey(
        Schedule,
        models.CASCADE,
        related_name="layers",
        verbose_name=_("schedule"),
    )
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    level = models.PositiveSmallIntegerField(
        _("priority"),
        default=0,
        validators=[MaxValueValidator(HIGHEST_LEVEL)],
        help_text=_("The highest wins; layers of one priority are on call together."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        validators=[validate_time_zone],
    )
    frequency = models.CharField(
        _("unit"),
        max_length=10,
        choices=Frequency.choices,
        default=Frequency.WEEKLY,
    )
    every = models.PositiveSmallIntegerField(
        _("length of a turn"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TURN)],
    )
    starts_on = models.DateField(_("first day"))
    handoff = models.TimeField(_("hand-over at"), default=time(9))
    ends_on = models.DateField(_("last hand-over"), null=True, blank=True)
    lasts_minutes = models.PositiveIntegerField(
        _("a shift ends after (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_SHIFT)],
        help_text=_("Empty: it lasts until the next begins."),
    )
    weekdays = models.JSONField(
        _("weekdays"), default=every_day, validators=[validate_days]
    )
    hours = models.JSONField(
        _("only at these hours"),
        default=list,
        blank=True,
        validators=[validate_hours],
    )
    holidays = models.CharField(
        _("holidays"),
        max_length=10,
        choices=OnHolidays.choices,
        default=OnHolidays.ANY,
    )
    # Which of the turns comes first: moved when turns are added or removed, so that
    # whoever is on call stays so.
    first_turn = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "layer"
        verbose_name = _("layer")
        verbose_name_plural = _("layers")
        ordering = ["-level", "name", "id"]
        indexes = [models.Index(fields=["tenant", "schedule"], name="layer_of")]

    def __str__(self) -> str:
        return self.name or gettext("Layer of priority %(level)s") % {
            "level": self.level
        }

    def clean(self) -> None:
        """Ask for an end after the start, both in reach, and for room."""
        limits.ask_room(self)
        names = ("starts_on", "ends_on")
        if wrong := out_of_reach(self.starts_on, self.ends_on, names):
            raise ValidationError(wrong)
        if is_backwards(self.starts_on, self.ends_on):
            raise ValidationError({"ends_on": _("It ends before it begins.")})


class Turn(TenantModel):
    """One row is one member's place in a layer; equal positions are on call
    together."""

    layer = TenantForeignKey(Layer, models.CASCADE, related_name="turns")
    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        db_table = "turn"
        verbose_name = _("turn")
        verbose_name_plural = _("turns")
        ordering = ["position"]
        indexes = [models.Index(fields=["tenant", "layer"], name="turn_of")]

    def __str__(self) -> str:
        return f"{self.position}. {self.member}"


class ScheduleNotice(TenantModel):
    """One row is something about a schedule that was told: once, whoever looks.

    `about` names a finding by weekday and clock, so that a gap of every Friday is one;
    `last_at` is the latest of its kind.
    """

    schedule = TenantForeignKey(Schedule, models.CASCADE, related_name="+")
    about = models.CharField(max_length=200)
    last_at = models.DateTimeField()
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "schedule_notice"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "schedule", "about"], name="schedule_notice_once"
            )
        ]
