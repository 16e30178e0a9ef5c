"""Run one Celery worker: hands that deliver messages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from alertcenter.celery import app
from alertcenter.settings.env import read


class Command(BaseCommand):
    help = "Run one Celery worker with a pool of two processes."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        env = read()
        hands = env.number("ALERTCENTER_WORKER_CONCURRENCY", 2, 1, 64)
        name = env.text("AC_PROCESS", "worker")
        app.worker_main(
            [
                "worker",
                "--pool=prefork",
                f"--concurrency={hands}",
                f"--hostname={name}@%h",
                "--loglevel=INFO",
                # Workers need not know of each other; the truth is in PostgreSQL.
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )
