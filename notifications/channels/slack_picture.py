"""How does Slack show the picture that an alert's source made of it?

As a block of the message: https://docs.slack.dev/reference/block-kit/blocks/image-block
Slack fetches it itself, and shows it to whoever reads the channel. What it cannot fetch
it refuses, and the whole message with it; then the message goes without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_sdk.errors import SlackApiError

from notifications.channels import block_kit
from notifications.channels.base import Parcel, Receipt
from notifications.channels.slack_api import code_of

URL_CHARS, ALT_CHARS = 3_000, 2_000
REFUSALS = ("invalid_blocks", "invalid_blocks_format", "invalid_attachments")
BELOW = ("context", "actions")

Said = dict[str, Any]


def with_or_without(parcel: Parcel, say: Callable[[Said], Receipt]) -> Receipt:
    """Say the page with its picture, or without where there is none, or where Slack
    takes none. Raises SlackApiError."""
    said = block_kit.page(parcel)
    image = image_of(parcel)
    if image is None:
        return say(said)
    try:
        return say(said | {"blocks": placed(said["blocks"], image)})
    except SlackApiError as error:
        if code_of(error) not in REFUSALS:
            raise
    return say(said)


def placed(blocks: list[Said], image: Said) -> list[Said]:
    """Return the blocks with the picture above the small print and the buttons."""
    kinds = [block["type"] for block in blocks]
    at = next((n for n, kind in enumerate(kinds) if kind in BELOW), len(kinds))
    return [*blocks[:at], image, *blocks[at:]]


def image_of(parcel: Parcel) -> Said | None:
    """Return the first picture of the group's alerts as a block."""
    for alert in parcel.message.alerts:
        if may_be_shown(alert.image):
            about = block_kit.escaped(" ".join(alert.title.split()), ALT_CHARS)
            return {"type": "image", "image_url": alert.image, "alt_text": about or "–"}
    return None


def may_be_shown(url: str) -> bool:
    """Whether this is an address that Slack takes, and nothing else."""
    plain = url.isascii() and url.isprintable() and not set(url) & set(' <>|"')
    return url.startswith("https://") and plain and len(url) <= URL_CHARS
