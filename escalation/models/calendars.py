"""When is a person there, and which calendars tell or are told of it?"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from escalation import limits
from escalation.models.changes import Stretch, lasts
from escalation.models.schedule import Schedule, validate_hours
from tenants.fields import EncryptedField
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey

MOST_SKILLS, LONGEST_SKILL = 50, 50


def validate_skills(value: Any) -> None:
    """Raise ValidationError unless this is a list of some short words."""
    if (
        not isinstance(value, list)
        or len(value) > MOST_SKILLS
        or not all(
            isinstance(one, str) and 0 < len(one) <= LONGEST_SKILL for one in value
        )
    ):
        raise ValidationError(_("Skills are a list of short words."))


class ReadCalendar(models.Model):
    """What is known of reading a calendar from an address (calendar_reading.py)."""

    fetched_at = models.DateTimeField(_("read"), null=True, editable=False)
    error = models.TextField(_("error"), default="", editable=False)
    due_at = models.DateTimeField(db_default=Now(), editable=False)
    etag = models.CharField(max_length=300, default="", editable=False)
    last_modified = models.CharField(max_length=300, default="", editable=False)
    # Of what was read last and of all that it was understood by.
    digest = models.CharField(max_length=130, default="", editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    told_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def ask_anew(self) -> None:
        """Let it be read at once and as a whole; in the caller's save."""
        self.due_at = Now()
        self.etag = self.last_modified = self.digest = self.error = ""
        self.failures, self.told_at = 0, None


class Availability(ReadCalendar, TenantModel):
    """One row is when a member works, has holidays, is absent, and what he can do."""

    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )
    hours = models.JSONField(
        _("business hours"), default=list, blank=True, validators=[validate_hours]
    )
    holiday_country = models.CharField(
        _("holidays of country"), max_length=2, blank=True, default=""
    )
    holiday_subdivision = models.CharField(
        _("region"), max_length=10, blank=True, default=""
    )
    skills = models.JSONField(
        _("skills"), default=list, blank=True, validators=[validate_skills]
    )
    # The address of a private calendar is a secret: whoever has it reads it.
    absences_url = EncryptedField(_("calendar of absences"), null=True, blank=True)

    class Meta:
        db_table = "availability"
        verbose_name = _("availability")
        verbose_name_plural = _("availability")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "member"], name="availability_of")
        ]

    def __str__(self) -> str:
        return str(self.member)


class Absence(Stretch):
    """One row is a stretch in which a member is away; `uid` is the calendar entry it
    was read from, empty where a person wrote it."""

    member = TenantForeignKey(
        "tenants.Member", models.CASCADE, verbose_name=_("member")
    )
    uid = models.CharField(max_length=300, blank=True, default="", editable=False)

    class Meta:
        db_table = "absence"
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["starts_at"]
        constraints = [lasts("absence")]
        indexes = [
            models.Index(fields=["tenant", "member", "ends_at"], name="absence_of")
        ]

    def __str__(self) -> str:
        return str(self.member)


class CalendarImport(ReadCalendar, TenantModel):
    """One row is an iCal address whose events are shifts of a schedule; those of an
    `overrides` calendar take over alone."""

    schedule = TenantForeignKey(Schedule, models.CASCADE, related_name="imports")
    url = EncryptedField(_("calendar address"))
    overrides = models.BooleanField(_("its events are overrides"), default=False)
    # Names in events that are nobody's.
    unknown = models.JSONField(default=list, editable=False)

    class Meta:
        db_table = "calendar_import"
        verbose_name = _("imported calendar")
        verbose_name_plural = _("imported calendars")
        indexes = [
            models.Index(fields=["tenant", "schedule"], name="calendar_import_of")
        ]

    def __str__(self) -> str:
        return str(self.schedule)

    def clean(self) -> None:
        """Ask whether there is room for one more."""
        limits.ask_room(self)


class ImportedShift(Stretch):
    """One row is a shift read from a calendar."""

    calendar = TenantForeignKey(CalendarImport, models.CASCADE, related_name="shifts")
    member = TenantForeignKey("tenants.Member", models.CASCADE)
    level = models.PositiveSmallIntegerField(default=0)
    uid = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        db_table = "imported_shift"
        verbose_name = _("imported shift")
        verbose_name_plural = _("imported shifts")
        constraints = [lasts("imported_shift")]
        indexes = [
            models.Index(
                fields=["tenant", "calendar", "ends_at"], name="imported_shift_of"
            )
        ]


class CalendarFeed(TenantModel):
    """One row is a private address that shows shifts to calendar clients: those of a
    schedule, of a member, or of a member in a schedule."""

    schedule = TenantForeignKey(
        Schedule, models.CASCADE, null=True, blank=True, verbose_name=_("schedule")
    )
    member = TenantForeignKey(
        "tenants.Member",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("member"),
    )
    lookup_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        db_table = "calendar_feed"
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        indexes = [models.Index(fields=["tenant", "schedule"], name="calendar_feed_of")]

    def __str__(self) -> str:
        return ", ".join(str(one) for one in (self.schedule, self.member) if one)
