"""The wiring: commands and start-up checks."""

from django.apps import AppConfig


class AlertCenterConfig(AppConfig):
    name = "alertcenter"
    label = "alertcenter"

    def ready(self) -> None:
        from alertcenter import checks  # noqa: F401  registers itself
