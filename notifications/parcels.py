"""What does a channel need to send one delivery? Read inside the tenant's context."""

from __future__ import annotations

import json
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from notifications import localize, rendering, standing_in
from notifications.channels.base import DeliveryError, Parcel, ThreadPlace
from notifications.message import Message
from notifications.models import Channel
from tenants.fields import Sealed, reveal

# One look, as plain values: objects of five models would cost more than all the rest.
FACTS = """
SELECT d.id, d.tenant_id, d.kind, d.message, d.channel_kind, d.channel_id, d.address,
  d.member_id, d.instead_of, t.language, t.time_zone, c.active, c.language,
  c.settings::text, c.secret, m.language, m.time_zone, h.provider_channel, h.provider_ts
FROM delivery d
JOIN tenant t ON t.id = d.tenant_id
LEFT JOIN channel c ON c.tenant_id = d.tenant_id AND c.id = d.channel_id
LEFT JOIN member m ON m.tenant_id = d.tenant_id AND m.id = d.member_id
LEFT JOIN thread h ON h.tenant_id = d.tenant_id AND h.group_id = d.group_id
  AND h.channel_id = d.channel_id AND h.address = d.address
WHERE d.id = %s
"""


class Facts(NamedTuple):
    """What is read of a delivery, and of whom it concerns."""

    id: UUID
    tenant_id: UUID
    kind: str
    message: str
    channel_kind: str
    channel_id: UUID | None
    address: str
    member_id: UUID | None
    instead_of: UUID | None
    tenant_language: str
    tenant_zone: str
    active: bool | None
    channel_language: str | None
    settings: str | None
    secret: memoryview | None
    member_language: str | None
    member_zone: str | None
    provider_channel: str | None
    provider_ts: str | None

    @property
    def language(self) -> str:
        """The reader's language: the person's, the channel's, the tenant's."""
        return self.member_language or self.channel_language or self.tenant_language

    @property
    def time_zone(self) -> str:
        return self.member_zone or self.tenant_zone


def prepare(delivery_id: UUID, *, in_doubt: bool) -> Parcel:
    """Return the parcel. Raises DeliveryError when its channel is gone or off."""
    with connection.cursor() as cursor:
        cursor.execute(FACTS, [delivery_id])
        found = cursor.fetchone()
    if found is None:
        raise DeliveryError("the delivery no longer exists", permanent=True)
    row = Facts(*found)
    if row.active is False and row.kind != "answer":
        raise DeliveryError("the channel is switched off", permanent=True)
    message = Message.from_json(json.loads(row.message))
    words = rendering.words(
        row.tenant_id,
        message,
        channel_kind=row.channel_kind,
        language=row.language,
        fallback=row.tenant_language,
        time_zone=row.time_zone,
    )
    return Parcel(
        delivery_id=row.id,
        tenant_id=row.tenant_id,
        kind=row.kind,
        message=message,
        channel_kind=row.channel_kind,
        channel_id=row.channel_id,
        address=row.address,
        settings=json.loads(row.settings or "{}"),
        secret=_secret(row),
        language=row.language,
        time_zone=row.time_zone,
        thread=_thread(row),
        may_be_a_repeat=in_doubt,
        title=words.title,
        body=_with_reason(row, words.body),
        member_id=row.member_id,
    )


def _secret(row: Facts) -> dict[str, str]:
    if row.secret is None:
        return {}
    holder = Channel(
        pk=row.channel_id, tenant_id=row.tenant_id, secret=Sealed(bytes(row.secret))
    )
    known: dict[str, str] = json.loads(reveal(holder, "secret") or "{}")
    return known


def _thread(row: Facts) -> ThreadPlace | None:
    if row.provider_channel is None or row.provider_ts is None:
        return None
    return ThreadPlace(row.provider_channel, row.provider_ts)


def _with_reason(row: Facts, body: str) -> str:
    if row.instead_of is None:
        return body
    place = standing_in.place_of(row.tenant_id, row.instead_of)
    reason = localize.instead_line(place, row.language) if place else ""
    return f"{reason}\n\n{body}".strip()
