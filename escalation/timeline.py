"""How does what became of a delivery reach the group's timeline?"""

from __future__ import annotations

from uuid import UUID

from alertcenter.alerts.lifecycle import Change, tell
from notifications.digests import pages_of
from notifications.models import Delivery

SHOWN = ("page",)
REASONS = {"sent": "", "ambiguous": "in_doubt"}


def on_settled(tenant_id: UUID, delivery: Delivery) -> None:
    """Tell that a page was delivered or given up (called by notifications).

    What becomes of a digest is told of every group that it lists.
    """
    if delivery.kind not in SHOWN:
        return
    groups = [delivery.group_id]
    if delivery.message.get("kind") == "digest":
        groups = list(pages_of(delivery).values_list("group_id", flat=True).distinct())
    arrived = delivery.state == "sent"
    tell(
        [
            Change(
                tenant_id,
                "delivered" if arrived else "failed",
                group_id=group_id,
                reason=REASONS.get(delivery.state, "given_up"),
                data={
                    "delivery": str(delivery.pk),
                    "channel": delivery.channel_kind,
                    "who": str(delivery.member or delivery.channel or delivery.address),
                    "error": "" if arrived else delivery.error[:300],
                },
                correlation_id=delivery.correlation_id,
            )
            for group_id in groups
            if group_id is not None
        ]
    )
