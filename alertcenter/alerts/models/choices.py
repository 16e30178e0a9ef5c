"""The severity scale with the words people read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.IntegerChoices):
    """The scale; higher is worse."""

    DEBUG = 1, _("debug")
    INFO = 2, _("info")
    WARNING = 3, _("warning")
    ERROR = 4, _("error")
    CRITICAL = 5, _("critical")
