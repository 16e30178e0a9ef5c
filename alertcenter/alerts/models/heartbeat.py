"""From what do we expect to hear, and what did it say of late?"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.events import BadItem, check_labels
from alertcenter.alerts.expected import BadCron, check_cron
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models.choices import Severity
from alertcenter.alerts.models.conditions import validate_matchers
from tenants.models.base import TenantModel, TenantRow
from tenants.models.integration import SLUG
from tenants.rls import TenantForeignKey
from tenants.timezones import validate_time_zone

SHORTEST_PERIOD = 10
LONGEST_PERIOD = 366 * 86_400
LONGEST_BODY = 10_240


class HeartbeatState(models.TextChoices):
    """How it is with what we wait for."""

    NEW = "new", _("never heard of")
    UP = "up", _("up")
    STARTED = "started", _("running")
    LATE = "late", _("late")
    DOWN = "down", _("down")
    PAUSED = "paused", _("paused")


class PingKind(models.TextChoices):
    """What a ping said."""

    SUCCESS = "success", _("success")
    START = "start", _("start")
    FAIL = "fail", _("failure")
    EXIT = "exit", _("exit code")
    LOG = "log", _("log")


def validate_cron(text: str) -> None:
    """Raise ValidationError unless `text` is a cron expression that comes true."""
    try:
        check_cron(text)
    except BadCron as error:
        raise ValidationError(
            gettext("%(cron)s is not a cron expression such as 30 2 * * 1-5."),
            params={"cron": text},
        ) from error


def validate_watch(value: object) -> None:
    """Raise ValidationError unless `value` is a list of conditions, one of them plain.

    By that one the alerts are found in the index of labels.
    """
    validate_matchers(value)
    if not isinstance(value, list) or not value:
        return
    try:
        plain = any(map(is_plain, map(parse, value)))
    except MatcherError:
        return
    if not plain:
        raise ValidationError(
            gettext('One condition must name a value, as alertname="Watchdog".')
        )


def validate_labels(value: object) -> None:
    """Raise ValidationError unless `value` could be the labels of an event."""
    if not isinstance(value, dict):
        raise ValidationError(gettext("Give names and values."))
    try:
        check_labels({str(name): str(text) for name, text in value.items()})
    except BadItem as error:
        raise ValidationError(str(error)) from error


def is_plain(one: Matcher) -> bool:
    """Whether the condition names a label's value; a severity is no such label."""
    return one.operator == "=" and bool(one.value) and one.name != "severity"


class Heartbeat(TenantModel):
    """One row is one thing that has to be heard of regularly.

    Every `period_seconds`, or by `cron` in `time_zone`. `expected_at` is when the next
    ping should come, `due_at` when its absence becomes an alert; both are empty while
    nothing is waited for. `changed_at` is when its alert last opened or closed. The
    address it is pinged at holds a token, of which only a keyed hash is kept.
    """

    name = models.CharField(_("name"), max_length=100)
    slug = models.CharField(_("short name"), max_length=50, validators=[SLUG])
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    period_seconds = models.PositiveIntegerField(
        _("period (seconds)"),
        null=True,
        blank=True,
        validators=[
            MinValueValidator(SHORTEST_PERIOD),
            MaxValueValidator(LONGEST_PERIOD),
        ],
    )
    cron = models.CharField(
        _("cron expression"),
        max_length=100,
        blank=True,
        default="",
        validators=[validate_cron],
        help_text=_("Instead of a period, for example 30 2 * * 1-5."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )
    grace_seconds = models.PositiveIntegerField(
        _("grace (seconds)"),
        default=300,
        validators=[MaxValueValidator(LONGEST_PERIOD)],
        help_text=_("How much later than expected is still in time."),
    )
    severity = models.SmallIntegerField(
        _("severity"), choices=Severity.choices, default=Severity.CRITICAL
    )
    labels = models.JSONField(
        _("labels"), default=dict, blank=True, validators=[validate_labels]
    )
    message = models.TextField(_("message"), blank=True, default="", max_length=4_000)
    match = models.JSONField(
        _("watch alerts"), default=list, blank=True, validators=[validate_watch]
    )
    enabled = models.BooleanField(_("active"), default=True, editable=False)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=HeartbeatState.choices,
        default=HeartbeatState.NEW,
        editable=False,
    )
    last_ping_at = models.DateTimeField(_("last seen"), null=True, editable=False)
    last_start_at = models.DateTimeField(_("last start"), null=True, editable=False)
    last_exit = models.SmallIntegerField(_("last exit code"), null=True, editable=False)
    last_body = models.TextField(_("last output"), default="", editable=False)
    expected_at = models.DateTimeField(_("expected"), null=True, editable=False)
    due_at = models.DateTimeField(_("overdue from"), null=True, editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "heartbeat"
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "slug"], name="heartbeat_slug"),
            models.CheckConstraint(
                condition=models.Q(period_seconds__isnull=False, cron="")
                | models.Q(period_seconds__isnull=True) & ~models.Q(cron=""),
                name="heartbeat_period_or_cron",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="heartbeat_due",
            ),
            models.Index(
                fields=["expected_at"],
                condition=models.Q(state="up"),
                name="heartbeat_expected",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if bool(self.period_seconds) == bool(self.cron):
            message = gettext("Give either a period or a cron expression.")
            raise ValidationError({"cron": message})


class HeartbeatPing(TenantRow):
    """One row is one ping; of each heartbeat the last hundred are kept."""

    id = models.BigAutoField(primary_key=True)
    heartbeat = TenantForeignKey(
        Heartbeat, models.CASCADE, db_index=False, related_name="pings"
    )
    at = models.DateTimeField(_("at"), db_default=Now())
    kind = models.CharField(_("what"), max_length=10, choices=PingKind.choices)
    exit_code = models.SmallIntegerField(_("exit code"), null=True)
    body = models.CharField(_("output"), max_length=500, default="")

    class Meta:
        db_table = "heartbeat_ping"
        verbose_name = _("ping")
        verbose_name_plural = _("pings")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["tenant", "heartbeat", "-id"], name="heartbeat_ping_recent"
            )
        ]
