"""How does a delivery reach Mattermost? By an incoming webhook, or better by a bot.

A webhook only posts. A bot's message is redrawn in place, and what happens is told in
its thread.

https://developers.mattermost.com/integrate/webhooks/incoming/
https://developers.mattermost.com/api-documentation/
https://developers.mattermost.com/integrate/reference/message-attachments/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.outbound import Answer
from notifications.channels import chat, http
from notifications.channels.base import (
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
    ThreadPlace,
)
from notifications.channels.http import a_url
from notifications.channels.webhook import server_of

# https://docs.mattermost.com/administration-guide/configure/environment-configuration-settings.html
# A message holds 16,383 characters; servers with old databases hold 4,000.
TEXT_CHARS = 4_000
PACE = 0.1  # a server's default limit is ten requests a second for each user

# What a backslash takes its meaning from; before anything else it would be shown.
MARKUP = re.compile(r"([\\*_~`|>\[\]()#!+\-])")
ID = re.compile(r"[a-z0-9]{26}")


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind == "answer" or (parcel.kind == "update" and parcel.thread is None):
        return Receipt(answer="nothing to say in Mattermost")
    said = body_of(parcel)
    if settings.SIMULATION:
        return chat.keep(parcel, to="Mattermost", sent=said)
    if parcel.settings.get("channel_id"):
        return by_bot(parcel, said)
    if parcel.kind == "update":
        return Receipt(answer="a webhook redraws nothing")
    hook = chat.secret_of(parcel, "webhook_url")
    answer = chat.call(parcel, hook, json_body=said)
    return Receipt(answer=needed(answer))


def by_bot(parcel: Parcel, said: dict[str, Any]) -> Receipt:
    """Post, post in the thread, or redraw the thread's first message."""
    root = parcel.thread
    props = {"attachments": said["attachments"], "disable_group_highlight": True}
    post: dict[str, Any] = {"message": said["text"], "props": props}
    if parcel.kind == "update" and root:
        api(parcel, "PUT", f"/posts/{root.ts}/patch", post)
        return Receipt(provider_id=root.ts, answer="200 ok")
    post["channel_id"] = str(parcel.settings["channel_id"])
    if root:
        post["root_id"] = root.ts
    answer = api(parcel, "POST", "/posts", post)
    found = http.read_json(answer)
    number = str(found.get("id") or "")
    place = root or (ThreadPlace(post["channel_id"], number) if number else None)
    return Receipt(provider_id=number, answer=f"{answer.status} ok", thread=place)


def api(parcel: Parcel, method: str, path: str, said: dict[str, Any]) -> Answer:
    """Call the server's API with the bot's token. Raises DeliveryError."""
    server = str(parcel.settings.get("url") or "").rstrip("/")
    if not server:
        raise DeliveryError("the channel names no server", permanent=True)
    token = chat.secret_of(parcel, "bot_token")
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server}/api/v4{path}"
    answer = chat.call(parcel, url, method=method, json_body=said, headers=headers)
    needed(answer)
    return answer


def needed(answer: Answer) -> str:
    """Return what the server said. Raises DeliveryError with its message.

    https://developers.mattermost.com/api-documentation/#/#rate-limiting: seconds until
    the window ends.
    """
    found = http.read_json(answer)
    reset = answer.headers.get("x-ratelimit-reset", "")
    wait = int(reset) if reset.isdecimal() else None
    if "retry-after" in answer.headers:
        wait = None
    return chat.need_success(answer, said=str(found.get("message") or ""), wait=wait)


