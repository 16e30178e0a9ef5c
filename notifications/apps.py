"""The notifications room: what is said, to whom, and whether it arrived."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from notifications import retention
        from notifications.default_templates import install_templates
        from tenants.founding import on_founding

        if install_templates not in on_founding:
            on_founding.append(install_templates)
        retention.register()
