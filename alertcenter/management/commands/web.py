"""Serve HTTP and websockets on one port."""

from __future__ import annotations

from typing import Any

import uvicorn
from django.core.management.base import BaseCommand

from alertcenter.common import logs
from alertcenter.settings.env import read

BACKLOG = 4096
GRACE_SECONDS = 3
LARGEST_FRAME = 128 * 1024  # the dashboard's consumer refuses half of that politely


class Command(BaseCommand):
    help = "Serve HTTP and websockets on PORT (8000)."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        env = read()
        logs.configure()
        uvicorn.run(
            "alertcenter.asgi:application",
            host=env.text("ALERTCENTER_BIND", "127.0.0.1"),
            port=env.port,
            workers=env.web_concurrency,
            loop="uvloop",
            # By name: it is found where Django has been made ready first.
            http="alertcenter.asgi:QuickProtocol",
            ws="websockets-sansio",
            # Frames are small and many: deflate costs more than it saves.
            ws_per_message_deflate=False,
            ws_max_size=LARGEST_FRAME,
            backlog=BACKLOG,
            access_log=False,
            log_config=None,
            # Client addresses are judged by ALERTCENTER_TRUSTED_PROXIES alone.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
