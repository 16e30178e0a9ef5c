"""Which alerts are handled together, by which policy, told to which channels?"""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.conditions import validate_matchers
from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey

LONGEST_SECONDS = 366 * 24 * 3600
MOST_A_MINUTE = 1_000_000


class Route(TenantModel):
    """One row is a node of the tree that sends alerts on, grouped by labels.

    `matchers` is a list of texts such as `team="db"` or `env=~"prod|stage"`, all
    of which must hold. The default route is the root; a route without a parent is
    the root's child. Siblings are tried in the order of `position`. Empty settings
    are the parent's, but intervals are never inherited (Alertmanager's rules,
    reference/wire-protocols.md 3.3). `receiver` is the name that its clients see.
    """

    parent = TenantForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("below"),
        help_text=_("Empty: directly below the default route."),
    )
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveIntegerField(
        _("position"), default=100, help_text=_("Lower numbers are tried first.")
    )
    matchers = models.JSONField(
        _("matchers"),
        default=list,
        blank=True,
        validators=[validate_matchers],
        help_text=_('One condition a line, for example severity="critical".'),
    )
    continue_matching = models.BooleanField(
        _("go on to the next route"),
        default=False,
        help_text=_("What this route takes may go to the routes after it as well."),
    )
    group_by = models.JSONField(
        _("group by"),
        null=True,
        default=None,
        blank=True,
        help_text=_("Label names; alerts that agree in all of them are one group."),
    )
    group_wait_seconds = models.PositiveIntegerField(
        _("wait before the first message (seconds)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_SECONDS)],
    )
    group_interval_seconds = models.PositiveIntegerField(
        _("least time between messages about a group (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_SECONDS)],
    )
    repeat_interval_seconds = models.PositiveIntegerField(
        _("say it again after (seconds)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_SECONDS)],
    )
    storm_per_minute = models.PositiveIntegerField(
        _("groups a minute that are a storm"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_A_MINUTE)],
        help_text=_(
            "When more open in a minute, one page speaks for all of them. "
            "0: never; empty: as above."
        ),
    )
    mute_intervals = models.JSONField(
        _("quiet in these intervals"),
        default=list,
        blank=True,
        help_text=_("Names of time intervals."),
    )
    active_intervals = models.JSONField(
        _("heard in these intervals only"),
        default=list,
        blank=True,
        help_text=_("Names of time intervals."),
    )
    labels = models.JSONField(
        _("labels"),
        default=dict,
        blank=True,
        help_text=_("Said with every message that this route sends."),
    )
    receiver = models.CharField(
        _("receiver"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("The name that Alertmanager's clients see; empty: the route's."),
    )
    tells_nobody = models.BooleanField(
        _("tells nobody"),
        default=False,
        help_text=_("Its alerts are shown, and nobody is told."),
    )
    policy = TenantForeignKey(
        "escalation.Policy",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("policy"),
    )
    channels: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "notifications.Channel",
        through="alerts.RouteChannel",
        blank=True,
        related_name="routes",
        verbose_name=_("channels"),
        help_text=_("Told of every group, with reminders until it is resolved."),
    )
    is_default = models.BooleanField(
        _("default route"),
        default=False,
        help_text=_("Takes what no other route matches."),
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "route"
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["is_default", "position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(is_default=True),
                name="route_one_default",
            ),
            models.UniqueConstraint(fields=["tenant", "name"], name="route_name"),
        ]

    def __str__(self) -> str:
        return self.name


class RouteChannel(TenantRow):
    """One row is one channel that one route tells."""

    id = models.BigAutoField(primary_key=True)
    route = TenantForeignKey(Route, models.CASCADE)
    channel = TenantForeignKey("notifications.Channel", models.CASCADE)

    class Meta:
        db_table = "route_channel"
        verbose_name = _("channel of a route")
        verbose_name_plural = _("channels of a route")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "route", "channel"], name="route_channel_once"
            )
        ]
