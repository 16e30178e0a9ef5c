"""Which channels are there? A module each, found by the kind's name."""

from __future__ import annotations

from notifications.channels import email, slack, webhook
from notifications.channels.base import Channel

CHANNELS: dict[str, Channel] = {"slack": slack, "email": email, "webhook": webhook}


def channel_of(kind: str) -> Channel:
    """Return the channel's module. Raises KeyError for an unknown kind."""
    return CHANNELS[kind]
