"""The wiring: commands and start-up checks."""

from django.apps import AppConfig


class AlertCenterConfig(AppConfig):
    name = "alertcenter"
    label = "alertcenter"

    def ready(self) -> None:
        # The checks register themselves; tasks find their Celery application.
        from alertcenter import celery, checks  # noqa: F401
