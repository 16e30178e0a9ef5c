"""How does a delivery reach Google Chat? By a space's webhook, as a card.

A webhook cannot edit: what happens to a group is said in its thread, which the group's
own key names. A repeated request has the same requestId, and says nothing twice.

https://developers.google.com/workspace/chat/quickstart/webhooks
https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
"""

from __future__ import annotations

import html
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy

from notifications.channels import chat, http
from notifications.channels.base import (
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
    ThreadPlace,
)

# https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
MESSAGE_BYTES = 32_000
# https://developers.google.com/workspace/chat/limits: 60 writes a minute to one space
PACE = 1.0
MOST_BUTTONS = 6
# A card's header shows one line of a title.
HEADER_CHARS = 60


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in ("page", "reply", "test"):
        return Receipt(answer="Google Chat redraws nothing")
    said = body_of(parcel)
    if settings.SIMULATION:
        return chat.keep(parcel, to="Google Chat", sent=said)
    answer = chat.call(parcel, address(parcel), json_body=said)
    found = http.read_json(answer)
    problem = found.get("error")
    text = str(problem.get("message") or "") if isinstance(problem, dict) else ""
    told = chat.need_success(answer, said=text or "ok")
    name = str(found.get("name") or "")
    thread = str((found.get("thread") or {}).get("name") or "")
    space, _slash, key = thread.rpartition("/threads/")
    place = parcel.thread or (ThreadPlace(space, key) if key else None)
    return Receipt(provider_id=name, answer=told, thread=place)


def address(parcel: Parcel) -> str:
    """Return the webhook's address with what this request asks for."""
    parts = urlsplit(chat.secret_of(parcel, "webhook_url"))
    query = dict(parse_qsl(parts.query))
    if not query.get("key") or not query.get("token"):
        text = "the webhook's address lacks its key and token"
        raise DeliveryError(text, permanent=True)
    query["requestId"] = str(parcel.delivery_id)
    query["messageReplyOption"] = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    return parts._replace(query=urlencode(query)).geturl()


# --- what is posted ---


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return the message, in the thread of its group."""
    if parcel.kind == "page":
        said = chat.fitting(parcel, lambda few: drawn(parcel, few), fits)
    elif parcel.kind == "reply":
        said = {"text": untagged(chat.line(parcel, named=parcel.thread is None))}
    else:
        return {"text": untagged(chat.test_line(parcel))}
    key = parcel.message.thread_key or parcel.message.group_id
    return said | ({"thread": {"threadKey": key}} if key else {})


def drawn(parcel: Parcel, few: chat.Card) -> dict[str, Any]:
    """Return a message with the card."""
    long_title = f"<b>{escaped(few.title)}</b>" * (len(few.title) > HEADER_CHARS)
    alerts = "\n".join([*few.alerts, few.more]).strip()
    widgets = [
        paragraph(text)
        for text in (long_title, escaped(few.body), escaped(alerts))
        if text
    ]
    widgets += [
        {"decoratedText": {"topLabel": untagged(label), "text": escaped(value)}}
        for label, value in few.facts
    ]
    if few.small:
        small = "\n".join(escaped(one) for one in few.small)
        widgets.append(paragraph(f'<font color="#868e96">{small}</font>'))
    if few.links:
        buttons = [
            {"text": label, "onClick": {"openLink": {"url": url}}}
            for label, url in few.links[:MOST_BUTTONS]
        ]
        widgets.append({"buttonList": {"buttons": buttons}})
    header = {
        "title": untagged(f"{few.sign} {few.title}"),
        "subtitle": untagged(few.headline),
    }
    card = {"header": header, "sections": [{"widgets": widgets}]}
    return {
        "fallbackText": untagged(f"{few.sign} {few.title} · {few.headline}"),
        "cardsV2": [{"cardId": str(parcel.delivery_id), "card": card}],
    }


def paragraph(text: str) -> dict[str, Any]:
    return {"textParagraph": {"text": text}}


def escaped(text: str) -> str:
    """Return text of a card in which nothing is a tag.

    https://developers.google.com/workspace/chat/format-messages#card-formatting
    """
    return chat.woven(text, lambda part: html.escape(part, quote=False), anchor)


def anchor(url: str) -> str:
    return f'<a href="{html.escape(url)}">{html.escape(url)}</a>'


def untagged(text: str) -> str:
    """Return plain text in which nothing is a link or a mention: <users/all> tells
    everybody, and only a character within keeps it from that."""
    return text.replace("<", "<\u200b")


def fits(said: dict[str, Any]) -> bool:
    room = MESSAGE_BYTES - 500  # the thread's key is added
    return len(json.dumps(said, ensure_ascii=False).encode()) <= room


SPEC = Spec(
    kind="googlechat",
    label=gettext_lazy("Google Chat"),
    about=gettext_lazy("A space, by its webhook; a thread for each group."),
    settings=(
        chat.PLACE,
        Setting(
            "webhook_url",
            gettext_lazy("Webhook's address"),
            gettext_lazy("Space's menu, Apps and integrations, Webhooks."),
            secret=True,
            check=chat.a_hook(
                r"^/v1/spaces/[\w-]+/messages$",
                "https://chat.googleapis.com/v1/spaces/…/messages?key=…&token=…",
            ),
        ),
    ),
    place=chat.named_place,
    check=chat.needs("webhook_url"),
    pace=PACE,
)
