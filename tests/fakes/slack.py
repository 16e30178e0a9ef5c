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
from urllib.parse import parse_qsl, urlencode

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
            if element["type"] == "button"
        }

    @property
    def menus(self) -> dict[str, Json]:
        """The menus beside the buttons, by action_id."""
        return {
            element["action_id"]: element | {"block_id": block["block_id"]}
            for block in self.json.get("blocks", [])
            if block["type"] == "actions"
            for element in block["elements"]
            if element["type"] != "button"
        }

    def __str__(self) -> str:
        shown = {"channel": self.channel} | self.json | {"replies": self.replies}
        return json.dumps(shown, ensure_ascii=False)


@dataclass
class FakeFile:
    """A file; `shared`: channel and thread, once its upload was completed."""

    id: str
    asked: Json
    content: bytes = b""
    title: str = ""
    shared: tuple[str, str | None] | None = None


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
        self.views: list[Json] = []
        self.homes: dict[str, Json] = {}
        self.unfurls: list[Json] = []
        self.people: dict[str, str] = {}  # address -> user id
        self.usergroups: dict[str, list[str]] = {}
        self.codes: dict[str, Json] = {}  # what each code of OAuth is exchanged for
        self.files: list[FakeFile] = []
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
        given = {"type": "button", "value": button["value"]}
        return self.act(
            message, button | given, user_id, signing_secret, team_id, app_id
        )

    def choose(
        self,
        message: FakeMessage,
        action_id: str,
        value: str,
        user_id: str,
        signing_secret: str,
    ) -> tuple[bytes, dict[str, str]]:
        """Return the callback of a menu: an option of it, or another person's id.

        https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
        """
        menu = message.menus[action_id]
        if menu["type"] == "users_select":
            given: Json = {"selected_user": value}
        else:
            options = {option["value"]: option for option in menu["options"]}
            given = {"selected_option": options[value]}
        kept = {k: v for k, v in menu.items() if k not in ("options", "placeholder")}
        return self.act(message, kept | given, user_id, signing_secret)

    def act(
        self,
        message: FakeMessage,
        action: Json,
        user_id: str,
        signing_secret: str,
        team_id: str = "T1",
        app_id: str = "A1",
    ) -> tuple[bytes, dict[str, str]]:
        payload = self._by(user_id, team_id, app_id) | {
            "type": "block_actions",
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel_id,
                "is_ephemeral": False,
            },
            "channel": {"id": message.channel_id, "name": message.channel},
            "message": {"type": "message", "ts": message.ts} | message.json,
            "response_url": self.response_url,
            "actions": [action | {"action_ts": f"{time.time():.6f}"}],
        }
        return form(payload, signing_secret)

    def _by(self, user_id: str, team_id: str = "T1", app_id: str = "A1") -> Json:
        """Return what every interaction tells of its author."""
        return {
            "user": {"id": user_id, "username": user_id, "team_id": team_id},
            "api_app_id": app_id,
            "token": "legacy",
            "trigger_id": f"{time.time_ns()}.1.abc",
            "team": {"id": team_id, "domain": "fake"},
        }

    def type_into(
        self, view: Json, values: dict[str, Json], user_id: str, signing_secret: str
    ) -> tuple[bytes, dict[str, str]]:
        """Return what is sent while somebody writes into a form; `values` by block."""
        block_id, value = next(iter(values.items()))
        payload = self._by(user_id) | {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view["id"]},
            "view": self._filled(view, values),
            "actions": [value | {"action_id": "value", "block_id": block_id}],
        }
        return form(payload, signing_secret)

    def submit(
        self,
        view: Json,
        values: dict[str, Json],
        user_id: str,
        signing_secret: str,
        team_id: str = "T1",
    ) -> tuple[bytes, dict[str, str]]:
        """Return the signed view_submission.

        https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
        """
        payload = self._by(user_id, team_id) | {
            "type": "view_submission",
            "view": self._filled(view, values),
            "response_urls": [],
        }
        return form(payload, signing_secret)

    def _filled(self, view: Json, values: dict[str, Json]) -> Json:
        """Return a form with what stands in it: what it began with, and `values`."""
        state: Json = {}
        for block in view["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            begun = {"type": element["type"]}
            if "initial_value" in element:
                begun["value"] = element["initial_value"]
            if "initial_option" in element:
                begun["selected_option"] = element["initial_option"]
            begun |= values.get(block["block_id"], {})
            state[block["block_id"]] = {element["action_id"]: begun}
        return view | {"state": {"values": state}}

    def shortcut(
        self, message: Json, channel_id: str, user_id: str, signing_secret: str
    ) -> tuple[bytes, dict[str, str]]:
        """Return the callback of "add to timeline" on any message.

        https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
        """
        payload = self._by(user_id) | {
            "type": "message_action",
            "callback_id": "add_to_timeline",
            "channel": {"id": channel_id, "name": "ops"},
            "message": message,
            "message_ts": message["ts"],
            "response_url": self.response_url,
        }
        return form(payload, signing_secret)

    def event(
        self,
        event: Json,
        signing_secret: str,
        *,
        event_id: str = "",
        team_id: str = "T1",
        retry: int = 0,
    ) -> tuple[bytes, dict[str, str]]:
        """Return a signed delivery of the Events API; `retry` counts its repetitions.

        https://docs.slack.dev/apis/events-api/#callback-field
        """
        payload = {
            "token": "legacy",
            "team_id": team_id,
            "api_app_id": "A1",
            "type": "event_callback",
            "event": event,
            "event_id": event_id or f"Ev{next(self._stamps)}",
            "event_time": int(time.time()),
        }
        body = json.dumps(payload).encode()
        headers = signed_headers(body, signing_secret)
        headers["Content-Type"] = "application/json"
        if retry:
            headers["X-Slack-Retry-Num"] = str(retry)
            headers["X-Slack-Retry-Reason"] = "http_timeout"
        return body, headers

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
            "chat.unfurl": self._unfurl,
            "views.open": self._view,
            "views.update": self._view_again,
            "views.publish": self._publish,
            "users.lookupByEmail": self._lookup,
            "usergroups.users.list": self._members,
            "usergroups.users.update": self._usergroup,
            "oauth.v2.access": self._oauth,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._upload_done,
        }.get(method)
        if do is None:
            return refused("unknown_method")
        if not token and method != "oauth.v2.access":
            return refused("not_authed")
        messages = ("chat.postMessage", "chat.postEphemeral", "chat.update")
        complaint = what_is_wrong(body) if method in messages else ""
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

    # --- files, in three steps ---
    # https://docs.slack.dev/messaging/working-with-files#upload

    def _upload_url(self, body: Json) -> Json:
        if not body.get("filename") or not str(body.get("length", "")).isdigit():
            return refused("invalid_arguments")
        file = FakeFile(f"F{len(self.files) + 1}", body)
        self.files.append(file)
        url = f"{self.address}/upload/{file.id}"
        return {"ok": True, "upload_url": url, "file_id": file.id}

    def receive(self, path: str, content: bytes) -> bool:
        """Take a file's content; whether it is as long as was said."""
        file = next((f for f in self.files if path == f"/upload/{f.id}"), None)
        if file is None or len(content) != int(file.asked["length"]):
            return False
        file.content = content
        return True

    def _upload_done(self, body: Json) -> Json:
        told = json.loads(body.get("files") or "[]")
        place, root = body.get("channel_id"), body.get("thread_ts")
        found = [f for one in told for f in self.files if f.id == one["id"]]
        if not found or len(found) != len(told):
            return refused("file_not_found")
        if any(not file.content for file in found):
            return refused("file_not_found")
        if root and self._find(str(place), root) is None:
            return refused("thread_not_found")
        for file, one in zip(found, told, strict=True):
            file.shared, file.title = (str(place), root), one.get("title", "")
        return {"ok": True, "files": [{"id": f.id, "title": f.title} for f in found]}

    # --- forms, the home tab, links, people ---

    def _view(self, body: Json) -> Json:
        if not body.get("trigger_id"):
            return refused("invalid_trigger_id")
        if view_is_wrong(body["view"]):
            return refused("invalid_arguments")
        view = body["view"] | {"id": f"V{len(self.views) + 1}", "hash": "1.a"}
        self.views.append(view)
        return {"ok": True, "view": view}

    def _view_again(self, body: Json) -> Json:
        place = next(
            (n for n, v in enumerate(self.views) if v["id"] == body.get("view_id")), -1
        )
        if place < 0:
            return refused("not_found")
        if body.get("hash") not in (None, self.views[place]["hash"]):
            return refused("hash_conflict")
        if view_is_wrong(body["view"]):
            return refused("invalid_arguments")
        again = f"{len(self.requests)}.b"
        self.views[place] = body["view"] | {"id": body["view_id"], "hash": again}
        return {"ok": True, "view": self.views[place]}

    def _publish(self, body: Json) -> Json:
        if view_is_wrong(body["view"]):
            return refused("invalid_arguments")
        self.homes[body["user_id"]] = body["view"]
        return {"ok": True, "view": body["view"]}

    def _unfurl(self, body: Json) -> Json:
        unfurls = body["unfurls"]
        self.unfurls.append(
            json.loads(unfurls) if isinstance(unfurls, str) else unfurls
        )
        return {"ok": True}

    def _lookup(self, body: Json) -> Json:
        user_id = self.people.get(body.get("email", ""))
        if user_id is None:
            return refused("users_not_found")
        return {"ok": True, "user": {"id": user_id, "deleted": False}}

    def _members(self, body: Json) -> Json:
        users = self.usergroups.get(body["usergroup"])
        if users is None:
            return refused("no_such_subteam")
        return {"ok": True, "users": users}

    def _usergroup(self, body: Json) -> Json:
        users = body.get("users") or []
        found = users.split(",") if isinstance(users, str) else users
        if not found:
            return refused("no_users_provided")
        self.usergroups[body["usergroup"]] = list(found)
        return {"ok": True, "usergroup": {"id": body["usergroup"], "users": found}}

    def _oauth(self, body: Json) -> Json:
        """https://docs.slack.dev/reference/methods/oauth.v2.access"""
        if body.get("code") not in self.codes:
            return refused("invalid_code")
        return self.codes.pop(body["code"])

    def _find(self, place: str, ts: str | None) -> FakeMessage | None:
        return next(
            (m for m in self.messages if (m.channel_id, m.ts) == (place, ts)), None
        )


