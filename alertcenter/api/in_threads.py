"""How does Django serve beside the event loop? Each request wholly in one thread.

Django's own ASGI handler changes threads at every layer that is not asynchronous, and
all of ours are ordinary code: four times the work for the same page (docs/adr/0005).
So a request is read by the loop, handled by Django's WSGI handler in a thread of a
small pool, which keeps its database connection, and written by the loop again.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alertcenter.api.raw import Receive, Scope, Send

log = logging.getLogger(__name__)

THREADS = 12
SEND_SECONDS = 30.0
# A client who does not take a file must not keep a thread: files go to the loop whole.
MOST_GATHERED = 4 << 20

Environ = dict[str, Any]
Handler = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class InThreads:
    """An ASGI application over a WSGI one. Whoever comes before it has bounded the
    body, which is gathered here."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="django")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await gathered(receive)
        if body is None:
            return
        answer = Answer(asyncio.get_running_loop(), send)
        environ = environ_of(scope, body)
        context = contextvars.copy_context()
        await asyncio.get_running_loop().run_in_executor(
            self._threads, context.run, self._serve, environ, answer
        )
        await answer.finish()

    def _serve(self, environ: Environ, answer: Answer) -> None:
        response = self._handler(environ, answer.start)
        try:
            if getattr(response, "streaming", False) and not is_short(response):
                for chunk in response:
                    answer.stream(bytes(chunk))
            else:
                answer.body = b"".join(response)
        except ConnectionError:
            log.info("client_gone")
        finally:
            close = getattr(response, "close", None)
            if close is not None:
                close()


class Answer:
    """What a thread makes of a request, for the loop to send."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self._loop = loop
        self._send = send
        self._head: dict[str, Any] = {}
        self._streaming = False
        self.body = b""

    def start(
        self, status: str, headers: list[tuple[str, str]], _error: object = None
    ) -> None:
        """WSGI's start_response."""
        self._head = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in headers
            ],
        }

    def stream(self, chunk: bytes) -> None:
        """Send a piece, and wait until the client took it. Called in the thread."""
        messages = [{"type": "http.response.body", "body": chunk, "more_body": True}]
        if not self._streaming:
            self._streaming = True
            messages.insert(0, self._head)
        for message in messages:
            sent = asyncio.run_coroutine_threadsafe(
                _sent(self._send, message), self._loop
            )
            sent.result(SEND_SECONDS)

    async def finish(self) -> None:
        """Send what is left."""
        if not self._streaming:
            await self._send(self._head)
        await self._send({"type": "http.response.body", "body": self.body})


def is_short(response: Any) -> bool:
    """Whether the response says its length, and may be held in memory."""
    length = response.headers.get("Content-Length", "")
    return length.isdigit() and int(length) <= MOST_GATHERED


async def _sent(send: Send, message: dict[str, Any]) -> None:
    await send(message)


async def gathered(receive: Receive) -> bytes | None:
    """Return the whole body; None when the client hung up."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def environ_of(scope: Scope, body: bytes) -> Environ:
    """Return the request in WSGI's words (PEP 3333)."""
    host, port = scope.get("server") or ("localhost", 80)
    peer = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "REMOTE_ADDR": peer[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        # X_Forwarded_For would become the same name as X-Forwarded-For.
        if b"_" in raw_name:
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if name in environ:
            value = f"{environ[name]}{';' if name == 'HTTP_COOKIE' else ','}{value}"
        environ[name] = value
    # What was gathered, whatever was announced (or not: chunked).
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
