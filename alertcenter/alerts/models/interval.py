"""When is a route quiet, or heard at all?"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.intervals import IntervalError, parse
from tenants.models.base import TenantModel


def validate_times(value: object) -> None:
    """Raise ValidationError unless Alertmanager would read `value`."""
    try:
        parse(value)
    except IntervalError as error:
        raise ValidationError(str(error)) from error


class TimeInterval(TenantModel):
    """One row is a named set of times, as in Alertmanager's `time_intervals`.

    `times` is a list of {"times": [{"start_time": "09:00", "end_time": "17:00"}],
    "weekdays": ["monday:friday"], "days_of_month": ["1:5", "-3:-1"], "months":
    ["january:march"], "years": ["2026:2027"], "location": "Europe/Paris"}.
    """

    name = models.CharField(_("name"), max_length=100)
    times = models.JSONField(_("times"), default=list, validators=[validate_times])

    class Meta:
        db_table = "time_interval"
        verbose_name = _("time interval")
        verbose_name_plural = _("time intervals")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="time_interval_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
