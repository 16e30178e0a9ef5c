"""Where does a message go while nothing may leave the house? To the outbox page.

There it is as at a vendor who can edit and has threads: an update redraws what the
page left, a reply stands below it.
"""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from notifications.channels.base import Parcel, Receipt, ThreadPlace
from notifications.models import SimulatedMessage
from tenants.rls import in_tenant

LONGEST_PLACE = 400
PLACE = "simulation"


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
    payload = {
        "to": to,
        "subject": title,
        "text": text,
        "sent": sent,
        "actions": [list(one) for one in actions or []],
    }
    identity = provider_id or str(parcel.delivery_id)
    first = parcel.thread
    with in_tenant(parcel.tenant_id):
        if parcel.kind == "update":
            return _redraw(parcel, payload)
        SimulatedMessage.objects.create(
            tenant_id=parcel.tenant_id,
            kind=parcel.channel_kind,
            channel_id=parcel.channel_id,
            address=to[:LONGEST_PLACE],
            ts=str(parcel.delivery_id),
            thread_ts=first.ts if first and parcel.kind == "reply" else "",
            payload=payload,
        )
    place = first or ThreadPlace(PLACE, str(parcel.delivery_id))
    return Receipt(provider_id=identity, answer="200 simulated", thread=place)


def _redraw(parcel: Parcel, payload: dict[str, Any]) -> Receipt:
    rows = SimulatedMessage.objects.filter(
        tenant_id=parcel.tenant_id, kind=parcel.channel_kind
    )
    if parcel.thread is None or not rows.filter(ts=parcel.thread.ts).update(
        payload=payload, edited_at=Now()
    ):
        return Receipt(answer="nothing to redraw")
    return Receipt(provider_id=parcel.thread.ts, answer="200 simulated")
