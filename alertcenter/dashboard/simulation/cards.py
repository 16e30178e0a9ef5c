"""What lies in the outbox? Slack's cards, mails, and all others' messages, as JSON.

Block Kit: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from alertcenter.dashboard.simulation import phone
from alertcenter.dashboard.simulation.mrkdwn import plain, spans
from notifications.channels.registry import channels
from notifications.models import Channel, Contact, SimulatedMessage

MOST_CARDS = 60
MOST_REPLIES = 400
COLOUR_LENGTH = 7
MENUS = ("overflow", "static_select", "users_select")

Card = dict[str, Any]


def version(tenant_id: UUID) -> str:
    """Return a text that changes whenever the outbox does."""
    found = _there(tenant_id).aggregate(
        n=Count("id"), last=Max("id"), edited=Max("edited_at")
    )
    edited = found["edited"].timestamp() if found["edited"] else 0
    return f"{found['n']}.{found['last'] or 0}.{edited}"


def _there(tenant_id: UUID) -> QuerySet[SimulatedMessage]:
    """Return what has come: a dry run writes down beforehand what it will say."""
    return SimulatedMessage.objects.filter(tenant_id=tenant_id, at__lte=Now())


def cards(tenant_id: UUID) -> list[Card]:
    """Return the newest messages, replies below what they answer."""
    rows = _there(tenant_id).filter(thread_ts="")
    tops = list(rows.order_by("-id")[:MOST_CARDS])
    tops.sort(key=lambda row: (row.at, row.pk), reverse=True)
    replies = _replies(tenant_id, [row.ts for row in tops if row.ts])
    names = _Names(tenant_id)
    acts = phone.acts(tops)
    return [
        _card(row, replies[row.ts], names) | {"acts": acts.get(row.ts, [])}
        for row in tops
    ]


def _card(
    row: SimulatedMessage, replies: list[SimulatedMessage], names: _Names
) -> Card:
    if row.kind == "slack":
        return _slack(row, replies, names)
    return _mail(row) if row.kind == "email" else _other(row, replies, names)


def _replies(tenant_id: UUID, stamps: list[str]) -> dict[str, list[SimulatedMessage]]:
    found: dict[str, list[SimulatedMessage]] = defaultdict(list)
    rows = SimulatedMessage.objects.filter(tenant_id=tenant_id, thread_ts__in=stamps)
    for row in rows.order_by("id")[:MOST_REPLIES]:
        found[row.thread_ts].append(row)
    return found


class _Names:
    """What people call channels and Slack users."""

    def __init__(self, tenant_id: UUID) -> None:
        self.channels = {
            row.pk: row.name for row in Channel.objects.filter(tenant_id=tenant_id)
        }
        contacts = Contact.objects.filter(tenant_id=tenant_id)
        self.users = {
            (row.kind, row.address): row.member.name
            for row in contacts.select_related("member")
        }

    def place(self, row: SimulatedMessage) -> str:
        if (row.kind, row.address) in self.users:
            return f"@ {self.users[row.kind, row.address]}"
        if row.channel_id in self.channels:
            return self.channels[row.channel_id]
        return row.address


def _slack(
    row: SimulatedMessage, replies: list[SimulatedMessage], names: _Names
) -> Card:
    return {
        "id": row.pk,
        "kind": "slack",
        "at": row.at.isoformat(),
        "place": names.place(row),
        "edited": row.edited_at.isoformat() if row.edited_at else None,
        "colour": _colour(row.payload),
        "blocks": blocks(row.payload),
        "replies": [
            {
                "id": reply.pk,
                "at": reply.at.isoformat(),
                "ephemeral": bool(reply.payload.get("ephemeral")),
                "broadcast": bool(reply.payload.get("broadcast")),
                "blocks": blocks(reply.payload),
            }
            for reply in replies
        ],
    }


def _mail(row: SimulatedMessage) -> Card:
    payload = row.payload
    headers = payload.get("headers") or {}
    return {
        "id": row.pk,
        "kind": "email",
        "at": row.at.isoformat(),
        "to": str(payload.get("to") or row.address),
        "subject": str(payload.get("subject", "")),
        "text": str(payload.get("text", "")),
        "headers": [f"{name}: {value}" for name, value in dict(headers).items()],
        "html": reverse("outbox-mail", args=[row.pk]) if payload.get("html") else "",
    }


def _other(
    row: SimulatedMessage, replies: list[SimulatedMessage], names: _Names
) -> Card:
    """Return what any other kind kept: its words, its links, and the body as sent."""
    payload = row.payload
    text, sent = str(payload.get("text", "")), payload.get("sent")
    if sent is None and text.startswith("{"):  # nothing but a body
        text, sent = "", text
    module = channels().get(row.kind)
    return {
        "id": row.pk,
        "kind": row.kind,
        "label": str(module.SPEC.label) if module else row.kind,
        "at": row.at.isoformat(),
        "edited": row.edited_at.isoformat() if row.edited_at else None,
        "place": names.place(row),
        "to": str(payload.get("to") or row.address),
        "title": str(payload.get("subject", "")),
        "text": text,
        "sent": _as_sent(sent),
        "links": [
            {"text": str(label), "url": str(url)}
            for label, url in payload.get("actions") or []
            if str(url).startswith(("https://", "http://"))
        ],
        "replies": [
            {
                "id": reply.pk,
                "at": reply.at.isoformat(),
                "text": str(reply.payload.get("text", "")),
            }
            for reply in replies
        ],
    }


def _as_sent(sent: Any) -> str:
    if sent is None or isinstance(sent, str):
        return sent or ""
    return json.dumps(sent, ensure_ascii=False, indent=2)


def _colour(payload: dict[str, Any]) -> str:
    """Return the bar's colour, #rrggbb, or ""."""
    for attachment in payload.get("attachments") or []:
        colour = str(attachment.get("color", ""))
        hexadecimal = colour.removeprefix("#")
        if len(colour) == COLOUR_LENGTH and hexadecimal.isalnum():
            return colour
    return ""