def form(payload: Json, signing_secret: str) -> tuple[bytes, dict[str, str]]:
    """Return an interaction as Slack posts it."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return body, signed_headers(body, signing_secret)


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
        elements = block["elements"]
        return not 1 <= len(elements) <= 25 or any(map(element_is_wrong, elements))
    if kind == "context":
        return not 1 <= len(block["elements"]) <= 10
    if kind == "image":
        https = block["image_url"].startswith("https://")
        fits = len(block["image_url"]) <= 3_000 and 1 <= len(block["alt_text"]) <= 2_000
        return not (https and fits)
    return not 1 <= len(block["text"]["text"]) <= LIMITS[kind]


def element_is_wrong(element: Json) -> bool:
    """Whether Slack refuses a button or a menu.

    https://docs.slack.dev/reference/block-kit/block-elements
    """
    if element["type"] == "button":
        return not 1 <= len(element["text"]["text"]) <= LIMITS["button"]
    if element["type"] == "overflow" and not 1 <= len(element["options"]) <= 5:
        return True
    options = element.get("options", [])
    if len(options) > 100 or len(element.get("placeholder", {}).get("text", "")) > 150:
        return True
    return any(not 1 <= len(o["text"]["text"]) <= 75 for o in options)


def view_is_wrong(view: Json) -> bool:
    """Whether Slack refuses a form or a home tab.

    https://docs.slack.dev/reference/views/modal-views
    """
    blocks, modal = view["blocks"], view["type"] == "modal"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    inputs = [block for block in blocks if block["type"] == "input"]
    said = [view[name]["text"] for name in ("title", "submit", "close") if name in view]
    return (
        not 1 <= len(blocks) <= 100
        or len(ids) != len(set(ids))
        or len(view.get("private_metadata", "")) > 3_000
        or any(not 1 <= len(text) <= 24 for text in said)
        or (modal and "title" not in view)
        or bool(inputs and modal and "submit" not in view)
        or any(len(block["label"]["text"]) > 2_000 for block in inputs)
        or any(element_is_wrong(block["element"]) for block in inputs)
        or any(
            too_long(block)
            for block in blocks
            if block["type"] not in ("input", "divider")
        )
    )


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
            kind = self.headers.get("Content-Type", "")
            if self.path.startswith("/upload/"):
                taken = fake.receive(self.path, body)
                answer = {"ok": taken} if taken else refused("file_upload_failed")
                self._answer(Behaviour(200 if taken else 400), answer)
                return
            found: Json = {}
            if body and "json" in kind:
                found = json.loads(body)
            elif body:
                found = dict(parse_qsl(body.decode(), keep_blank_values=True))
            self._take(found, token)

        def do_GET(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            path, _mark, query = self.path.partition("?")
            self.path = path
            self._take(dict(parse_qsl(query)), token)

        def _take(self, found: Json, token: str) -> None:
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
