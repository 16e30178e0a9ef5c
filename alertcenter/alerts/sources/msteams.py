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
    as_objects,
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
from alertcenter.alerts.sources.shapes import first, objects, part, parts, plain

NAME = "msteams"
LARGEST = 200
DAY = 24 * 3600
STYLES = ("attention", "warning", "good", "accent")


def read(incoming: Incoming) -> list[Event]:
    """Return the events of MessageCards or Adaptive Cards. Raises NotUnderstood."""
    bodies = as_objects(incoming.data)
    found = [each for one in bodies[:LARGEST] for each in events_of(one)]
    if not found:
        raise NotUnderstood("there is no card with any words")
    return found


def events_of(data: Data) -> list[Event]:
    """Return the events of one body: a card, or a message that carries cards."""
    if (
        "sections" in data
        or "themeColor" in data
        or first(data, "@type") == "MessageCard"
    ):
        return message_card(data)
    cards = [part(one, "content") or one for one in objects(data, "attachments")]
    cards = [one for one in cards if "body" in one or "sections" in one]
    cards = cards or ([data] if "body" in data else [])
    if not cards:
        return message_card(data) if first(data, "text", "title", "summary") else []
    return [
        each
        for one in cards[:10]
        for each in (
            message_card(one) if "sections" in one else adaptive_card(one, data)
        )
    ]


def message_card(data: Data) -> list[Event]:
    """Return the events of a card, one for each section that is an alert of its own."""
    sections = objects(data, "sections")[:50]
    each_facts = [facts_of(one) for one in sections]
    colour = meaning(first(data, "themeColor"))
    link = link_of(objects(data, "potentialAction"))
    title = plain(
        first(data, "title")
        or first(data, "sections.0.activityTitle", "sections.0.title", "summary")
        or first(data, "text").partition("\n")[0]
        or first(data, "sections.0.text", "sections.0.activityText").partition("\n")[0]
    )
    alerts = [
        (one, facts) for one, facts in zip(sections, each_facts, strict=True) if facts
    ]
    if len(alerts) > 1 or any("alertname" in facts for _one, facts in alerts):
        found: list[Event] = []
        for one, facts in alerts:
            name = facts.get("alertname") or plain(first(one, "activityTitle", "title"))
            body = said_in([one], title)
            button = link_of(objects(one, "potentialAction")) or link
            found += made(name or title, body, facts, button, colour, "", title)
        return found
    body = "\n".join(
        filter(None, (plain(first(data, "text")), said_in(sections, title)))
    )
    return made(
        title,
        body if body != title else "",
        {name: value for facts in each_facts for name, value in facts.items()},
        link
        or next(
            (
                address
                for one in sections[:5]
                if (address := link_of(objects(one, "potentialAction")))
            ),
            "",
        ),
        colour,
        first(data, "sections.0.images.0.image", "sections.0.heroImage.image"),
    )


def facts_of(section: Data) -> dict[str, str]:
    return {
        plain(first(one, "name")).strip(":* "): plain(first(one, "value")).strip("`")
        for one in objects(section, "facts")[:40]
        if first(one, "name")
    }


def said_in(sections: list[Data], title: str) -> str:
    """Return the words of sections, but for the title."""
    found = [
        plain(first(one, name))
        for one in sections[:10]
        for name in ("activityTitle", "activitySubtitle", "activityText", "text")
    ]
    return "\n".join(one for one in found if one and one != title)


def link_of(actions: list[Data]) -> str:
    """Return the first address among the actions of a card."""
    for one in actions[:10]:
        for path in ("targets.0.uri", "target.0", "target", "url", "uri"):
            found = first(one, path)
            if found.startswith("http"):
                return found
    return ""


def adaptive_card(card: Data, data: Data) -> list[Event]:
    """Return the events of an Adaptive Card, however its containers nest."""
    words: list[str] = []
    facts: dict[str, str] = {}
    colour = image = ""
    link = link_of(objects(card, "actions"))
    for one in elements(card):
        told = first(one, "text") or " ".join(
            first(each, "text") or (each if type(each) is str else "")
            for each in parts(one, "inlines")[:20]
        )
        if told.strip():
            words.append(told.strip())
        for each in objects(one, "facts")[:30]:
            facts[first(each, "title", "name").strip(":* ")] = first(each, "value")
        style = first(one, "color").lower() or first(one, "style").lower()
        if not colour and style in STYLES:
            colour = meaning(style)
        image = image or first(one, "url" if one.get("type") == "Image" else "image")
        link = link or link_of(objects(one, "actions") or [part(one, "selectAction")])
    title = first(card, "title") or next(
        (one for one in words if any(map(str.isalnum, one))), first(data, "summary")
    )
    rest = "\n".join(one for one in words if one != title)
    return made(title, rest or first(card, "fallbackText"), facts, link, colour, image)


def elements(card: Data) -> list[Data]:
    """Return the elements of a card in reading order; a container goes before."""
    found: list[Data] = []
    waiting = list(objects(card, "body")[:50])
    while waiting and len(found) < LARGEST:
        one = waiting.pop(0)
        found.append(one)
        inner = [
            each
            for name in ("items", "columns", "rows", "cells")
            for each in objects(one, name)[:50]
        ]
        waiting = inner + waiting
    return found


def made(
    title: str,
    body: str,
    facts: Data,
    link: str,
    colour: str,
    image: str,
    above: str = "",
) -> list[Event]:
    """Return the event of one card, or one for each alert that its text lists."""
    found = [labelled_event(NAME, each, ttl_seconds=DAY) for each in listed(body)]
    if found:
        return found
    title = title.replace("**", "").strip("# *_`").strip()
    if not title:
        return []
    low = {key.lower(): value for key, value in facts.items()}
    name = bare(title)
    over = over_by_field(low)
    if over is None:
        # The title of the whole card says the state of each of its alerts.
        head = above or title
        over = colour == "over" or (colour in ("", "info") and is_over(head, body))
        head = head.upper()
        if head.startswith(("[RESOLVED", "[FIRING")):
            over = head.startswith("[RESOLVED")
        elif "(RESOLVED)" in head:
            over = True
    return [
        event(
            NAME,
            title=shown(title),
            key=joined(name, subject(low)),
            firing=not over,
            severity=severity_of(low, title, colour, body),
            labels={
                "alertname": name,
                **{
                    key: value
                    for key, value in facts.items()
                    if key and len(value) < LARGEST
                },
            },
            annotations={"description": body},
            link=link,
            image=image,
            ttl_seconds=DAY,
        )
    ]


def recognise(incoming: Incoming) -> bool:
    bodies = as_objects(incoming.data)
    if not bodies:
        return False
    data = bodies[0]
    return (
        first(data, "@type").lower() == "messagecard"
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
