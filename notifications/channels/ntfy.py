"""How does a delivery reach a phone by ntfy? Published to a topic, as JSON.

A page is one notification, and redrawn in place where the server can (2.16 or newer);
what is older, and each page after the first, stays as it was said.

https://docs.ntfy.sh/publish/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
from notifications.channels.http import a_url
from notifications.channels.webhook import server_of

OFFICIAL = "https://ntfy.sh"
# https://docs.ntfy.sh/publish/#limitations: what is longer becomes an attached file
MESSAGE_BYTES = 4_096
# A JSON body may have twice that (binwiederhier/ntfy, server.go).
BODY_BYTES = 8_192
# https://docs.ntfy.sh/publish/#action-buttons
MOST_ACTIONS = 3

LOW = 2  # https://docs.ntfy.sh/publish/#message-priority: no sound, no vibration
PRIORITIES = {5: 5, 4: 4, 3: 3, 2: 3, 1: 2}
# https://docs.ntfy.sh/emojis/
TAGS = {
    5: "red_circle",
    4: "orange_circle",
    3: "yellow_circle",
    2: "large_blue_circle",
    1: "white_circle",
}
STATE_TAGS = {
    "acknowledged": "eyes",
    "snoozed": "zzz",
    "resolved": "white_check_mark",
}
# What a redrawn notification tells by itself.
SHOWN_BY_REDRAWING = ("acknowledged", "resolved")
TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    note = parcel.message.note
    if parcel.kind == "answer" or (parcel.kind == "update" and parcel.thread is None):
        return Receipt(answer="nothing to redraw")
    happened = note.kind if note and parcel.kind == "reply" and parcel.thread else ""
    if happened in SHOWN_BY_REDRAWING:
        return Receipt(answer="shown by redrawing")
    said = body_of(parcel)
    if settings.SIMULATION:
        return chat.keep(parcel, to=said["topic"], sent=said)
    server = str(parcel.settings.get("url") or OFFICIAL).rstrip("/")
    token = parcel.secret.get("token")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = chat.call(parcel, f"{server}/", json_body=said, headers=headers)
    found = http.read_json(answer)
    text = chat.need_success(answer, said=str(found.get("error") or "ok"))
    place = None
    # An older server does not know what a sequence is, and could not redraw.
    if parcel.kind == "page" and found.get("sequence_id") == said["sequence_id"]:
        place = ThreadPlace(said["topic"], said["sequence_id"])
    return Receipt(provider_id=str(found.get("id") or ""), answer=text, thread=place)


# --- what is published ---


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return the body. A page is a sequence of its own, so that it is heard: what
    replaces a notification that is still shown makes no sound."""
    message = parcel.message
    said: dict[str, Any] = {"topic": topic_of(parcel)}
    if parcel.kind not in ("page", "update"):
        text = chat.test_line(parcel)
        if parcel.kind == "reply":
            text = chat.line(parcel, named=False)
            said |= {"priority": LOW, "tags": [tag(parcel)]}
        if chat.is_web(message.url):
            said["click"] = message.url
        return said | {"title": chat.title(parcel), "message": text}
    said["tags"] = [tag(parcel)]
    if parcel.kind == "page":
        said["sequence_id"] = str(parcel.delivery_id)
        said["priority"] = PRIORITIES.get(message.severity, 3)
    elif parcel.thread:
        said["topic"] = parcel.thread.channel
        said["sequence_id"] = parcel.thread.ts
        said["priority"] = LOW
    return chat.fitting(parcel, lambda few: said | drawn(parcel, few), fits)


def drawn(parcel: Parcel, few: chat.Card) -> dict[str, Any]:
    """Return the words and the buttons; nothing is markup unless it is asked for.

    What acts does so at one press: ntfy posts to the signed link, which a link that is
    only looked at does not.
    """
    found: dict[str, Any] = {"title": few.title, "message": chat.plain(few)}
    group = parcel.message.url
    if chat.is_web(group):
        found["click"] = group
    acts = {url for _label, url in chat.act_links(parcel)}
    links = [link for link in few.links if link[1] != group] or list(few.links)
    found["actions"] = [
        {"label": label, "url": url, "clear": True}
        | ({"action": "http", "method": "POST"} if url in acts else {"action": "view"})
        for label, url in links[:MOST_ACTIONS]
    ]
    return found


def tag(parcel: Parcel) -> str:
    worst = TAGS.get(parcel.message.severity, TAGS[1])
    return STATE_TAGS.get(parcel.message.state, worst)


def fits(said: dict[str, Any]) -> bool:
    whole = json.dumps(said, ensure_ascii=False).encode()
    return len(said["message"].encode()) <= MESSAGE_BYTES and len(whole) <= BODY_BYTES


def topic_of(parcel: Parcel) -> str:
    """Return the topic: a member's own, or the channel's."""
    found = parcel.address or str(parcel.settings.get("topic") or "")
    if not found:
        raise DeliveryError("the channel names no topic", permanent=True)
    return found


# --- settings ---


def a_topic(given: str) -> str:
    if not TOPIC.fullmatch(given.strip()):
        raise ValidationError(_("A topic has letters, digits, - and _ only."))
    return given.strip()


def keep_token_from_others(
    given: Mapping[str, Any], held: Mapping[str, str]
) -> dict[str, Any]:
    """A stored token is for the server it was given for, and shown to no other."""
    before = str(given["stored"].get("url") or OFFICIAL)
    if server_of(before) == server_of(str(given.get("url") or OFFICIAL)):
        return {}
    if held.get("token") and not given.get("token"):
        return {"token": _("The address is another server's: give the token again.")}
    return {}


SPEC = Spec(
    kind="ntfy",
    label=gettext_lazy("ntfy"),
    about=gettext_lazy("Phones that subscribed to a topic, by ntfy.sh or your own."),
    settings=(
        Setting(
            "topic",
            gettext_lazy("Topic"),
            gettext_lazy("Whoever knows its name can read it: choose a long one."),
            required=True,
            check=a_topic,
        ),
        Setting(
            "url",
            gettext_lazy("Server"),
            gettext_lazy("Empty: https://ntfy.sh"),
            check=a_url,
        ),
        Setting(
            "token",
            gettext_lazy("Access token"),
            gettext_lazy("Begins with tk_; needed for a protected topic."),
            secret=True,
            check=chat.a_token(r"[A-Za-z0-9_]{4,100}", "tk_AgQdq7mVBoFD37zQVN29…"),
        ),
    ),
    place=lambda settings: str(settings.get("topic") or ""),
    check=keep_token_from_others,
    contact=ContactSpec(gettext_lazy("The ntfy topic of the person."), a_topic),
    updates=True,
)
