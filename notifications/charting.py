"""When does a chart follow a page? After it has left, once for each conversation.

A delivery of its own, in a lane and to a place of its own: it delays no page, and what
becomes of it says nothing about the place.
"""

from __future__ import annotations

from uuid import UUID

from notifications import outbox
from notifications.channels.base import Parcel
from notifications.channels.registry import spec_of
from notifications.outbox import CHART


def promise(parcel: Parcel) -> list[UUID]:
    """Promise the chart of a page that has just left; [] where there is none.

    In the transaction that settles the page.
    """
    wanted = spec_of(parcel.channel_kind).charts
    message = parcel.message
    if parcel.kind != "page" or not wanted or not message.chart:
        return []
    if not parcel.settings.get(wanted) or not message.group_id:
        return []
    place = f"{parcel.channel_id}:{parcel.address}"
    entry = outbox.Entry(
        idem=f"{CHART}/{message.group_id}/{place}",
        message=message,
        channel_id=parcel.channel_id,
        channel_kind=parcel.channel_kind,
        member_id=parcel.member_id,
        address=parcel.address,
        group_id=UUID(message.group_id),
        kind=CHART,
        severity=1,
    )
    return outbox.put(parcel.tenant_id, [entry])
