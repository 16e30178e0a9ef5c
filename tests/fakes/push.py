"""A push service on loopback, and the browsers that listen to it.

RFC 8030 and 8292: who sends must prove it by a token for this very service; a browser
opens what comes with a library that is not ours (http_ece), the token is checked by
py_vapid. A message with a `Topic` takes the place of one that was not fetched yet.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

MOST_BODY = 4096


def to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class FakeBrowser:
    """A browser with one subscription."""

    def __init__(self, service: FakePush, name: str) -> None:
        self.endpoint = f"{service.url}/send/{name}"
        self.auth = os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def subscription(self) -> dict[str, Any]:
        """What PushSubscription.toJSON() returns."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962,
            serialization.PublicFormat.UncompressedPoint,
        )
        keys = {"p256dh": to_text(point), "auth": to_text(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def open(self, body: bytes) -> Any:
        return json.loads(
            http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth)
        )


@dataclass
class Call:
    """One request, whatever became of it."""

    path: str
    headers: dict[str, str]
    body: bytes
    monotonic_ns: int


@dataclass(frozen=True)
class Behaviour:
    """What one coming request meets instead of success."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    reset: bool = False
    truncated: bool = False
    body: bytes = b"no"


class FakePush:
    """See the module. A context manager; the server ends with it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.behaviours: list[Behaviour] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {k.lower(): v for k, v in self.headers.items()}
                call = Call(self.path, headers, body, time.monotonic_ns())
                outer.calls.append(call)
                how = outer.behaviours.pop(0) if outer.behaviours else outer.judge(call)
                time.sleep(how.seconds)
                if how.reset:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, linger
                    )
                    self.connection.close()
                    return
                with suppress(OSError):  # the caller may have gone
                    self.send_response(how.status)
                    length = len(how.body) + (100 if how.truncated else 0)
                    for name, value in how.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(length))
                    self.end_headers()
                    self.wfile.write(how.body)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def browser(self, name: str = "b1") -> FakeBrowser:
        return FakeBrowser(self, name)

    def judge(self, call: Call) -> Behaviour:
        """Return what a push service says to a request like this one."""
        headers = call.headers
        given = headers.get("authorization", "")
        if not given.startswith("vapid ") or not Vapid02.verify(given):
            return Behaviour(401)
        claims = claims_of(given)
        if claims["aud"] != self.url or not self.in_time(claims["exp"]):
            return Behaviour(403)
        if not str(claims.get("sub", "")).startswith(("mailto:", "https:")):
            return Behaviour(403)
        if headers.get("content-encoding") != "aes128gcm" or "ttl" not in headers:
            return Behaviour(400)
        if len(headers.get("topic", "")) > 32:
            return Behaviour(400)
        if len(call.body) > MOST_BODY:
            return Behaviour(413)
        return Behaviour(201, {"Location": f"{self.url}/m/1"}, body=b"")

    @staticmethod
    def in_time(moment: int) -> bool:
        return time.time() < moment <= time.time() + 24 * 3600

    def __enter__(self) -> FakePush:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def claims_of(authorization: str) -> dict[str, Any]:
    """Return what the token of a `vapid` header claims."""
    token = authorization.removeprefix("vapid t=").split(",")[0]
    found: dict[str, Any] = json.loads(from_text(token.split(".")[1]))
    return found
