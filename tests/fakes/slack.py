"""A Slack on loopback: the Web API's methods that we call, and signed callbacks.

https://docs.slack.dev/reference/methods: an error is HTTP 200 with `ok: false`.
`url` is the base_url of slack_sdk's WebClient. The next requests can be told to fail;
`requests` is the ledger, `messages` what a person would see.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]

MOST_BLOCKS = 50
LIMITS = {"header": 150, "section": 3_000, "button": 75}


@dataclass
class Call:
    """One request that came in, whatever became of it."""

    method: str
    json: Json
    token: str
    monotonic_ns: int


@dataclass
class FakeMessage:
    """A root message as it stands, its earlier faces, and its thread."""

    channel: str  # as asked for
    channel_id: str  # as Slack calls it
    ts: str
    json: Json
    edits: list[Json] = field(default_factory=list)
    replies: list[Json] = field(default_factory=list)

    @property
    def text(self) -> str:
        return str(self.json.get("text", ""))

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons by action_id."""
        return {
            element["action_id"]: element | {"block_id": block["block_id"]}
            for block in self.json.get("blocks", [])
            if block["type"] == "actions"
            for element in block["elements"]
        }

    def __str__(self) -> str:
        shown = {"channel": self.channel} | self.json | {"replies": self.replies}
        return json.dumps(shown, ensure_ascii=False)


@dataclass(frozen=True)
class Behaviour:
    """What one coming request meets instead of success."""

    status: int = 200
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    reset: bool = False
    acted: bool = False


class FakeSlack:
    """See the module. A context manager: the server ends with it."""

    def __init__(self) -> None:
        self.requests: list[Call] = []
        self.messages: list[FakeMessage] = []
        self.answers: list[Json] = []
        self._behaviours: deque[Behaviour] = deque()
        self._lock = threading.RLock()
        self._stamps = count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> FakeSlack:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.address}/api/"

    @property
    def response_url(self) -> str:
        return f"{self.address}/response/T1/1/abc"

    # --- what the next `times` requests meet ---

    def ok_false(self, error: str, times: int = 1) -> None:
        self._expect(Behaviour(error=error), times)

    def rate_limited(self, retry_after: int, times: int = 1) -> None:
        headers = {"Retry-After": str(retry_after)}
        self._expect(Behaviour(429, "ratelimited", headers), times)

    def status(self, code: int, times: int = 1) -> None:
        self._expect(Behaviour(code), times)

    def slow(self, seconds: float, times: int = 1) -> None:
        """Act, and answer late."""
        self._expect(Behaviour(seconds=seconds, acted=True), times)

    def reset_after_read(self, times: int = 1, *, acted: bool = True) -> None:
        """Read the request, act or not, and cut the connection."""
        self._expect(Behaviour(reset=True, acted=acted), times)

    def _expect(self, behaviour: Behaviour, times: int) -> None:
        with self._lock:
            self._behaviours.extend([behaviour] * times)

    # --- a person presses a button ---

    def press(
        self,
        message: FakeMessage,
        action_id: str,
        user_id: str,
        signing_secret: str,
        team_id: str = "T1",
        app_id: str = "A1",
    ) -> tuple[bytes, dict[str, str]]:
        """Return the body and headers of the signed block_actions callback."""
        button = message.buttons[action_id]
        payload = {
            "type": "block_actions",
            "user": {"id": user_id, "username": user_id, "team_id": team_id},
            "api_app_id": app_id,
            "token": "legacy",
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel_id,
                "is_ephemeral": False,
            },
            "trigger_id": f"{time.time_ns()}.1.abc",
            "team": {"id": team_id, "domain": "fake"},
            "channel": {"id": message.channel_id, "name": message.channel},
            "message": {"type": "message", "ts": message.ts} | message.json,
            "response_url": self.response_url,
            "actions": [
                {
                    "type": "button",
                    "action_id": action_id,
                    "block_id": button["block_id"],
                    "value": button["value"],
                    "action_ts": f"{time.time():.6f}",
                }
            ],
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return body, signed_headers(body, signing_secret)

    # --- the server's side ---

    def take(self, path: str, body: Json, token: str) -> tuple[Behaviour, Json]:
        """Write the request down; return how to answer, and what."""
        method = path.removeprefix("/api/")
        with self._lock:
            call = Call(method, body, token, time.monotonic_ns())
            self.requests.append(call)
            behaviour = (
                self._behaviours.popleft()
                if self._behaviours
                else Behaviour(acted=True)
            )
            if not behaviour.acted:
                return behaviour, {"ok": False, "error": behaviour.error}
            if path.startswith("/response/"):
                self.answers.append(body)
                return behaviour, {"ok": True}
            return behaviour, self._act(method, body, token)

    def _act(self, method: str, body: Json, token: str) -> Json:
        do = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._ephemeral,
            "chat.update": self._update,
        }.get(method)
        if do is None:
            return refused("unknown_method")
        if not token:
            return refused("not_authed")
        complaint = what_is_wrong(body) if method.startswith("chat.") else ""
        return refused(complaint) if complaint else do(body)

    def _auth_test(self, _body: Json) -> Json:
        return {"ok": True, "team_id": "T1", "user_id": "UBOT", "bot_id": "BBOT"}

    def _post(self, body: Json) -> Json:
        ts = f"{int(time.time())}.{next(self._stamps):06}"
        place, root = id_of(body["channel"]), body.get("thread_ts")
        if not root:
            self.messages.append(FakeMessage(body["channel"], place, ts, body))
        else:
            found = self._find(place, root)
            if found is None:
                return refused("thread_not_found")
            found.replies.append(body | {"ts": ts})
        return {"ok": True, "channel": place, "ts": ts, "message": {"ts": ts}}

    def _ephemeral(self, body: Json) -> Json:
        self.answers.append(body)
        return {"ok": True, "message_ts": f"{time.time():.6f}"}

    def _update(self, body: Json) -> Json:
        found = self._find(body["channel"], body.get("ts"))
        if found is None:
            return refused("message_not_found")
        found.edits.append(found.json)
        found.json = body
        return {"ok": True, "channel": found.channel_id, "ts": found.ts}

    def _find(self, place: str, ts: str | None) -> FakeMessage | None:
        return next(
            (m for m in self.messages if (m.channel_id, m.ts) == (place, ts)), None
        )


