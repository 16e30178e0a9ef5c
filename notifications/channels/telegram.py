"""How does a delivery reach Telegram? A bot writes to a chat, and edits what it wrote.

A page is a message with buttons that lead to us; what happens later redraws it in
place and is told, without a sound, as an answer to it.

https://core.telegram.org/bots/api
"""

from __future__ import annotations

import html
import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.outbound import Answer
from notifications.channels import chat, http
from notifications.channels.base import (
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
    ThreadPlace,
)

OFFICIAL = "https://api.telegram.org"
# https://core.telegram.org/bots/api#sendmessage: after entities are parsed; counted
# as Telegram counts, in UTF-16 units.
TEXT_UNITS = 4_096
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this:
# 20 messages a minute to one group, and one a second to one chat
PACE = 3.0
BUTTONS_A_ROW = 3

CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}")
PERSON = re.compile(r"[0-9]{1,20}")
TOPIC = re.compile(r"[0-9]{1,18}")
TAG = re.compile(r"<[^>]*>")
# Hosts that it leads nobody to, such as localhost.
BAD_BUTTON = ("BUTTON_URL_INVALID", "inline keyboard button URL")
UNCHANGED = "message is not modified"


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind == "answer" or (parcel.kind == "update" and parcel.thread is None):
        return Receipt(answer="nothing to say in Telegram")
    said = body_of(parcel)
    if settings.SIMULATION:
        return chat.keep(parcel, to=place_of(parcel), sent=said)
    if parcel.kind == "update":
        return update(parcel, said)
    answer = post(parcel, said)
    found = http.read_json(answer).get("result") or {}
    identity = str(found.get("message_id") or "")
    where = str((found.get("chat") or {}).get("id") or said["chat_id"])
    place = parcel.thread or (ThreadPlace(where, identity) if identity else None)
    return Receipt(provider_id=identity, answer="200 ok", thread=place)


def update(parcel: Parcel, said: dict[str, Any]) -> Receipt:
    """Redraw the first message of the conversation as things stand now."""
    try:
        with_buttons(parcel, "editMessageText", said)
    except DeliveryError as error:
        if UNCHANGED not in error.reason:
            raise
    return Receipt(provider_id=str(said["message_id"]), answer="200 ok")


def post(parcel: Parcel, said: dict[str, Any]) -> Answer:
    """Write to the chat; a group that became a supergroup has another id since."""
    try:
        return with_buttons(parcel, "sendMessage", said)
    except Moved as moved:
        return with_buttons(parcel, "sendMessage", said | {"chat_id": moved.chat_id})


def with_buttons(parcel: Parcel, method: str, said: dict[str, Any]) -> Answer:
    """Call; where Telegram takes the buttons' addresses for none, they are text."""
    try:
        return call(parcel, method, said)
    except DeliveryError as error:
        if not any(text in error.reason for text in BAD_BUTTON):
            raise
    return call(parcel, method, said | page(parcel, buttons=False))


# --- what is written ---


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return the parameters of sendMessage or editMessageText."""
    said: dict[str, Any] = {
        "chat_id": place_of(parcel),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    if parcel.kind == "update" and parcel.thread:
        where = {
            "chat_id": parcel.thread.channel,
            "message_id": number(parcel.thread.ts),
        }
        return said | where | page(parcel)
    if topic := str(parcel.settings.get("message_thread_id") or ""):
        said["message_thread_id"] = int(topic)
    if parcel.thread:
        below = {"message_id": number(parcel.thread.ts)}
        said["reply_parameters"] = below | {"allow_sending_without_reply": True}
    if parcel.kind == "page":
        return said | page(parcel)
    told = chat.test_line(parcel)
    if parcel.kind == "reply":
        told = chat.line(parcel, named=parcel.thread is None)
        said["disable_notification"] = True
    return said | {"text": escaped(told)}


def number(kept: str) -> int | str:
    """Return a message's id; in simulation it is no number."""
    return int(kept) if kept.isdecimal() else kept


def page(parcel: Parcel, *, buttons: bool = True) -> dict[str, Any]:
    """Return the text about a group, and its buttons."""

    def draw(few: chat.Card) -> dict[str, Any]:
        return drawn(few, buttons=buttons)

    return chat.fitting(parcel, draw, lambda said: units(said["text"]) <= TEXT_UNITS)


