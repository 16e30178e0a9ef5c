"""The API: the fast path, DRF resources, Slack's callbacks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "alertcenter.api"
    label = "api"
    verbose_name = _("API")