# --- what is posted ---


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return `text` and `attachments`, which both ways of posting know."""
    if parcel.kind in ("page", "update"):
        few = chat.fitting(parcel, drawn, fits)
        return {"text": "", "attachments": [few]}
    said = chat.test_line(parcel)
    if parcel.kind == "reply":
        said = chat.line(parcel, named=parcel.thread is None)
    return {"text": chat.cut(escaped(said), TEXT_CHARS), "attachments": []}


def drawn(few: chat.Card) -> dict[str, Any]:
    """Return the attachment: its colour is a bar, its links stand below the text."""
    named = [f"**{escaped(k)}:** {escaped(v)}" for k, v in few.facts]
    alerts = "\n".join([*few.alerts, few.more]).strip()
    small = [escaped(one) for one in few.small]
    links = [f"[{escaped(label)}]({url})" for label, url in few.links]
    parts = [
        f"**{escaped(few.headline)}**",
        escaped(few.body),
        escaped(alerts),
        "\n".join([*named, *small]),
        " · ".join(links),
    ]
    return {
        "fallback": f"{few.sign} {few.title} · {few.headline}".replace("@", "@\u200b"),
        "color": few.colour,
        "title": f"{few.sign} {escaped(few.title)}",
        "title_link": few.links[-1][1] if few.links else "",
        "text": "\n\n".join(part for part in parts if part),
    }


def escaped(text: str) -> str:
    """Return text in which nothing is Markdown and nobody is mentioned.

    A backslash does not keep @channel from telling everybody; a zero-width space does.
    https://docs.mattermost.com/end-user-guide/collaborate/mention-people.html
    """
    return chat.woven(text, quiet, str)


def quiet(text: str) -> str:
    return MARKUP.sub(r"\\\1", text).replace("@", "@\u200b")


def fits(attachment: dict[str, Any]) -> bool:
    return len(attachment["text"]) <= TEXT_CHARS


# --- settings ---


def needed_settings(
    given: Mapping[str, Any], held: Mapping[str, str]
) -> dict[str, Any]:
    """Ask for a webhook's address, or for server, channel and token of a bot."""
    problems = keep_token_from_others(given, held)
    if problems or settings.SIMULATION:
        return problems
    text = _("Needed to post as a bot: server, channel's id and token.")
    if given.get("channel_id"):
        missing = [] if given.get("url") else ["url"]
        if not given.get("bot_token") and not held.get("bot_token"):
            missing.append("bot_token")
        return dict.fromkeys(missing, text)
    if given.get("webhook_url") or held.get("webhook_url"):
        return {}
    return {"webhook_url": _("Give a webhook's address, or a bot's channel.")}


def keep_token_from_others(
    given: Mapping[str, Any], held: Mapping[str, str]
) -> dict[str, Any]:
    """A stored token is for the server it was given for, and shown to no other."""
    before = str(given["stored"].get("url") or "")
    if server_of(before) == server_of(str(given.get("url") or "")):
        return {}
    if held.get("bot_token") and not given.get("bot_token"):
        text = _("The address is another server's: give the token again.")
        return {"bot_token": text}
    return {}


def a_hook(url: str) -> str:
    """Return a webhook's address; a server in the house may have no TLS."""
    if "/hooks/" not in a_url(url):
        text = _("The address looks like %(example)s.")
        raise ValidationError(text % {"example": "https://chat.example.org/hooks/abc…"})
    return url.strip()


def an_id(given: str) -> str:
    if not ID.fullmatch(given.strip()):
        raise ValidationError(_("An id has 26 small letters and digits."))
    return given.strip()


SPEC = Spec(
    kind="mattermost",
    label=gettext_lazy("Mattermost"),
    about=gettext_lazy("A channel, by a bot (redrawn, threads) or by a webhook."),
    settings=(
        chat.PLACE,
        Setting(
            "webhook_url",
            gettext_lazy("Webhook's address"),
            gettext_lazy("Of an incoming webhook; not needed for a bot."),
            secret=True,
            check=a_hook,
        ),
        Setting(
            "url",
            gettext_lazy("Server"),
            gettext_lazy("For a bot: https://chat.example.org"),
            check=a_url,
        ),
        Setting(
            "channel_id",
            gettext_lazy("Channel's id"),
            gettext_lazy("For a bot: in the channel's menu, View Info."),
            check=an_id,
        ),
        Setting(
            "bot_token",
            gettext_lazy("Bot token"),
            secret=True,
            check=chat.a_token(r"[A-Za-z0-9]{20,64}", "xr3j5x3p4pfk7kk6ck7b4e6ghh"),
        ),
    ),
    place=chat.named_place,
    check=needed_settings,
    updates=True,
    pace=PACE,
)
