"""How do tests speak to the whole ASGI application, byte by byte?"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any

from asgiref.sync import ThreadSensitiveContext

from alertcenter.asgi import application

CHUNK = 65_536


@dataclass
class Answer:
    """One whole response."""

    status: int
    headers: dict[str, str]
    body: bytes
    read: int  # bytes of the request's body that the application asked for

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def sentence(self) -> str:
        """What the answer says to a person, in whichever shape."""
        told = self.json
        if isinstance(told, str):
            return told
        return str(told.get("message") or told.get("detail") or "")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(password: str, user: str = "prometheus") -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def post(path: str, body: Any = b"", **headers: str) -> Answer:
    """POST `body`, JSON unless it is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call("POST", path, data, {"Content-Type": "application/json"} | headers)


def get(path: str, **headers: str) -> Answer:
    return call("GET", path, b"", headers)


def call(
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    announce: bool = True,
    client: str = "127.0.0.1",
) -> Answer:
    """Send one request; `announce=False` leaves Content-Length out (chunked)."""
    given = {"Host": "127.0.0.1"} | (headers or {})
    if announce and body:
        given.setdefault("Content-Length", str(len(body)))
    path, _mark, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "client": (client, 40000),
        "server": ("127.0.0.1", 8000),
        "headers": [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in given.items()
            if value
        ],
    }
    return asyncio.run(_exchange(scope, body))


async def _exchange(scope: dict[str, Any], body: bytes) -> Answer:
    position = 0
    sent: list[dict[str, Any]] = []
    done = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal position
        if position >= len(body) and position > 0:
            await done.wait()
            return {"type": "http.disconnect"}
        chunk = body[position : position + CHUNK]
        position += max(len(chunk), 1)
        return {
            "type": "http.request",
            "body": chunk,
            "more_body": position < len(body),
        }

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    async with ThreadSensitiveContext():
        await application(scope, receive, send)
    headers = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
    text = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], headers, text, min(position, len(body)))
