"""Take mails as alerts, on ALERTCENTER_SMTP_PORT."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alertcenter.alerts import intake, raw_events
from alertcenter.api import keys, mail, sharing
from alertcenter.api.integrations import USE
from alertcenter.common import logs
from alertcenter.settings.env import read


class Command(BaseCommand):
    help = "Take mails as alerts until SIGTERM, on ALERTCENTER_SMTP_PORT."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        env = read()
        port = env.text("ALERTCENTER_SMTP_PORT")
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise CommandError("ALERTCENTER_SMTP_PORT must be a port's number.")
        logs.configure()
        for part in (keys, intake, raw_events, sharing, USE):
            part.start()
        try:
            asyncio.run(run(env.text("ALERTCENTER_SMTP_HOST", "127.0.0.1"), int(port)))
        finally:
            for part in (USE, sharing, intake, raw_events, keys):
                part.stop()


async def run(host: str, port: int) -> None:
    """Serve until a signal asks to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await mail.serve(host, port, stop)
