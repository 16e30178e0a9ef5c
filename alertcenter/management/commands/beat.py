"""Run Celery beat: nudges on a schedule that the admin shows."""

from __future__ import annotations

from typing import Any

from celery.apps.beat import Beat
from celery.beat import Service
from django.core.management.base import BaseCommand

from alertcenter.celery import app


class PromptBeat(Beat):
    """Beat that SIGTERM ends at once.

    Celery's handler writes the schedule to the database first. It may interrupt a
    query on that very connection, and then waits for itself for ever; or the
    database is gone, and its error takes the place of the exit. What it would have
    written is when each nudge last ran, and a nudge too many does no harm.
    """

    def install_sync_handler(self, service: Service) -> None:
        pass


class Command(BaseCommand):
    help = "Run Celery beat with the schedule stored in the database."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        PromptBeat(app=app, loglevel="INFO").run()
