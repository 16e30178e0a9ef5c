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
from alertcenter.alerts.sources.shapes import first, moment, number, objects

NAME = "discord"
DAY = 24 * 3600


def read(incoming: Incoming) -> list[Event]:
    """Return an event for each embed, or for the content. Raises NotUnderstood."""
    data = as_object(incoming)
    embeds = objects(data, "embeds")[:10]
    content = first(data, "content")
    found = [
        one
        for one in embeds
        if first(one, "title", "description", "author.name") or objects(one, "fields")
    ]
    if found:
        alone = len(found) == 1
        return [each for one in found for each in embedded(data, one, content, alone)]
    if not content:
        raise NotUnderstood("there is neither content nor an embed")
    return embedded(data, {}, content, True)


def embedded(data: Data, embed: Data, content: str, alone: bool) -> list[Event]:
    """Return what an embed says; one that lists alerts says it of each."""
    body = first(embed, "description")
    found = [
        labelled_event(NAME, each, ttl_seconds=DAY) for each in listed(body or content)
    ]
    return found or [message(data, embed, content, alone)]


def message(data: Data, embed: Data, content: str, alone: bool) -> Event:
    """Return the event of one message; what it is about is its title without a state."""
    told = first(embed, "title") or (content if alone else "")
    told = told or first(embed, "author.name", "description") or "Discord message"
    title, _line, rest = told.partition("\n")
    title = title.replace("**", "").replace("__", "").strip("# *_`").strip() or told
    body = first(embed, "description") or rest or (content if content != told else "")
    fields = {
        first(one, "name").strip(" :*_`"): first(one, "value").strip("`")
        for one in objects(embed, "fields")[:25]
        if first(one, "name")
    }
    low = {key.lower(): value for key, value in fields.items()}
    colour = meaning(number(embed.get("color")) or embed.get("color"))
    over = over_by_field(low)
    if over is None:
        over = is_over(title, body) if colour != "over" else True
        if title.upper().startswith(("[RESOLVED", "[FIRING")):
            over = title.upper().startswith("[RESOLVED")
    sender, name = first(data, "username"), bare(title)
    at = moment(first(embed, "timestamp"))
    return event(
        NAME,
        title=shown(title),
        key=joined(sender, name, subject(low)),
        firing=not over,
        severity=severity_of(low, title, colour, body),
        labels={
            "alertname": name,
            "sender": sender,
            **{key: value for key, value in fields.items() if len(value) < 200},
        },
        annotations={"description": body, "footer": first(embed, "footer.text")},
        link=first(embed, "url", "author.url") or link_in(body or content),
        image=first(embed, "image.url", "thumbnail.url"),
        starts_at=at,
        ends_at=at,
        ttl_seconds=DAY,
    )


def link_in(words: str) -> str:
    """Return the first link in Markdown's notation, "[words](link)"."""
    inner = words.partition("](http")[2].partition(")")[0]
    return "http" + inner.partition(" ")[0] if inner else ""


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
