"""What do tools send that can post to a Microsoft Teams channel?

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
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
from alertcenter.alerts.sources.shapes import first, objects, part, plain

NAME = "msteams"
GREENS = ("good", "00ff00", "2eb886", "2dc72d", "008000", "36a64f", "28a745", "107c10")
LARGEST = 200


def read(incoming: Incoming) -> list[Event]:
    """Return the event of a MessageCard or an Adaptive Card. Raises NotUnderstood."""
    data = as_object(incoming)
    if (
        "sections" in data
        or "themeColor" in data
        or first(data, "@type") == "MessageCard"
    ):
        return [message_card(data)]
    cards = [part(one, "content") for one in objects(data, "attachments")]
    cards = [one for one in cards if one] or ([data] if "body" in data else [])
    if not cards and first(data, "text", "title"):
        return [message_card(data)]
    found = [adaptive(one, data) for one in cards[:10] if words_of(one)]
    if not found:
        raise NotUnderstood("there is no card with any words")
    return found


def message_card(data: Data) -> Event:
    section = part({"a": next(iter(objects(data, "sections")), {})}, "a")
    facts = {
        plain(first(one, "name")).strip(":* "): plain(first(one, "value"))
        for each in objects(data, "sections")[:10]
        for one in objects(each, "facts")[:30]
    }
    title = plain(
        first(data, "title", "summary")
        or first(section, "activityTitle", "title")
        or first(data, "text").partition("\n")[0]
    ).replace("*", "")
    if not title:
        raise NotUnderstood("the card has no title")
    body = plain(
        first(data, "text")
        or first(section, "activityText", "text", "activitySubtitle")
    )
    colour = first(data, "themeColor").lower().strip("#")
    link = first(data, "potentialAction.0.targets.0.uri", "potentialAction.0.target.0")
    return made(
        title, body, facts, link, colour in GREENS, first(section, "images.0.image")
    )


def adaptive(card: Data, data: Data) -> Event:
    words = words_of(card)
    facts = {
        first(one, "title").strip(":* "): first(one, "value")
        for each in objects(card, "body")[:50]
        for one in objects(each, "facts")[:30]
    }
    colours = {first(one, "color").lower() for one in objects(card, "body")[:1]}
    link = next(
        (first(one, "url") for one in objects(card, "actions") if first(one, "url")), ""
    )
    title = first(data, "summary") or words[0]
    return made(
        title.replace("*", ""), "\n".join(words[1:]), facts, link, "good" in colours, ""
    )


def made(
    title: str, body: str, facts: Data, link: str, green: bool, image: str
) -> Event:
    low = {key.lower(): value for key, value in facts.items()}
    return event(
        NAME,
        title=title,
        key=joined(bare(title)),
        firing=not (green or is_over(title, body)),
        severity=first(low, "severity", "priority", "level")
        or severity_in(title, body),
        labels={
            "alertname": bare(title),
            **{
                key: value
                for key, value in facts.items()
                if key and len(value) < LARGEST
            },
        },
        annotations={"description": body},
        link=link,
        image=image,
        ttl_seconds=24 * 3600,
    )


def words_of(card: Data) -> list[str]:
    """Return the texts of a card, however its containers nest, in reading order."""
    found: list[str] = []
    waiting = list(objects(card, "body")[:50])
    steps = 0
    while waiting and steps < LARGEST:
        steps += 1
        one = waiting.pop(0)
        if first(one, "text"):
            found.append(first(one, "text"))
        waiting = [*objects(one, "items")[:50], *objects(one, "columns")[:20], *waiting]
    return found


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    return (
        first(data, "@type") == "MessageCard"
        or "adaptive" in first(data, "attachments.0.contentType")
        or (first(data, "type") == "AdaptiveCard" and "body" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Teams-style webhook",
    read,
    recognise,
    example={
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "themeColor": "D00000",
        "title": "Backup of db-1 failed",
        "text": "pg_dump ended with 1",
        "sections": [{"facts": [{"name": "Host", "value": "db-1"}]}],
    },
    steps=(
        _("Where the tool asks for a Teams webhook address, paste this URL instead."),
        _("Titles that say resolved or recovered close what they name."),
    ),
    docs="https://learn.microsoft.com/outlook/actionable-messages/message-card-reference",
)
