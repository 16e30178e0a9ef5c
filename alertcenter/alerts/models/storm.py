"""Which routes are in a storm, and how fast do groups open on each?"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tenants.models.base import TenantModel, TenantRow
from tenants.rls import TenantForeignKey


class Storm(TenantModel):
    """One row is one storm on one route, from the group too many to the last calm.

    `began_at` until `ended_at` new groups are held (they carry the storm's id); what
    is told of them is told of `group`, which the engine opens and which is handled as
    any other. It is resolved, and the storm `closed_at`, when none of them fires. The
    engine looks at it again at `look_at`.
    """

    route = TenantForeignKey("alerts.Route", models.CASCADE, verbose_name=_("route"))
    group_id = models.UUIDField(_("group"), null=True)
    began_at = models.DateTimeField(_("began"), db_default=Now())
    calm_since = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("over"), null=True)
    closed_at = models.DateTimeField(_("resolved"), null=True)
    look_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(_("last told"), null=True)
    told_groups = models.IntegerField(default=0)
    groups = models.IntegerField(_("groups"), default=0)
    alerts = models.IntegerField(_("alerts"), default=0)
    open_groups = models.IntegerField(_("still open"), default=0)

    class Meta:
        db_table = "storm"
        verbose_name = _("storm")
        verbose_name_plural = _("storms")
        ordering = ["-began_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "route"],
                condition=Q(ended_at=None),
                name="storm_one_a_route",
            )
        ]
        indexes = [
            models.Index(
                fields=["look_at"], condition=Q(closed_at=None), name="storm_look"
            ),
            models.Index(fields=["tenant", "-began_at"], name="storm_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.route}: {self.began_at:%Y-%m-%d %H:%M}"


class RouteRate(TenantRow):
    """One row counts the groups that opened on one route in this minute and in the
    one before; `minute` counts from 1970."""

    id = models.BigAutoField(primary_key=True)
    route = TenantForeignKey("alerts.Route", models.CASCADE)
    minute = models.BigIntegerField()
    this = models.IntegerField()
    before = models.IntegerField()

    class Meta:
        db_table = "route_rate"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "route"], name="route_rate_once")
        ]
