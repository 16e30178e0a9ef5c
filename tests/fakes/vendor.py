"""What do the chats' servers on loopback have in common? A ledger, and misbehaviour.

A vendor overrides `act` (what its API does with a request) and says how it limits and
refuses. The next requests can be told to fail; `requests` is the ledger.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request that came in, whatever became of it; `at` in monotonic seconds."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


@dataclass(frozen=True)
class Order:
    """What one coming request meets instead of success."""

    reply: Reply | None = None
    seconds: float = 0.0
    reset: bool = False
    truncated: bool = False


class FakeVendor:
    """See the module. A context manager: the server ends with it."""

    # What an address has behind the host that nobody else may know.
    SECRET_TEXT: ClassVar[str] = "s3cr3t-piece-0123456789"

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.messages: list[Json] = []  # what a person would see
        self._orders: deque[Order] = deque()
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    # --- what a channel needs to reach this vendor ---

    def settings(self) -> Json:
        return {}

    def secret(self) -> dict[str, str]:
        raise NotImplementedError

    # --- the vendor's own ways ---

    def act(self, request: Request) -> Reply:
        """Do what is asked, or refuse it as the vendor would."""
        raise NotImplementedError

    def limited(self, seconds: int) -> Reply:
        """Return the vendor's "too many"."""
        return Reply(429, "", {"Retry-After": str(seconds)})

    def refusal(self) -> Reply:
        """Return what the vendor says to what will never work."""
        return Reply(404, "not found")

    # --- what the next `times` requests meet ---

    def rate_limited(self, seconds: int, times: int = 1) -> None:
        self.answers(self.limited(seconds), times)

    def refuses(self, times: int = 1) -> None:
        self.answers(self.refusal(), times)

    def status(self, code: int, body: Any = "", times: int = 1) -> None:
        self.answers(Reply(code, body), times)

    def answers(self, reply: Reply, times: int = 1) -> None:
        self._expect(Order(reply), times)

    def slow(self, seconds: float, times: int = 1) -> None:
        """Act, and answer late."""
        self._expect(Order(seconds=seconds), times)

    def reset_after_read(self, times: int = 1) -> None:
        """Read the request, act, and cut the connection."""
        self._expect(Order(reset=True), times)

    def truncates(self, times: int = 1) -> None:
        """Act, and break off in the middle of the answer."""
        self._expect(Order(truncated=True), times)

    def _expect(self, order: Order, times: int) -> None:
        with self._lock:
            self._orders.extend([order] * times)

    def take(self, request: Request) -> tuple[Order, Reply]:
        with self._lock:
            self.requests.append(request)
            order = self._orders.popleft() if self._orders else Order()
            return order, order.reply or self.act(request)


def _handler(fake: FakeVendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            headers = {k.lower(): v for k, v in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            request = Request(
                self.command, parts.path, query, headers, raw, time.monotonic()
            )
            order, reply = fake.take(request)
            time.sleep(order.seconds)
            if order.reset:
                self.reset()
                return
            try:
                self.write(reply, cut=order.truncated)
            except OSError:
                pass  # the client had no patience

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def write(self, reply: Reply, *, cut: bool) -> None:
            content = reply.content
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (5 if cut else 0)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

        def reset(self) -> None:
            """Close with RST, as a machine that lost the connection does."""
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            os.close(self.connection.detach())

        def log_message(self, *_: object) -> None:
            pass

    return Handler
