"""A server of calendars on loopback: it knows ETags, and leads on when told to."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class FakeCalendars:
    """Serves `body` at every path. A context manager; `asked` is the ledger of
    (path, headers)."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.status = 200
        self.tags = True
        self.leads_to: dict[str, str] = {}  # path: address
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


def _handler(fake: FakeCalendars) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            fake.asked.append((self.path, headers))
            if self.path in fake.leads_to:
                self.answer(302, Location=fake.leads_to[self.path])
            elif fake.status != 200:
                self.answer(fake.status)
            elif fake.tags and headers.get("if-none-match") == fake.tag:
                self.answer(304, ETag=fake.tag)
            else:
                self.answer(200, fake.body, **{"ETag": fake.tag} if fake.tags else {})

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/calendar; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # the caller has read enough

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
