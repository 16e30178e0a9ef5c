"""Run one dispatcher: it groups, escalates and relays; any number may run."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from alertcenter import engine
from alertcenter.common import logs


def _ask(stop: threading.Event) -> None:
    """Set it from another thread: the signal may have interrupted its lock's holder."""
    threading.Thread(target=stop.set, daemon=True).start()


class Command(BaseCommand):
    help = "Run one dispatcher until SIGTERM; any number may run."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        logs.configure()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: _ask(stop))
        engine.run(stop)
