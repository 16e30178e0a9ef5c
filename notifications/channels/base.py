"""What does every channel take, give back and complain with?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from notifications.message import Message

NETWORK_SECONDS = 10


@dataclass(frozen=True)
class ThreadPlace:
    """Where a conversation stands at the provider."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Parcel:
    """One delivery with all it needs; sent with no transaction open."""

    delivery_id: UUID
    tenant_id: UUID
    kind: str  # page | update | reply | test | answer
    message: Message
    channel_kind: str
    channel_id: UUID | None
    address: str
    settings: dict[str, Any]
    secret: dict[str, str]
    language: str
    time_zone: str
    thread: ThreadPlace | None = None
    may_be_a_repeat: bool = False
    title: str = ""
    body: str = ""


@dataclass(frozen=True)
class Receipt:
    """What the provider said: its id of the message, and its answer in short."""

    provider_id: str = ""
    answer: str = ""
    thread: ThreadPlace | None = None
    extra: dict[str, str] = field(default_factory=dict)


class DeliveryError(Exception):
    """A send that failed.

    `permanent`: trying again cannot help. `ambiguous`: it may have arrived.
    `retry_after`: seconds that the provider asks to wait.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.retry_after = retry_after


class Channel(Protocol):
    """One module each: the kind's `send`."""

    def send(self, parcel: Parcel) -> Receipt:
        """Send. Raises DeliveryError."""
        ...
