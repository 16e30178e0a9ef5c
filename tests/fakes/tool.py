"""What do the fakes of tools' APIs share? A server on loopback that can be told to
fail, and a ledger of what came in."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

Json = dict[str, Any]
LOOPBACK = [ip_network("127.0.0.0/8")]  # as OUTBOUND_ALLOW


@dataclass
class Call:
    """One request that came in, whatever became of it."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.raw) if self.raw else {}


@dataclass(frozen=True)
class Behaviour:
    """What one coming request meets instead of success. `text`: a body of its own."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    seconds: float = 0.0
    reset: bool = False
    half: bool = False
    acted: bool = True


class FakeTool:
    """See the module. A context manager; subclasses say what `act` does."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._behaviours: deque[Behaviour] = deque()
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def act(self, call: Call) -> tuple[int, Json]:
        """Do what the request asks; return status and body."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        serve = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        serve.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    # --- what the next requests meet ---

    def status(self, code: int, text: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._behaviours.append(Behaviour(code, named, text, acted=False))

    def slow(self, seconds: float) -> None:
        """Act, and answer late."""
        self._behaviours.append(Behaviour(seconds=seconds))

    def reset_after_read(self, *, acted: bool = True) -> None:
        """Read the request, act or not, and cut the connection."""
        self._behaviours.append(Behaviour(reset=True, acted=acted))

    def half_an_answer(self) -> None:
        """Act, and close in the middle of the answer."""
        self._behaviours.append(Behaviour(half=True))

    def take(self, call: Call) -> tuple[Behaviour, int, str]:
        with self._lock:
            self.calls.append(call)
            found = self._behaviours.popleft() if self._behaviours else Behaviour()
            status, body = self.act(call) if found.acted else (found.status, {})
            text = found.text if found.text is not None else json.dumps(body)
            return found, found.status or status, text


def _handler(fake: FakeTool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            found, status, text = fake.take(
                Call(self.command, self.path, headers, raw, time.monotonic())
            )
            time.sleep(found.seconds)
            if found.reset:
                self._reset()
                return
            body = text.encode()
            with suppress(OSError):  # the caller may have gone
                self.send_response(status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if found.half else body)
            if found.half:
                self.close_connection = True

        do_GET = do_POST  # noqa: N815
        do_PUT = do_POST  # noqa: N815
        do_PATCH = do_POST  # noqa: N815

        def _reset(self) -> None:
            """Close with RST, as a machine that lost the connection does."""
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            os.close(self.connection.detach())

        def log_message(self, *_: object) -> None:
            pass

    return Handler
