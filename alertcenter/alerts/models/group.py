"""What is handled as one?"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.choices import Severity
from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey


class GroupState(models.TextChoices):
    """Where the handling of a group stands."""

    FIRING = "firing", _("firing")
    ACKNOWLEDGED = "acknowledged", _("acknowledged")
    SNOOZED = "snoozed", _("snoozed")
    RESOLVED = "resolved", _("resolved")


class Group(TenantModel):
    """One row is alerts handled as one: acknowledged, escalated, shown together.

    `key` is sha256(route id, canonical group labels), unique among groups that
    are not resolved. `version` grows with every change, for screens to compare.
    """

    number = models.BigIntegerField(_("number"))
    key = models.CharField(max_length=64)
    route = TenantForeignKey(
        "alerts.Route", models.SET_NULL, null=True, verbose_name=_("route")
    )
    previous_id = models.UUIDField(null=True)
    state = models.CharField(
        _("state"), max_length=12, choices=GroupState.choices, default=GroupState.FIRING
    )
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    # What a policy raised it to: it is no less, whatever its alerts say.
    raised_to = models.SmallIntegerField(default=0, db_default=0)
    title = models.TextField(_("title"))
    labels = models.JSONField(_("labels"), default=dict)
    opened_at = models.DateTimeField(_("opened"))
    changed_at = models.DateTimeField(_("changed"))
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    acked_at = models.DateTimeField(_("acknowledged"), null=True)
    acked_by = models.CharField(_("acknowledged by"), max_length=200, default="")
    acked_severity = models.SmallIntegerField(null=True)
    snooze_until = models.DateTimeField(_("snoozed until"), null=True)
    assignee = TenantForeignKey(
        "tenants.Member", models.SET_NULL, null=True, verbose_name=_("assigned to")
    )
    firing_count = models.IntegerField(_("firing"), default=0)
    alert_count = models.IntegerField(_("alerts"), default=0)
    # Firing members that are marked: when all are, nobody is told.
    quiet_count = models.IntegerField(_("quiet"), default=0, db_default=0)
    # Since when one of its alerts flaps: till it is calm, the group stays open.
    flapping_since = models.DateTimeField(_("flapping since"), null=True)
    # The storm in which it opened: that one's group is told in its place.
    storm_id = models.UUIDField(null=True)
    service = TenantForeignKey(
        "alerts.Service",
        models.SET_NULL,
        null=True,
        db_index=False,
        verbose_name=_("service"),
    )
    # 1 to 5, and why: alertcenter.alerts.priority.
    priority = models.SmallIntegerField(_("priority"), default=4, db_default=4)
    priority_reason = models.JSONField(default=list, db_default=[])
    version = models.IntegerField(default=1)

    class Meta:
        db_table = "alert_group"
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                condition=~Q(state="resolved"),
                name="group_open_key",
            ),
            models.UniqueConstraint(fields=["tenant", "number"], name="group_number"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "state", "priority", "-severity", "-opened_at"],
                name="group_state",
            ),
            models.Index(
                fields=["tenant", "service", "state", "-severity"],
                condition=Q(service__isnull=False),
                name="group_service",
            ),
            models.Index(fields=["tenant", "-opened_at", "id"], name="group_recent"),
            models.Index(
                fields=["tenant", "-resolved_at"],
                condition=Q(state="resolved"),
                name="group_resolved",
            ),
            # Of what opens, the group before it.
            models.Index(
                fields=["tenant", "key", "-number"],
                condition=Q(state="resolved"),
                name="group_previous",
            ),
            models.Index(
                fields=["snooze_until"],
                condition=Q(state="snoozed"),
                name="group_snoozed",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(flapping_since__isnull=False) & ~Q(state="resolved"),
                name="group_flapping",
            ),
            models.Index(
                fields=["tenant", "storm_id"],
                condition=Q(storm_id__isnull=False),
                name="group_storm",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


class GroupAlert(TenantRow):
    """One row is one alert's membership in one group, by episode."""

    id = models.BigAutoField(primary_key=True)
    group = TenantForeignKey(Group, models.CASCADE, related_name="memberships")
    alert = TenantForeignKey("alerts.Alert", models.CASCADE, related_name="memberships")
    episode_id = models.UUIDField()
    joined_at = models.DateTimeField(_("joined"))
    left_at = models.DateTimeField(_("left"), null=True)
    # Marks: why nobody hears of it now. Ids of silences, and of alerts that inhibit.
    silenced_by = ArrayField(models.UUIDField(), default=list, db_default=[])
    inhibited_by = ArrayField(models.UUIDField(), default=list, db_default=[])
    flapping_since = models.DateTimeField(_("flapping since"), null=True)
    # Marked by protocols that acknowledge one alert; the group follows with its last.
    acked_at = models.DateTimeField(_("acknowledged"), null=True)

    class Meta:
        db_table = "group_alert"
        verbose_name = _("member alert")
        verbose_name_plural = _("member alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "group", "alert"], name="group_alert_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "alert"],
                condition=Q(left_at=None),
                name="group_alert_open",
            ),
            # For the key of an alert that retention lets go.
            models.Index(fields=["tenant", "alert"], name="group_alert_alert"),
        ]


class GroupCounter(TenantRow):
    """One row holds the last group number of one tenant."""

    id = models.BigAutoField(primary_key=True)
    last = models.BigIntegerField(default=0)

    class Meta:
        db_table = "group_counter"
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="group_counter_tenant")
        ]
