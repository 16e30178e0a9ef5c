"""The heart: events in, alerts, groups, transitions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    name = "alertcenter.alerts"
    label = "alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        from alertcenter.alerts import retention

        retention.register()
