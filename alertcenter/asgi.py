"""Which application answers a connection? Routed by path, before any middleware."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

from alertcenter.settings import module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", module())
django_application = get_asgi_application()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve one connection."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        from alertcenter.dashboard.routing import websocket_application

        await websocket_application(scope, receive, send)
    else:
        await django_application(scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    """Start and stop what lives as long as this process."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