def drawn(few: chat.Card, *, buttons: bool) -> dict[str, Any]:
    named = [f"<b>{escaped(k)}</b>: {escaped(v)}" for k, v in few.facts]
    small = [f"<i>{escaped(one)}</i>" for one in few.small]
    parts = [
        f"<b>{few.sign} {escaped(few.title)}</b>\n{escaped(few.headline)}",
        escaped(few.body),
        escaped("\n".join([*few.alerts, few.more]).strip()),
        "\n".join([*named, *small]),
    ]
    if not buttons:
        parts += [f"{escaped(label)}: {escaped(url)}" for label, url in few.links]
    text = "\n\n".join(part for part in parts if part)
    shown = [{"text": label, "url": url} for label, url in few.links if buttons]
    rows = [shown[i : i + BUTTONS_A_ROW] for i in range(0, len(shown), BUTTONS_A_ROW)]
    return {"text": text, "reply_markup": {"inline_keyboard": rows}}


def escaped(text: str) -> str:
    """Return text in which nothing is markup and nobody is mentioned.

    https://core.telegram.org/bots/api#html-style; a zero-width space after "@" keeps
    Telegram from finding a user's name there.
    """
    return chat.woven(text, quiet, lambda url: html.escape(url, quote=False))


def quiet(text: str) -> str:
    return html.escape(text, quote=False).replace("@", "@\u200b")


def units(text: str) -> int:
    """Return a text's length as Telegram counts: without markup, in UTF-16."""
    return len(html.unescape(TAG.sub("", text)).encode("utf-16-le")) // 2


# --- calls ---


class Moved(DeliveryError):
    """The group has become a supergroup, which has an id of its own."""

    def __init__(self, reason: str, chat_id: int) -> None:
        super().__init__(reason, permanent=True)
        self.chat_id = chat_id


def call(parcel: Parcel, method: str, said: dict[str, Any]) -> Answer:
    """Call a method. Raises DeliveryError with Telegram's description."""
    token = chat.secret_of(parcel, "bot_token")
    base = str(parcel.settings.get("api_url") or OFFICIAL).rstrip("/")
    answer = chat.call(parcel, f"{base}/bot{token}/{method}", json_body=said)
    found = http.read_json(answer)
    more = found.get("parameters")
    more = more if isinstance(more, dict) else {}
    text = str(found.get("description") or "")
    if answer.status not in http.SUCCESS and more.get("migrate_to_chat_id"):
        raise Moved(text, int(more["migrate_to_chat_id"]))
    chat.need_success(answer, said=text, wait=more.get("retry_after"))
    return answer


def place_of(parcel: Parcel) -> str:
    """Return the chat: a member's own, or the channel's."""
    place = parcel.address or str(parcel.settings.get("chat_id") or "")
    if not place:
        raise DeliveryError("the channel names no chat", permanent=True)
    return place


def a_chat(given: str) -> str:
    if not CHAT.fullmatch(given.strip()):
        raise ValidationError(_("A chat is a number such as -1001234567890, or @name."))
    return given.strip()


def a_person(given: str) -> str:
    if not PERSON.fullmatch(given.strip()):
        raise ValidationError(_("A person's chat id is a number such as 123456789."))
    return given.strip()


def a_topic(given: str) -> str:
    if not TOPIC.fullmatch(given.strip()):
        raise ValidationError(_("A topic's id is a number."))
    return given.strip()


SPEC = Spec(
    kind="telegram",
    label=gettext_lazy("Telegram"),
    about=gettext_lazy("A group, channel or person, by a bot; redrawn in place."),
    settings=(
        Setting(
            "chat_id",
            gettext_lazy("Chat"),
            gettext_lazy("Its id, such as -1001234567890, or @name of a channel."),
            required=True,
            check=a_chat,
        ),
        Setting(
            "message_thread_id",
            gettext_lazy("Topic"),
            gettext_lazy("The id of a forum's topic; empty: the general one."),
            check=a_topic,
        ),
        Setting(
            "bot_token",
            gettext_lazy("Bot token"),
            gettext_lazy("What @BotFather gives: 123456789:AAE…"),
            secret=True,
            check=chat.a_token(r"[0-9]{5,20}:[A-Za-z0-9_-]{20,100}", "123456789:AAE…"),
        ),
    ),
    place=lambda settings: str(settings.get("chat_id") or ""),
    check=chat.needs("bot_token"),
    contact=ContactSpec(
        gettext_lazy("A Telegram chat id; the person must have written to the bot."),
        a_person,
    ),
    updates=True,
    pace=PACE,
)
