"""Run Celery beat: nudges on a schedule that the admin shows."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from alertcenter.celery import app


class Command(BaseCommand):
    help = "Run Celery beat with the schedule stored in the database."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        app.start(["beat", "--loglevel=INFO"])
