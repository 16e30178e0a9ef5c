"""How does a delivery reach Microsoft Teams? By the webhook of a Power Automate flow.

The flow "Post to a channel when a webhook request is received" takes a message with an
Adaptive Card and answers 202. It can neither edit nor answer below what it posted, so
what happens later is told by a card of its own, with one line.

https://learn.microsoft.com/power-automate/teams/teams-app-create
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
https://learn.microsoft.com/adaptive-cards/schema-explorer/adaptive-card
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy

from alertcenter.common.outbound import Answer
from notifications import localize
from notifications.channels import chat, http
from notifications.channels.base import DeliveryError, Parcel, Receipt, Setting, Spec

# https://learn.microsoft.com/connectors/teams/#known-issues-and-limitations-with-actions
# "approximately 28 KB"; the flow adds a little of its own.
MESSAGE_BYTES = 26_000
# https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
MOST_ACTIONS = 6
CARD_VERSION = "1.5"
CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
MOST_LINES = 40  # ours: each line of a text is an element of the card

# Named styles and colours follow the reader's theme, dark or light.
STYLES = {5: "attention", 4: "attention", 3: "warning", 2: "accent", 1: "emphasis"}
STATE_STYLES = {"acknowledged": "accent", "snoozed": "emphasis", "resolved": "good"}
# The connectors that flows replaced answer 200 when Teams itself refused.
INNER_ERROR = re.compile(r"returned HTTP error (\d{3})")

Element = dict[str, Any]


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind == "page":
        said = chat.fitting(parcel, lambda few: page(parcel, few), fits)
    elif parcel.kind in ("reply", "test"):
        said = line(parcel)
    else:
        return Receipt(answer="Teams redraws nothing")
    if settings.SIMULATION:
        return chat.keep(parcel, to="Microsoft Teams", sent=said)
    answer = chat.call(parcel, chat.secret_of(parcel, "webhook_url"), json_body=said)
    complain_inside(answer)
    return Receipt(answer=http.need_success(answer))


def complain_inside(answer: Answer) -> None:
    """Raise DeliveryError for a 200 that tells of another status."""
    found = INNER_ERROR.search(answer.body)
    if found and answer.status in http.SUCCESS:
        http.need_success(Answer(int(found.group(1)), answer.body, answer.headers))
        raise DeliveryError(answer.body[: http.SHOWN_ANSWER])


# --- what is posted ---


def page(parcel: Parcel, few: chat.Card) -> dict[str, Any]:
    """Return the message with the card of a group."""
    message = parcel.message
    style = STATE_STYLES.get(message.state) or STYLES.get(message.severity, "emphasis")
    head = [
        text(f"{few.sign} {few.title}", weight="Bolder", size="Large"),
        text(few.headline, weight="Bolder", spacing="Small"),
    ]
    body: list[Element] = [
        {"type": "Container", "style": style, "bleed": True, "items": head},
        *lines(few.body),
        *(fact(label, value) for label, value in few.facts),
        *lines("\n".join(few.alerts)),
    ]
    if few.more:
        body.append(text(few.more, isSubtle=True, spacing="Small"))
    if few.small:
        small = " · ".join(few.small)
        body.append(text(small, size="Small", isSubtle=True, separator=True))
    found = wrapped(parcel, body, f"{few.title} · {few.headline}")
    content = found["attachments"][0]["content"]
    content["actions"] = [
        {"type": "Action.OpenUrl", "title": label, "url": url}
        for label, url in few.links[:MOST_ACTIONS]
    ]
    return found


def line(parcel: Parcel) -> dict[str, Any]:
    """Return a message of one line: a test, or what happened."""
    said = chat.test_line(parcel) if parcel.kind == "test" else chat.line(parcel)
    found = wrapped(parcel, [text(said)], said)
    if parcel.kind == "reply" and chat.is_web(parcel.message.url):
        opened = {"type": "Action.OpenUrl", "url": parcel.message.url}
        found["attachments"][0]["content"]["selectAction"] = opened
    return found


def wrapped(parcel: Parcel, body: list[Element], said: str) -> dict[str, Any]:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "fallbackText": said,
        "lang": parcel.language.partition("-")[0],  # of two or three letters
        "body": body,
        "msteams": {"width": "Full"},
    }
    if localize.direction(parcel.language) == "rtl":
        card["rtl"] = True
    attachment = {"contentType": CONTENT_TYPE, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def text(said: str, *, separator: bool = False, **looks: Any) -> Element:
    """Return a line. A text run, unlike a text block, knows no Markdown, no date
    functions and no mentions: whatever comes from outside is shown as it is."""
    spacing = looks.pop("spacing", "Default")
    run = {"type": "TextRun", "text": said or " "} | looks
    found: Element = {"type": "RichTextBlock", "inlines": [run], "spacing": spacing}
    return found | {"separator": True} if separator else found


def lines(said: str) -> Iterator[Element]:
    """Yield each line of a text: a run shows no line breaks."""
    for at, one in enumerate(said.splitlines()[:MOST_LINES]):
        if one.strip():
            line_of_text = text(one, spacing="None" if at else "Medium")
            yield line_of_text | {"inlines": list(runs(one))}


def runs(said: str) -> Iterator[Element]:
    """Yield a line's runs: those that are addresses can be followed."""
    end = 0
    for match in chat.ADDRESS.finditer(said):
        url = match.group(0)
        if match.start() > end:
            yield {"type": "TextRun", "text": said[end : match.start()]}
        opened = {"type": "Action.OpenUrl", "url": url}
        yield {"type": "TextRun", "text": url, "selectAction": opened}
        end = match.end()
    if end < len(said):
        yield {"type": "TextRun", "text": said[end:]}


def fact(label: str, value: str) -> Element:
    found = text(f"{label}: ", weight="Bolder", spacing="Small")
    found["inlines"].append({"type": "TextRun", "text": value})
    return found


def fits(said: dict[str, Any]) -> bool:
    return len(json.dumps(said, ensure_ascii=False).encode()) <= MESSAGE_BYTES


SPEC = Spec(
    kind="teams",
    label=gettext_lazy("Microsoft Teams"),
    about=gettext_lazy("A channel or chat, by the webhook of a Workflows flow."),
    settings=(
        chat.PLACE,
        Setting(
            "webhook_url",
            gettext_lazy("Webhook's address"),
            gettext_lazy("What the Workflows app shows when the flow is made."),
            secret=True,
            check=chat.a_hook(
                r"^/(workflows|powerautomate|webhook)",
                "https://….logic.azure.com/workflows/…/triggers/manual/paths/invoke?…",
            ),
        ),
    ),
    place=chat.named_place,
    check=chat.needs("webhook_url"),
    # https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
    pace=1.0,
)