def blocks(payload: dict[str, Any]) -> list[Card]:
    """Return a payload's blocks; its text where it has none."""
    found = list(payload.get("blocks") or [])
    for attachment in payload.get("attachments") or []:
        found += attachment.get("blocks") or []
    drawn = [card for block in found for card in _block(block)]
    return drawn or [{"type": "section", "spans": spans(str(payload.get("text", "")))}]


def _block(block: dict[str, Any]) -> list[Card]:
    kind = block.get("type")
    if kind == "header":
        return [{"type": "header", "spans": _spans(block.get("text"))}]
    if kind == "divider":
        return [{"type": "divider"}]
    if kind == "context":
        elements = block.get("elements") or []
        return [{"type": "context", "parts": [_spans(item) for item in elements]}]
    if kind == "actions":
        return [_actions(block)]
    if kind == "image":
        # The browser fetches nothing from outside: the picture is named.
        words = plain(str(block.get("alt_text", "")))
        return [{"type": "context", "parts": [[{"text": f"🖼 {words}"}]]}]
    return _section(block) if kind == "section" else []


def _section(block: dict[str, Any]) -> list[Card]:
    card: Card = {"type": "section", "spans": _spans(block.get("text"))}
    card["fields"] = [_spans(item) for item in block.get("fields") or []]
    accessory = block.get("accessory")
    if not accessory:
        return [card]
    return [card, _actions(block | {"elements": [accessory]})]


def _actions(block: dict[str, Any]) -> Card:
    buttons = [item for item in block.get("elements") or [] if item["type"] == "button"]
    return {
        "type": "actions",
        "block_id": str(block.get("block_id", "")),
        "buttons": [
            {
                "action_id": str(item.get("action_id", "")),
                "text": plain(str((item.get("text") or {}).get("text", ""))),
                "value": str(item.get("value", "")),
                "style": str(item.get("style", "")),
                "url": str(item.get("url", "")),
            }
            for item in buttons
        ],
        "menus": [
            {
                "action_id": str(item.get("action_id", "")),
                "type": str(item["type"]),
                "text": plain(str((item.get("placeholder") or {}).get("text", "…"))),
                "options": [
                    {
                        "text": plain(str((one.get("text") or {}).get("text", ""))),
                        "value": str(one.get("value", "")),
                    }
                    for one in item.get("options") or []
                ],
            }
            for item in block.get("elements") or []
            if item["type"] in MENUS
        ],
    }


def _spans(text: Any) -> list[dict[str, Any]]:
    """Return the spans of a text object, {"type": "mrkdwn" | "plain_text"}."""
    if not isinstance(text, dict):
        return []
    if text.get("type") == "mrkdwn":
        return spans(str(text.get("text", "")))
    return [{"text": plain(str(text.get("text", "")))}]