def refused(error: str) -> Json:
    return {"ok": False, "error": error}


def id_of(channel: str) -> str:
    """Return the id of a channel; a user's id becomes a direct message's."""
    if channel.startswith("#"):
        return "C" + hashlib.sha256(channel.encode()).hexdigest()[:8].upper()
    return "D" + channel[1:] if channel.startswith("U") else channel


def what_is_wrong(body: Json) -> str:
    """Return Slack's complaint about a message, "" for none."""
    blocks = body.get("blocks") or []
    if not body.get("channel"):
        return "channel_not_found"
    if not body.get("text") and not blocks:
        return "no_text"
    if len(body.get("text", "")) > 40_000:
        return "msg_too_long"
    if len(blocks) > MOST_BLOCKS or any(map(too_long, blocks)):
        return "invalid_blocks"
    return ""


def too_long(block: Json) -> bool:
    kind = block["type"]
    if kind == "actions":
        texts = [element["text"]["text"] for element in block["elements"]]
        return not 1 <= len(texts) <= 25 or any(
            len(text) > LIMITS["button"] or not text for text in texts
        )
    if kind == "context":
        return not 1 <= len(block["elements"]) <= 10
    return not 1 <= len(block["text"]["text"]) <= LIMITS[kind]


def signed_headers(
    body: bytes, signing_secret: str, at: int | None = None
) -> dict[str, str]:
    """Return the headers with Slack's v0 signature.

    https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    stamp = str(int(time.time()) if at is None else at)
    base = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def _handler(fake: FakeSlack) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            found = json.loads(body) if body else {}
            behaviour, answer = fake.take(self.path, found, token)
            time.sleep(behaviour.seconds)
            if behaviour.reset:
                self._reset()
                return
            self._answer(behaviour, answer)

        def _answer(self, behaviour: Behaviour, answer: Json) -> None:
            plain = self.path.startswith("/response/")
            text = b"ok" if plain and answer["ok"] else json.dumps(answer).encode()
            try:
                self.send_response(behaviour.status)
                for name, value in behaviour.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:
                pass  # the client had no patience

        def _reset(self) -> None:
            """Close with RST, as a machine that lost the connection does."""
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            os.close(self.connection.detach())

        def log_message(self, *_: object) -> None:
            pass

    return Handler
