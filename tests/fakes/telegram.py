"""Telegram's Bot API on loopback: sendMessage and editMessageText.

https://core.telegram.org/bots/api#making-requests: an error is `ok: false` with an
error_code, which is the HTTP status too, and sometimes `parameters`.
"""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.vendor import FakeVendor, Json, Reply, Request

TAGS = {"b", "i", "u", "s", "a", "code", "pre", "blockquote"}
MENTION = re.compile(r"(?<!\w)@[A-Za-z]\w{3,}")


class FakeTelegram(FakeVendor):
    """See the module. `moved` maps groups to the supergroups that they became."""

    SECRET_TEXT = "AAEs3cr3tPieceOfTheBotsToken0123456"

    def __init__(self) -> None:
        super().__init__()
        self.moved: dict[str, int] = {}

    def settings(self) -> Json:
        return {"chat_id": "-1001", "api_url": self.url}

    def secret(self) -> dict[str, str]:
        return {"bot_token": f"123456789:{self.SECRET_TEXT}"}

    def act(self, request: Request) -> Reply:
        _empty, bot, method = request.path.split("/")
        if bot != f"bot123456789:{self.SECRET_TEXT}":
            return refused(401, "Unauthorized")
        given = request.json
        if to := self.moved.get(str(given["chat_id"])):
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            return refused(400, text, migrate_to_chat_id=to)
        if wrong := what_is_wrong(given):
            return refused(400, f"Bad Request: {wrong}")
        if method == "editMessageText":
            return self.edit(given)
        number = len(self.messages) + 1
        self.messages.append(given | {"message_id": number})
        return done(number, given)

    def edit(self, given: Json) -> Reply:
        for at, one in enumerate(self.messages):
            if one["message_id"] == given["message_id"]:
                if one["text"] == given["text"]:
                    text = "Bad Request: message is not modified: specified new message"
                    return refused(400, text)
                self.messages[at] = one | given
                return done(given["message_id"], given)
        return refused(400, "Bad Request: message to edit not found")

    def limited(self, seconds: int) -> Reply:
        text = f"Too Many Requests: retry after {seconds}"
        return refused(429, text, retry_after=seconds)

    def refusal(self) -> Reply:
        return refused(403, "Forbidden: bot was blocked by the user")


def done(number: int, given: Json) -> Reply:
    chat = {"id": int(given["chat_id"]), "type": "supergroup"}
    return Reply(200, {"ok": True, "result": {"message_id": number, "chat": chat}})


def refused(status: int, text: str, **parameters: Any) -> Reply:
    body = {"ok": False, "error_code": status, "description": text}
    return Reply(status, body | ({"parameters": parameters} if parameters else {}))


def what_is_wrong(given: Json) -> str:
    """Return the complaint about a message, "" for none."""
    if given.get("parse_mode") != "HTML":
        return "this fake knows HTML only"
    text = given["text"]
    for tag in re.findall(r"<(.*?)>", text):
        if tag.strip("/") not in TAGS:
            return f"can't parse entities: unsupported start tag {tag!r}"
    if units(text) > 4096:
        return "message is too long"
    for row in given.get("reply_markup", {}).get("inline_keyboard", []):
        for button in row:
            if "." not in (urlsplit(button["url"]).hostname or ""):
                url = button["url"]
                return f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"
    return ""


def plain(text: str) -> str:
    """Return what a person reads."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def units(text: str) -> int:
    return len(plain(text).encode("utf-16-le")) // 2


def mentions(text: str) -> list[str]:
    """Return who is told by name."""
    return MENTION.findall(plain(text))
