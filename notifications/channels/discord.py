"""How does a delivery reach Discord? By a channel's webhook, as an embed.

A webhook edits what it posted, so a group has one message that is redrawn; it cannot
answer below it, so what happened is a line of its own, without a sound.

https://docs.discord.com/developers/resources/webhook
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.outbound import Answer
from notifications.channels import chat, http
from notifications.channels.base import Parcel, Receipt, Setting, Spec, ThreadPlace

# https://docs.discord.com/developers/resources/message#embed-object-embed-limits
TITLE_CHARS = 256
DESCRIPTION_CHARS = 4_096
FIELD_NAME_CHARS = 256
FIELD_CHARS = 1_024
FOOTER_CHARS = 2_048
EMBED_CHARS = 6_000
CONTENT_CHARS = 2_000
# https://docs.discord.com/developers/components/reference#button
MOST_BUTTONS = 5
BUTTON_CHARS = 80
BUTTON_URL_CHARS = 512
ACTION_ROW, BUTTON, LINK_STYLE = 1, 2, 5
SUPPRESS_NOTIFICATIONS = 1 << 12
# Webhooks may send 30 messages a minute to one channel.
PACE = 2.0

MARKUP = re.compile(r"([\\*_~`|>\[\]()<#:@\-])")
SNOWFLAKE = re.compile(r"[0-9]{5,20}")


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind == "answer" or (parcel.kind == "update" and parcel.thread is None):
        return Receipt(answer="nothing to say in Discord")
    said = body_of(parcel)
    if settings.SIMULATION:
        return chat.keep(parcel, to="Discord", sent=said)
    if parcel.kind == "update" and parcel.thread:
        call(parcel, "PATCH", f"/messages/{parcel.thread.ts}", said)
        return Receipt(provider_id=parcel.thread.ts, answer="200 ok")
    answer = call(parcel, "POST", "", said, wait="true")
    found = http.read_json(answer)
    number, where = str(found.get("id") or ""), str(found.get("channel_id") or "")
    place = parcel.thread or (ThreadPlace(where, number) if number else None)
    return Receipt(provider_id=number, answer=f"{answer.status} ok", thread=place)


def call(
    parcel: Parcel, method: str, path: str, said: dict[str, Any], **query: str
) -> Answer:
    """Call the webhook. Raises DeliveryError with Discord's message.

    https://docs.discord.com/developers/topics/rate-limits: `retry_after` in the body
    has fractions of a second, which the header has not.
    """
    url = chat.secret_of(parcel, "webhook_url").partition("?")[0].rstrip("/")
    query["with_components"] = "true"  # link buttons, which every webhook may send
    if thread := str(parcel.settings.get("thread_id") or ""):
        query["thread_id"] = thread
    answer = chat.call(
        parcel, f"{url}{path}?{urlencode(query)}", method=method, json_body=said
    )
    found = http.read_json(answer)
    text = " ".join(str(found.get(name) or "") for name in ("code", "message")).strip()
    chat.need_success(answer, said=text, wait=found.get("retry_after"))
    return answer


# --- what is posted ---


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return what is posted or patched; it mentions nobody, whatever it holds.

    https://docs.discord.com/developers/resources/message#allowed-mentions-object
    """
    if parcel.kind in ("page", "update"):
        said = chat.fitting(parcel, lambda few: drawn(parcel, few), fits)
    elif parcel.kind == "reply":
        text = chat.cut(escaped(chat.line(parcel)), CONTENT_CHARS)
        said = {"content": text, "flags": SUPPRESS_NOTIFICATIONS}
    else:
        said = {"content": chat.cut(escaped(chat.test_line(parcel)), CONTENT_CHARS)}
    return said | {"allowed_mentions": {"parse": []}}


def drawn(parcel: Parcel, few: chat.Card) -> dict[str, Any]:
    alerts = "\n".join([*few.alerts, few.more]).strip()
    parts = [f"**{escaped(few.headline)}**", escaped(few.body), escaped(alerts)]
    embed: dict[str, Any] = {
        "title": chat.cut(f"{few.sign} {escaped(few.title)}", TITLE_CHARS),
        "description": "\n\n".join(part for part in parts if part),
        "color": int(few.colour.removeprefix("#"), 16),
        "fields": [
            {
                "name": chat.cut(escaped(label), FIELD_NAME_CHARS),
                "value": chat.cut(escaped(value), FIELD_CHARS),
                "inline": True,
            }
            for label, value in few.facts
        ],
    }
    if chat.is_web(parcel.message.url):
        embed["url"] = parcel.message.url
    if few.small:
        embed["footer"] = {"text": chat.cut("\n".join(few.small), FOOTER_CHARS)}
    if parcel.message.changed_at:
        embed["timestamp"] = parcel.message.changed_at
    buttons = [
        {
            "type": BUTTON,
            "style": LINK_STYLE,
            "label": chat.cut(label, BUTTON_CHARS),
            "url": url,
        }
        for label, url in few.links
        if len(url) <= BUTTON_URL_CHARS
    ]
    row = {"type": ACTION_ROW, "components": buttons[:MOST_BUTTONS]}
    return {"embeds": [embed], "components": [row] if buttons else []}


def escaped(text: str) -> str:
    """Return text in which nothing is Markdown, a mention, an emoji or a command.

    https://docs.discord.com/developers/reference#message-formatting
    """
    return chat.woven(text, lambda part: MARKUP.sub(r"\\\1", part), str)


def fits(said: dict[str, Any]) -> bool:
    (embed,) = said["embeds"]
    texts = [embed["title"], embed["description"]]
    texts += [field[name] for field in embed["fields"] for name in ("name", "value")]
    texts.append(embed.get("footer", {}).get("text", ""))
    if len(embed["description"]) > DESCRIPTION_CHARS:
        return False
    return sum(map(len, texts)) <= EMBED_CHARS


def a_thread(given: str) -> str:
    if not SNOWFLAKE.fullmatch(given.strip()):
        raise ValidationError(_("A thread's id is a number."))
    return given.strip()


def without_query(url: str) -> str:
    """Return a webhook's address alone; ours are the query's parameters."""
    checked = chat.a_hook(
        r"^/api/(v\d+/)?webhooks/\d+/[\w-]+/?$",
        "https://discord.com/api/webhooks/1/abc…",
    )(url)
    return urlsplit(checked)._replace(query="", fragment="").geturl()


SPEC = Spec(
    kind="discord",
    label=gettext_lazy("Discord"),
    about=gettext_lazy("A channel, by its webhook; one message a group, redrawn."),
    settings=(
        chat.PLACE,
        Setting(
            "thread_id",
            gettext_lazy("Thread"),
            gettext_lazy("The id of a thread in the channel; empty: none."),
            check=a_thread,
        ),
        Setting(
            "webhook_url",
            gettext_lazy("Webhook's address"),
            gettext_lazy("Channel's settings, Integrations, Webhooks, Copy URL."),
            secret=True,
            check=without_query,
        ),
    ),
    place=chat.named_place,
    check=chat.needs("webhook_url"),
    updates=True,
    pace=PACE,
)
