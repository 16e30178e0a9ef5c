"""What does a channel need to send one delivery? Read inside the tenant's context."""

from __future__ import annotations

import json
from uuid import UUID

from notifications import rendering
from notifications.channels.base import DeliveryError, Parcel, ThreadPlace
from notifications.message import Message
from notifications.models import Channel, Delivery, Thread
from tenants.fields import reveal
from tenants.models import Member, Tenant


def prepare(delivery_id: UUID, *, in_doubt: bool) -> Parcel:
    """Return the parcel. Raises DeliveryError when its channel is gone or off."""
    row = (
        Delivery.objects.select_related("tenant", "channel", "member")
        .filter(pk=delivery_id)
        .first()
    )
    if row is None:
        raise DeliveryError("the delivery no longer exists", permanent=True)
    channel, member, tenant = row.channel, row.member, row.tenant
    if channel is not None and not channel.active and row.kind != "answer":
        raise DeliveryError("the channel is switched off", permanent=True)
    message = Message.from_json(row.message)
    language = language_of(tenant, channel, member)
    time_zone = member.time_zone if member else tenant.time_zone
    words = rendering.words(
        row.tenant_id,
        message,
        channel_kind=row.channel_kind,
        language=language,
        fallback=tenant.language,
        time_zone=time_zone,
    )
    return Parcel(
        delivery_id=row.pk,
        tenant_id=row.tenant_id,
        kind=row.kind,
        message=message,
        channel_kind=row.channel_kind,
        channel_id=row.channel_id,
        address=row.address,
        settings=dict(channel.settings) if channel else {},
        secret=json.loads(reveal(channel, "secret") or "{}") if channel else {},
        language=language,
        time_zone=time_zone,
        thread=_thread(row),
        may_be_a_repeat=in_doubt,
        title=words.title,
        body=words.body,
        member_id=row.member_id,
    )


def language_of(tenant: Tenant, channel: Channel | None, member: Member | None) -> str:
    """Return the reader's language: the person's, the channel's, the tenant's."""
    chosen = (member and member.language) or (channel and channel.language)
    return chosen or tenant.language


def _thread(row: Delivery) -> ThreadPlace | None:
    if row.group_id is None or row.channel_id is None:
        return None
    found = Thread.objects.filter(
        tenant_id=row.tenant_id,
        group_id=row.group_id,
        channel_id=row.channel_id,
        address=row.address,
    ).first()
    return ThreadPlace(found.provider_channel, found.provider_ts) if found else None
