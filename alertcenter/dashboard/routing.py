"""Which websocket leads where?"""

from __future__ import annotations

from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.urls import re_path

from alertcenter.dashboard.consumers import LiveConsumer

# The consumer reads the session itself, in its own threads and anew each minute;
# AuthMiddlewareStack would ask once, in the one thread that all share.
websocket_application = CookieMiddleware(
    URLRouter([re_path(r"^ws/(?P<slug>[a-z0-9-]+)/$", LiveConsumer.as_asgi())])
)
