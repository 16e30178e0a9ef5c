"""How do tests open a dashboard's socket? In process, through the real routing."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from alertcenter.dashboard.hub import hub
from alertcenter.dashboard.routing import websocket_application

HOST = "alerts.example"


def session_of(user) -> str:
    """Log in and return the session's cookie value."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def headers(session: str | None, origin: str | None = f"https://{HOST}"):
    found = [(b"host", HOST.encode())]
    if origin is not None:
        found.append((b"origin", origin.encode()))
    if session:
        cookie = f"{settings.SESSION_COOKIE_NAME}={session}"
        found.append((b"cookie", cookie.encode()))
    return found


class Screen:
    """An open dashboard. (channels.testing would need daphne.)"""

    def __init__(self, path: str, session: str | None, origin: str | None) -> None:
        route, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "path": route,
            "query_string": query.encode(),
            "headers": headers(session, origin),
            "subprotocols": [],
        }
        self.raw = ApplicationCommunicator(websocket_application, scope)

    async def open(self) -> tuple[bool, int | None]:
        """Return whether the server accepts, and its code where it does not."""
        await self.raw.send_input({"type": "websocket.connect"})
        answer = await self.raw.receive_output(5)
        return answer["type"] == "websocket.accept", answer.get("code")

    async def close(self) -> None:
        await self.raw.send_input({"type": "websocket.disconnect", "code": 1005})
        await self.raw.wait(3)

    async def frame(self, seconds: float = 3) -> dict[str, Any]:
        message = await self.raw.receive_output(seconds)
        assert message["type"] == "websocket.send", message
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def frame_of(self, kind: str, seconds: float = 3) -> dict[str, Any]:
        """Return the next frame of this kind, passing over others."""
        async with asyncio.timeout(seconds):
            while (frame := await self.frame(seconds))["t"] != kind:
                pass
            return frame

    async def say(self, frame: Any) -> None:
        await self.type(json.dumps(frame))

    async def type(self, text: str) -> None:
        await self.raw.send_input({"type": "websocket.receive", "text": text})

    async def closing(self, seconds: float = 3) -> int:
        """Return the code with which the server closes."""
        async with asyncio.timeout(seconds):
            while message := await self.raw.receive_output(seconds):
                if message["type"] == "websocket.close":
                    return int(message["code"])
        raise AssertionError("not closed")


@asynccontextmanager
async def screen(slug: str, session: str | None, *, since=None, origin="default"):
    """Open a dashboard of tenant `slug`; it is left when the block ends."""
    origin = f"https://{HOST}" if origin == "default" else origin
    query = "" if since is None else f"?since={since}"
    made = Screen(f"/ws/{slug}/{query}", session, origin)
    try:
        yield made
    finally:
        await made.close()
        await hub().stop()
