"""Where does a message go while nothing may leave the house? To the outbox page."""

from __future__ import annotations

from typing import Any

from notifications.channels.base import Parcel, Receipt
from notifications.models import SimulatedMessage
from tenants.rls import in_tenant

LONGEST_PLACE = 400


def keep(
    parcel: Parcel,
    *,
    to: str,
    title: str,
    text: str,
    sent: Any = None,
    actions: list[tuple[str, str]] | None = None,
    provider_id: str = "",
) -> Receipt:
    """Keep one message for the outbox page, and answer as a provider would.

    `sent`: the body as it would have left, shown as it is. `actions`: (label, URL) of
    the buttons or links that the message has.
    """
    with in_tenant(parcel.tenant_id):
        SimulatedMessage.objects.create(
            tenant_id=parcel.tenant_id,
            kind=parcel.channel_kind,
            channel_id=parcel.channel_id,
            address=to[:LONGEST_PLACE],
            payload={
                "to": to,
                "subject": title,
                "text": text,
                "sent": sent,
                "actions": [list(one) for one in actions or []],
            },
        )
    identity = provider_id or str(parcel.delivery_id)
    return Receipt(provider_id=identity, answer="200 simulated")
