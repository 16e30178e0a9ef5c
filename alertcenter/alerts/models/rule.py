"""What is changed or dropped before an event counts?"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.models.choices import Severity
from alertcenter.alerts.models.conditions import validate_matchers
from tenants.models.base import TenantModel


class Rule(TenantModel):
    """One row matches events on their way in and drops or changes them.

    Rules run in order of position; each that matches is applied. Labels set here
    belong to the alert's identity, as if the source had sent them.
    """

    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=100)
    matchers = models.JSONField(
        _("matchers"),
        default=list,
        blank=True,
        validators=[validate_matchers],
        help_text=_("One condition a line; no condition matches every event."),
    )
    drop = models.BooleanField(
        _("drop"), default=False, help_text=_("Events that match are not kept.")
    )
    set_severity = models.SmallIntegerField(
        _("set severity"), choices=Severity.choices, null=True, blank=True
    )
    set_labels = models.JSONField(
        _("set labels"),
        default=dict,
        blank=True,
        help_text=_("Label names and values; an empty value removes the label."),
    )
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        db_table = "rule"
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
