"""Which application answers a connection? Routed by path, before any middleware.

Events take the fast road past Django; websockets go to Channels; all else, pages
and the documented API, to Django.
"""

from __future__ import annotations

import asyncio
import gc
import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from alertcenter.settings import module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", module())
handler: Any = get_wsgi_application()

# These need the settings and the app registry, which the line above made ready.
from alertcenter import health  # noqa: E402
from alertcenter.alerts import intake, raw_events  # noqa: E402
from alertcenter.api import incoming, ingest, keys, raw, sharing, taking  # noqa: E402
from alertcenter.api.in_threads import InThreads  # noqa: E402
from alertcenter.api.integrations import USE  # noqa: E402
from alertcenter.api.quick import QuickProtocol  # noqa: E402
from alertcenter.dashboard.routing import websocket_application  # noqa: E402

__all__ = ["QuickProtocol", "application"]

# Django spools whatever it is sent to disk, for strangers too, and looks at the length
# only when a view reads it: so nothing reaches it unmeasured. The longest forms are the
# admin's, which Django itself limits to this.
MOST_OF_A_FORM: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or raw.MOST_BYTES
MACHINES = (
    "/t/",
    "/h/",
    "/calendar/",
    "/slack/",
    "/api/",
    "/pagerduty/",
    "/opsgenie/",
    "/servicenow/",
    "/alerta/",
    "/victorops/",
)
django_application = InThreads(handler)
for_machines = raw.bounded(django_application)
for_people = raw.bounded(django_application, MOST_OF_A_FORM)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve one connection."""
    if scope["type"] == "http":
        await application_for(scope)(scope, receive, send)
    elif scope["type"] == "websocket":
        await websocket_application(scope, receive, send)
    else:
        await lifespan(receive, send)


def application_for(scope: Any) -> Any:
    """Return who answers this HTTP request."""
    fast = ingest.application_for(scope)
    if fast is not None:
        return fast
    path = scope["path"]
    if "/in/" in path and (tool := incoming.application_for(path)) is not None:
        return tool
    return for_machines if scope["path"].startswith(MACHINES) else for_people


async def lifespan(receive: Any, send: Any) -> None:
    """Start and stop what lives as long as this process."""
    await receive()
    refusal = await asyncio.to_thread(start)
    if refusal:
        await send({"type": "lifespan.startup.failed", "message": refusal})
        return
    taking.MEMORY.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    taking.MEMORY.stop()
    await asyncio.to_thread(stop)
    await send({"type": "lifespan.shutdown.complete"})


def start() -> str:
    """Start the writer and the keys' listener; or return why this must not run."""
    refusal = health.refusal()
    if not refusal:
        # Ten thousand events are alive at a time, and none of them in a circle: looking
        # for circles after each 700 objects took half of all the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        keys.start()
        intake.start()
        raw_events.start()
        sharing.start()
        USE.start()
    return refusal


def stop() -> None:
    """Write what waits, then let go."""
    sharing.stop()
    USE.stop()
    intake.stop()
    raw_events.stop()
    keys.stop()
