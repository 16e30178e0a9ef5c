"""What do tools send that can post to a Slack incoming webhook?

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.chat import bare, is_over, severity_in
from alertcenter.alerts.sources.shapes import first, objects, part

NAME = "slack"
COLOURS = {"good": "info", "warning": "warning", "danger": "critical"}
GREENS = ("good", "#2eb886", "#36a64f", "#00ff00", "#2eb67d", "#7cd197", "green")


def read(incoming: Incoming) -> list[Event]:
    """Return an event for each attachment, or for the text. Raises NotUnderstood."""
    data = as_object(incoming)
    found = [one for one in objects(data, "attachments")[:100] if title_of(one)]
    words = first(data, "text") or in_blocks(data)
    if found:
        return [attachment(data, one, words) for one in found]
    if not words:
        raise NotUnderstood("there is neither a text nor an attachment")
    head, _line, rest = words.partition("\n")
    return [message(data, clean(head), rest, "", first(data, "icon_url"), {})]


def attachment(data: Data, one: Data, words: str) -> Event:
    fields = {
        first(each, "title"): first(each, "value")
        for each in objects(one, "fields")[:30]
        if first(each, "title")
    }
    body = first(one, "text") or in_blocks(one) or words
    return message(
        data,
        clean(title_of(one)),
        body,
        first(one, "color").lower(),
        first(one, "title_link", "author_link"),
        fields,
        first(one, "image_url", "thumb_url"),
    )


def title_of(one: Data) -> str:
    return (
        first(one, "title", "pretext")
        or (first(one, "fallback") or first(one, "text") or in_blocks(one)).partition(
            "\n"
        )[0]
    )


def message(
    data: Data,
    title: str,
    body: str,
    colour: str,
    link: str,
    fields: Data,
    image: str = "",
) -> Event:
    """Return the event of one message; what it is about is its title without a state."""
    over = colour in GREENS or (
        is_over(title, body) and colour not in ("danger", "warning")
    )
    if colour == "danger" and title.upper().startswith("[RESOLVED"):
        over = True
    name = bare(title)
    low = {key.lower(): value for key, value in fields.items()}
    return event(
        NAME,
        title=title,
        key=joined(first(data, "channel"), name),
        firing=not over,
        severity=first(low, "severity", "priority", "level", "state")
        or severity_in(title, body)
        or COLOURS.get(colour, "warning"),
        labels={
            "alertname": name,
            "sender": first(data, "username"),
            "channel": first(data, "channel"),
            **{key: value for key, value in fields.items() if len(value) < 200},
        },
        annotations={"description": body},
        link=link or link_in(body),
        image=image,
        ttl_seconds=24 * 3600,
    )


def in_blocks(data: Data) -> str:
    """Return the words of the blocks, a line each."""
    lines = []
    for block in objects(data, "blocks")[:30]:
        words = first(block, "text.text") or " ".join(
            first(field, "text") for field in objects(block, "fields")[:10]
        )
        lines += (
            [words]
            if words
            else [
                first(one, "text")
                for one in objects(block, "elements")[:5]
                if first(one, "text")
            ]
        )
    return "\n".join(lines)


def clean(words: str) -> str:
    """Return `*bold*` and `<link|words>` as they are read."""
    if "<" in words and "|" in words:
        head, _open, rest = words.partition("<")
        inner, _close, tail = rest.partition(">")
        words = head + inner.rpartition("|")[2] + tail
    return words.strip().strip("*_`").replace("*", "")


def link_in(words: str) -> str:
    """Return the first link in Slack's own notation."""
    inner = words.partition("<http")[2].partition(">")[0]
    return "http" + inner.partition("|")[0] if inner else ""


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict or "@type" in data or data.get("type") == "message":
        return False
    found = objects(data, "attachments")
    return (
        any(
            "fallback" in one or "color" in one or "title_link" in one
            for one in found[:3]
        )
        or (
            bool(objects(data, "blocks"))
            and "type" in part({"a": objects(data, "blocks")[0]}, "a")
        )
        or (
            "text" in data and bool({"channel", "username", "icon_emoji"} & data.keys())
        )
    )


ADAPTER = Adapter(
    NAME,
    "Slack-style webhook",
    read,
    recognise,
    takes_text=True,
    example={
        "channel": "#ops",
        "username": "backup",
        "attachments": [
            {
                "fallback": "Backup of db-1 failed",
                "color": "danger",
                "title": "Backup of db-1 failed",
                "title_link": "https://backup.example/runs/1",
                "text": "pg_dump ended with 1",
                "fields": [{"title": "Host", "value": "db-1", "short": True}],
            }
        ],
    },
    steps=(
        _("Where the tool asks for a Slack webhook address, paste this URL instead."),
        _(
            "Green messages, and titles that say resolved or recovered, close what they name."
        ),
    ),
    docs="https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
)
