"""What do tools send that can post to a Discord webhook?

https://discord.com/developers/docs/resources/webhook#execute-webhook
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
from alertcenter.alerts.sources.shapes import first, moment, number, objects

NAME = "discord"


def read(incoming: Incoming) -> list[Event]:
    """Return an event for each embed, or for the content. Raises NotUnderstood."""
    data = as_object(incoming)
    embeds = objects(data, "embeds")[:10]
    content = first(data, "content")
    found = [one for one in embeds if first(one, "title", "description", "author.name")]
    if found:
        return [message(data, one, content) for one in found]
    if not content:
        raise NotUnderstood("there is neither content nor an embed")
    return [message(data, {}, content)]


def message(data: Data, embed: Data, content: str) -> Event:
    told = (
        first(embed, "title", "author.name") or content or first(embed, "description")
    )
    title, _line, rest = told.partition("\n")
    title = title.replace("*", "").strip()
    body = first(embed, "description") or rest or content
    fields = {
        first(one, "name"): first(one, "value")
        for one in objects(embed, "fields")[:25]
        if first(one, "name")
    }
    colour = number(embed.get("color"))
    over = is_over(title, body) or (
        greenish(colour) and not title.upper().startswith("[FIRING")
    )
    low = {key.lower(): value for key, value in fields.items()}
    return event(
        NAME,
        title=title,
        key=joined(first(data, "username"), bare(title)),
        firing=not over,
        severity=first(low, "severity", "priority", "level")
        or severity_in(title, body),
        labels={
            "alertname": bare(title),
            "sender": first(data, "username"),
            **{key: value for key, value in fields.items() if len(value) < 200},
        },
        annotations={"description": body},
        link=first(embed, "url"),
        image=first(embed, "image.url", "thumbnail.url"),
        starts_at=moment(first(embed, "timestamp")),
        ends_at=moment(first(embed, "timestamp")),
        ttl_seconds=24 * 3600,
    )


def greenish(colour: float | None) -> bool:
    """Whether a colour is mostly green."""
    if colour is None or not 0 < colour <= 0xFFFFFF:
        return False
    value = int(colour)
    red, green, blue = value >> 16, value >> 8 & 0xFF, value & 0xFF
    return green > 96 and green > 1.4 * red and green >= blue


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        type(data.get("embeds")) is list or ("content" in data and "avatar_url" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Discord-style webhook",
    read,
    recognise,
    example={
        "username": "backup",
        "content": "",
        "embeds": [
            {
                "title": "Backup of db-1 failed",
                "description": "pg_dump ended with 1",
                "color": 15158332,
                "fields": [{"name": "host", "value": "db-1"}],
            }
        ],
    },
    steps=(
        _("Where the tool asks for a Discord webhook address, paste this URL instead."),
        _("Titles that say resolved or recovered close what they name."),
    ),
    docs="https://discord.com/developers/docs/resources/webhook#execute-webhook",
)
