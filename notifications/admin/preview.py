"""What would this wording say? Rendered as the channel would show it, unsaved."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings

from alertcenter.common.ids import uuid7
from notifications import rendering
from notifications.channels import block_kit, letters
from notifications.channels.base import Parcel
from notifications.channels.registry import channels
from notifications.message import Message
from notifications.models import Delivery
from notifications.models.template import MessageKind
from notifications.samples import sample
from tenants.models import Tenant

MOST_STORED = 10
# https://docs.slack.dev/messaging/formatting-message-text
SLACK_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
SLACK_LINK = re.compile(r"<https?://[^|>]+\|([^>]*)>")
SLACK_BOLD = re.compile(r"\*([^*\n]+)\*")
# A mail brings its own style; it is shown in a frame of its own, without scripts.
FRAME_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; sandbox"
)


@dataclass(frozen=True)
class Preview:
    """A message as its channel would show it."""

    words: rendering.Words
    html: str = ""
    blocks: list[dict[str, Any]] | None = None


def stored_messages(tenant_id: UUID) -> list[Delivery]:
    """Return the last pages, whose messages can serve as examples."""
    rows = Delivery.objects.filter(tenant_id=tenant_id, kind="page")
    return list(rows.order_by("-created_at", "-id")[:MOST_STORED])


def preview(tenant: Tenant, given: Mapping[str, str]) -> Preview:
    """Return what the form's fields `given` would say."""
    kind = chosen(given.get("kind", ""), MessageKind.values)
    channel_kind = chosen(given.get("channel_kind", ""), channels())
    language = chosen(given.get("preview_language", ""), settings.CONTENT_LANGUAGES)
    message = message_from(tenant, given.get("preview_message", ""), kind)
    words = rendering.preview(
        text_of(given, "title", language, tenant),
        text_of(given, "body", language, tenant),
        kind=kind,
        language=language,
        time_zone=tenant.time_zone,
        message=message,
    )
    parcel = parcel_of(tenant, channel_kind, language, message, words)
    if channel_kind == "email":
        return Preview(words, html=letters.part(letters.write(parcel), "html"))
    return Preview(words, blocks=shown_blocks(block_kit.page(parcel)["blocks"]))


def chosen(value: str, allowed: Any) -> str:
    """Return `value` if it is one of `allowed`, else the first of them."""
    options = list(allowed)
    return value if value in options else options[0]


def text_of(given: Mapping[str, str], field: str, language: str, tenant: Tenant) -> str:
    """Return the text of the first language in the chain that has one."""
    for code in rendering.chain(language, tenant.language):
        text = given.get(rendering.column_of(field, code), "")
        if text.strip():
            return text
    return "{{ title }}" if field == "title" else ""


def message_from(tenant: Tenant, delivery_id: str, kind: str) -> Message:
    """Return the message of a stored delivery, or the example."""
    for delivery in stored_messages(tenant.pk):
        if str(delivery.pk) == delivery_id:
            stored = Message.from_json(delivery.message)
            return replace(stored, kind=kind, state=kind)
    return sample(kind, tenant=tenant.name)


def parcel_of(
    tenant: Tenant,
    channel_kind: str,
    language: str,
    message: Message,
    words: rendering.Words,
) -> Parcel:
    """Return what a channel would be given."""
    return Parcel(
        delivery_id=uuid7(),
        tenant_id=tenant.pk,
        kind="page",
        message=message,
        channel_kind=channel_kind,
        channel_id=None,
        address="ops@example.com",
        settings={},
        secret={},
        language=language,
        time_zone=tenant.time_zone,
        title=words.title,
        body=words.body,
    )


def shown_blocks(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Block Kit as {kind, texts}, unescaped, for a template that escapes."""
    return [
        {"kind": block.get("type", ""), "texts": [*texts_of(block)]} for block in blocks
    ]


def texts_of(block: Mapping[str, Any]) -> list[str]:
    """Return the texts of one block in order."""
    parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
    found = []
    for part in parts:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, dict):
            text = text.get("text")
        if text:
            found.append(plain(str(text)))
    return found


def plain(mrkdwn: str) -> str:
    """Return Slack's notation as it reads: dates and links by their words."""
    text = SLACK_DATE.sub(r"\1", mrkdwn)
    text = SLACK_LINK.sub(r"\1", text)
    return html.unescape(SLACK_BOLD.sub(r"\1", text))
