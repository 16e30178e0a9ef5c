"""Which alerts are handled together, by which policy?"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.conditions import validate_matchers
from tenants.models.base import TenantModel
from tenants.rls import TenantForeignKey


class Route(TenantModel):
    """One row sends alerts that match to a policy, grouped by labels.

    `matchers` is a list of texts such as `team="db"` or `env=~"prod|stage"`, all
    of which must hold; the first route by `position` wins, the default comes last.
    """

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
    group_by = models.JSONField(
        _("group by"),
        default=list,
        blank=True,
        help_text=_("Label names; alerts that agree in all of them are one group."),
    )
    group_wait_seconds = models.PositiveIntegerField(
        _("wait before the first message (seconds)"), default=10
    )
    policy = TenantForeignKey(
        "escalation.Policy",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("policy"),
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
