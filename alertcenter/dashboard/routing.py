"""Which websocket leads where?"""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.urls import re_path

from alertcenter.dashboard.consumers import LiveConsumer


async def nowhere(_scope: Any, receive: Any, send: Any) -> None:
    """Refuse a socket to any other address: before the acceptance, with HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


# The consumer reads the session itself, in its own threads and anew each minute;
# AuthMiddlewareStack would ask once, in the one thread that all share.
websocket_application = CookieMiddleware(
    URLRouter(
        [
            re_path(r"^ws/(?P<slug>[a-z0-9-]+)/$", LiveConsumer.as_asgi()),
            re_path("", nowhere),  # type: ignore[arg-type]  # the stubs know views only
        ]
    )
)
