"""What do tools send that can post to a Slack incoming webhook?

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
"""

from __future__ import annotations

from html import unescape

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
from alertcenter.alerts.sources.chat import (
    bare,
    is_over,
    listed,
    meaning,
    over_by_field,
    severity_of,
    shown,
    subject,
)
from alertcenter.alerts.sources.labelled import labelled_event
from alertcenter.alerts.sources.shapes import first, moment, objects, part

NAME = "slack"
DAY = 24 * 3600
# Alertmanager's default link; its titles end in the labels that a group has in common,
# which change as alerts come and go: "[FIRING:2] DiskFull (db warning)".
ALERTMANAGER = "/#/alerts?receiver="


def read(incoming: Incoming) -> list[Event]:
    """Return an event for each attachment, or for the text. Raises NotUnderstood."""
    data = as_object(incoming)
    words = first(data, "text")
    head = heading(data) or words or in_blocks(data)
    found = [one for one in objects(data, "attachments")[:100] if title_of(one)]
    if found:
        # A headline stands above the only attachment, or above many that it is not of.
        above = head if len(found) == 1 and not first(found[0], "title") else ""
        return [one for each in found for one in attachment(data, each, above, words)]
    if not head:
        raise NotUnderstood("there is neither a text nor an attachment")
    head, _line, rest = head.partition("\n")
    body = in_blocks(data) or rest
    if words and not words.startswith(head) and words not in body:
        body = f"{words}\n{body}".strip()
    fields = in_fields(data)
    return message(data, {}, plain(head), body or rest, fields, link_of(data, body))


def attachment(data: Data, one: Data, above: str, words: str) -> list[Event]:
    """Return what an attachment says; one that lists alerts says it of each."""
    body = first(one, "text") or in_blocks(one)
    found = [
        labelled_event(NAME, each, ttl_seconds=DAY) for each in listed(unescape(body))
    ]
    if found:
        return found
    fields = in_fields(one) | {
        first(each, "title"): unescape(first(each, "value"))
        for each in objects(one, "fields")[:30]
        if first(each, "title")
    }
    title = above.partition("\n")[0] or title_of(one)
    if body == title:
        body = ""
    link = first(one, "title_link", "author_link", "from_url") or link_of(one, body)
    return message(data, one, plain(title), body or words, fields, link)


def message(
    data: Data, one: Data, title: str, body: str, fields: Data, link: str
) -> list[Event]:
    """Return the event of one message; what it is about is its title without a state."""
    low = {key.lower().strip(" :*"): value for key, value in fields.items()}
    colour = meaning(one.get("color"))
    over = over_by_field(low)
    if over is None:
        over = colour == "over" or (colour in ("", "info") and is_over(title, body))
        if title.upper().startswith(("[RESOLVED", "[FIRING")):
            over = title.upper().startswith("[RESOLVED")
    name = bare(title)
    if ALERTMANAGER in link and title.startswith("["):
        name = name.partition(" (")[0] or name
    at = moment(one.get("ts"))
    return [
        event(
            NAME,
            title=shown(title),
            key=joined(first(data, "channel"), name, subject(low)),
            firing=not over,
            severity=severity_of(low, title, colour, body),
            labels={
                "alertname": name,
                "sender": first(data, "username") or first(one, "author_name"),
                "channel": first(data, "channel"),
                **{
                    key.strip(" :*"): value
                    for key, value in fields.items()
                    if len(value) < 200
                },
            },
            annotations={
                "description": unescape(body),
                "footer": first(one, "footer"),
            },
            link=link,
            image=first(one, "image_url", "thumb_url"),
            starts_at=at,
            ends_at=at,
            ttl_seconds=DAY,
        )
    ]


def title_of(one: Data) -> str:
    return (
        first(one, "title", "pretext")
        or heading(one)
        or (first(one, "fallback") or first(one, "text") or in_blocks(one)).partition(
            "\n"
        )[0]
    )


def heading(data: Data) -> str:
    """Return the text of the block that is a header."""
    for block in objects(data, "blocks")[:30]:
        if block.get("type") == "header":
            return first(block, "text.text", "text")
    return ""


def in_blocks(data: Data) -> str:
    """Return the words of the blocks but for headers, a line each."""
    lines = []
    for block in objects(data, "blocks")[:30]:
        if block.get("type") == "header" or block.get("fields"):
            lines.append(
                "" if block.get("type") == "header" else first(block, "text.text")
            )
            continue
        inner = objects(block, "elements")[:20]
        lines.append(
            first(block, "text.text", "text")
            or " ".join(
                filter(
                    None,
                    (first(one, "text.text", "text") or in_rich(one) for one in inner),
                )
            )
        )
    return "\n".join(filter(None, lines))


def in_rich(element: Data) -> str:
    """Return the words of a rich text's section."""
    return "".join(
        first(one, "text", "url", "name") for one in objects(element, "elements")[:50]
    )


def in_fields(data: Data) -> dict[str, str]:
    """Return a section's fields, each a text as "*Host:*\\ndb-1"."""
    found: dict[str, str] = {}
    for block in objects(data, "blocks")[:30]:
        for field in objects(block, "fields")[:10]:
            told = first(field, "text")
            name, sign, value = told.partition("\n")
            if not sign:
                name, sign, value = told.partition(":")
            if sign and len(name) < 60:
                found[name.strip(" :*_`")] = unescape(value.strip(" :*_`\n"))
    return found


def plain(words: str) -> str:
    """Return `*bold*` and `<link|words>` as they are read."""
    for _time in range(3):
        head, opened, rest = words.partition("<")
        inner, closed, tail = rest.partition(">")
        if not (opened and closed):
            break
        words = head + inner.rpartition("|")[2].lstrip("!@#") + tail
    return unescape(words).replace("*", "").strip("_`~ ")


def link_of(data: Data, words: str) -> str:
    """Return a button's address, or the first link in Slack's own notation."""
    buttons = [
        *objects(data, "actions")[:5],
        *(
            one
            for block in objects(data, "blocks")[:30]
            for one in objects(block, "elements")[:5]
        ),
        *(part(block, "accessory") for block in objects(data, "blocks")[:30]),
    ]
    for one in buttons:
        if first(one, "url"):
            return first(one, "url")
    inner = words.partition("<http")[2].partition(">")[0]
    return "http" + inner.partition("|")[0] if inner else ""


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if (
        type(data) is not dict
        or "@type" in data
        or data.get("type") in ("message", "modal", "home")
    ):
        return False
    found = objects(data, "attachments")
    return (
        any(
            "fallback" in one or "color" in one or "title_link" in one
            for one in found[:3]
        )
        or (any("type" in one for one in objects(data, "blocks")[:1]))
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
