"""A Twilio on loopback: Messages and Calls, and signed callbacks.

https://www.twilio.com/docs/usage/api. `url` takes the place of https://api.twilio.com;
`requests` is the ledger. The next requests can be told to fail. The `twilio` SDK talks
to it in the tests, so it speaks as Twilio does.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "t0ken-of-acme"
FROM = "+15005550006"
PLACE = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/(Messages|Calls)\.json")
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
MOST_LETTERS = 1600


@dataclass
class Call:
    """One request that came in, whatever became of it."""

    resource: str
    form: dict[str, str]
    user: str
    password: str
    at: float


@dataclass(frozen=True)
class Behaviour:
    """What one coming request meets instead of success."""

    status: int = 0
    code: int = 0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    reset: bool = False
    cut: bool = False


class FakeTwilio:
    """See the module. A context manager: the server ends with it."""

    def __init__(self) -> None:
        self.requests: list[Call] = []
        self.made: list[dict[str, Any]] = []
        self._behaviours: deque[Behaviour] = deque()
        self._numbers = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> FakeTwilio:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def texts(self) -> list[dict[str, str]]:
        return [one.form for one in self.requests if one.resource == "Messages"]

    @property
    def calls(self) -> list[dict[str, str]]:
        return [one.form for one in self.requests if one.resource == "Calls"]

    # --- what the next requests meet ---

    def refuse(
        self,
        code: int,
        message: str = "",
        status: int = 400,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._behaviours.append(Behaviour(status, code, message, headers or {}))

    def slow(self, seconds: float) -> None:
        self._behaviours.append(Behaviour(seconds=seconds))

    def reset_after_read(self) -> None:
        self._behaviours.append(Behaviour(reset=True))

    def cut_answer(self) -> None:
        self._behaviours.append(Behaviour(cut=True))

    # --- the server's side ---

    def take(
        self, path: str, form: dict[str, str], authorization: str
    ) -> tuple[Behaviour, int, dict[str, Any]]:
        found = PLACE.fullmatch(path)
        if found is None:
            return Behaviour(), *problem(404, 20404, "The requested resource was not")
        account, resource = found.groups()
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        user, _, password = given.partition(":")
        self.requests.append(Call(resource, form, user, password, time.monotonic()))
        how = self._behaviours.popleft() if self._behaviours else Behaviour()
        if how.code or how.status:
            return how, *problem(how.status, how.code, how.message)
        if (user.startswith("AC") and user != account) or not password:
            return how, *problem(401, 20003, "Authenticate")
        if wrong := what_is_wrong(resource, form):
            return how, *problem(400, *wrong)
        made = self._make(account, resource, form)
        self.made.append(made)
        return how, 201, made

    def _make(
        self, account: str, resource: str, form: dict[str, str]
    ) -> dict[str, Any]:
        prefix = "SM" if resource == "Messages" else "CA"
        return {
            "sid": f"{prefix}{next(self._numbers):032x}",
            "account_sid": account,
            "to": form["To"],
            "from": form.get("From"),
            "body": form.get("Body"),
            "status": "queued",
            "error_code": None,
            "date_created": "Sat, 21 Nov 2026 02:00:00 +0000",
            "uri": f"/2010-04-01/Accounts/{account}/{resource}/x.json",
        }


def problem(status: int, code: int, message: str) -> tuple[int, dict[str, Any]]:
    """https://www.twilio.com/docs/usage/twilios-response#exceptions"""
    return status, {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }


def what_is_wrong(resource: str, form: dict[str, str]) -> tuple[int, str] | None:
    """Return Twilio's complaint about a form."""
    to = form.get("To", "")
    if not NUMBER.fullmatch(to):
        return 21211, f"Invalid 'To' Phone Number: {to}"
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603, "A 'From' phone number is required."
    if resource == "Messages":
        if not form.get("Body"):
            return 21602, "Message body is required."
        if len(form["Body"]) > MOST_LETTERS:
            return 21617, "The concatenated message body exceeds the 1600 limit."
    elif not form.get("Url") and not form.get("Twiml"):
        return 21205, "Url parameter is required."
    return None


def _handler(fake: FakeTwilio) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
            given = self.headers.get("Authorization", "")
            how, status, answer = fake.take(self.path, form, given)
            time.sleep(how.seconds)
            if how.reset:
                self._reset()
                return
            text = json.dumps(answer).encode()
            try:
                self.send_response(status)
                for name, value in how.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text[:40] if how.cut else text)
            except OSError:
                pass  # the client had no patience
            self.close_connection = True

        def _reset(self) -> None:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            os.close(self.connection.detach())

        def log_message(self, *_: object) -> None:
            pass

    return Handler
