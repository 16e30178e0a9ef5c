"""What do people want to hear nothing of, until when, and why?"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.conditions import validate_matchers
from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey
from tenants.timezones import validate_time_zone


class SilenceKind(models.TextChoices):
    """Made by a person in the moment, or by the calendar."""

    SILENCE = "silence", _("silence")
    MAINTENANCE = "maintenance", _("maintenance")


class Silence(TenantModel):
    """One row mutes what it matches, from `starts_at` until `ends_at`.

    With `recurrence` (an RRULE of RFC 5545 without DTSTART) it holds for
    `duration_seconds` from each occurrence, which is wall clock time in `time_zone`;
    `starts_at` is the first one and nothing holds after `ends_at`. `until_gone`: it
    ends by itself when nothing it mutes fires. `route` or `group_id` narrow it. The
    engine looks again at `next_change_at`, and notes in `in_force` what it made of it
    last. Rules for updates: alertcenter.alerts.silences.
    """

    kind = models.CharField(
        _("kind"),
        max_length=12,
        choices=SilenceKind.choices,
        default=SilenceKind.SILENCE,
    )
    title = models.CharField(_("title"), max_length=200, blank=True, default="")
    matchers = models.JSONField(
        _("matchers"),
        default=list,
        validators=[validate_matchers],
        help_text=_("One condition a line; all must hold."),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    created_by = models.CharField(_("by"), max_length=200, blank=True, default="")
    owner = TenantForeignKey(
        "tenants.Member",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("owner"),
    )
    comment = models.TextField(_("reason"), blank=True, default="")
    annotations = models.JSONField(default=dict, blank=True)
    recurrence = models.CharField(
        _("recurrence"), max_length=300, blank=True, default=""
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        validators=[validate_time_zone],
    )
    duration_seconds = models.PositiveIntegerField(
        _("duration (seconds)"), null=True, blank=True
    )
    until_gone = models.BooleanField(
        _("ends when the alert is gone"),
        default=False,
        help_text=_("When nothing that it mutes fires any more."),
    )
    route = TenantForeignKey(
        "alerts.Route",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("only on this route"),
    )
    group_id = models.UUIDField(_("only in this group"), null=True, blank=True)
    remind_seconds = models.PositiveIntegerField(
        _("remind before the end (seconds)"), null=True, blank=True
    )
    reminded_at = models.DateTimeField(null=True, editable=False)
    # When it was first seen to mute something; `until_gone` waits for that.
    muted_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)
    in_force = models.BooleanField(_("in force"), default=False, editable=False)
    next_change_at = models.DateTimeField(null=True, db_default=Now(), editable=False)

    class Meta:
        db_table = "silence"
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
        ordering = ["-ends_at", "id"]
        indexes = [
            models.Index(fields=["tenant", "-ends_at"], name="silence_ends"),
            models.Index(fields=["tenant", "-updated_at"], name="silence_updated"),
            models.Index(
                fields=["next_change_at"],
                condition=Q(next_change_at__isnull=False),
                name="silence_next",
            ),
            models.Index(
                fields=["tenant"],
                condition=Q(until_gone=True, in_force=True),
                name="silence_until_gone",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.comment or ", ".join(map(str, self.matchers))


class Maintenance(Silence):
    """A silence made by the calendar; the same rows, on pages of their own."""

    class Meta:
        proxy = True
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")


class InhibitRule(TenantModel):
    """One row lets alerts that match `source_matchers` mute those that match
    `target_matchers` and agree with them in every label of `equal`."""

    name = models.CharField(_("name"), max_length=100)
    source_matchers = models.JSONField(
        _("while one of these fires"), default=list, validators=[validate_matchers]
    )
    target_matchers = models.JSONField(
        _("these are quiet"), default=list, validators=[validate_matchers]
    )
    equal = models.JSONField(
        _("if they agree in these labels"), default=list, blank=True
    )
    active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)

    class Meta:
        db_table = "inhibit_rule"
        verbose_name = _("inhibition")
        verbose_name_plural = _("inhibitions")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="inhibit_rule_name")
        ]

    def __str__(self) -> str:
        return self.name


class InhibitSource(TenantRow):
    """One row is one firing alert that one rule lets mute others.

    `agreed` is blake2b of the values of the rule's `equal`; `two_sided` when the alert
    is on the rule's target side too, so that it mutes no alert that is on both.
    """

    id = models.BigAutoField(primary_key=True)
    rule = TenantForeignKey(InhibitRule, models.CASCADE)
    alert = TenantForeignKey("alerts.Alert", models.CASCADE)
    agreed = models.CharField(max_length=32)
    two_sided = models.BooleanField()

    class Meta:
        db_table = "inhibit_source"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "rule", "alert"], name="inhibit_source_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "rule", "agreed"], name="inhibit_source_agreed"
            ),
            models.Index(fields=["tenant", "alert"], name="inhibit_source_alert"),
        ]
