"""Has this address had enough for now? Kinds that cost money, or wake people, say how
many may go to one address within which time (SPEC.most); what is more waits, and what
waits in numbers becomes a digest (notifications/digests.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.channels.base import DeliveryError
from notifications.channels.registry import channels

# What is in the air counts, if it is older: of two that meet here one goes.
RECENT = """
SELECT extract(epoch FROM now() - coalesce(o.sent_at, now()))::float8
FROM delivery d JOIN delivery o ON o.tenant_id = d.tenant_id AND o.address = d.address
  AND o.channel_kind = d.channel_kind AND o.id <> d.id
WHERE d.tenant_id = %(tenant)s AND d.id = %(id)s
  AND o.channel_kind IN ('sms', 'voice')
  AND (o.sent_at > now() - %(longest)s * interval '1 second'
    OR (o.sent_at IS NULL AND o.state = 'leased' AND o.id < d.id))
ORDER BY 1 LIMIT %(most)s
"""


def check(tenant_id: UUID, delivery_id: UUID, channel_kind: str) -> None:
    """Raise DeliveryError with the time to wait. In the tenant's context."""
    module = channels().get(channel_kind)
    rules = module.SPEC.most if module else ()
    if not rules:
        return
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "id": delivery_id,
        "longest": max(seconds for _count, seconds in rules),
        "most": max(count for count, _seconds in rules),
    }
    with connection.cursor() as cursor:
        cursor.execute(RECENT, values)
        ages = [age for (age,) in cursor.fetchall()]
    wait = seconds_to_wait(ages, rules)
    if wait > 0:
        raise DeliveryError(
            f"this number has had {len(ages)} lately; the next may go in "
            f"{round(wait)} s",
            retry_after=wait,
        )


def seconds_to_wait(ages: Sequence[float], rules: Sequence[tuple[int, int]]) -> float:
    """Return how long until all rules have room; `ages` in seconds, youngest first."""
    waits = [
        seconds - ages[count - 1]
        for count, seconds in rules
        if len(ages) >= count and ages[count - 1] < seconds
    ]
    return max(waits, default=0.0)
