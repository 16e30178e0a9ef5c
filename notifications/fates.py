"""What did a provider say later of a message that it had taken?

It may come in any order, twice, and before our own note that the message was taken.
What has arrived stays so. What did not is given up, as if the provider had refused it
at once: its fallback takes over.
"""

from __future__ import annotations

import logging
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from notifications import telemetry
from notifications.models import Attempt, Delivery
from notifications.settling import LONGEST_ANSWER, tell
from notifications.standing_in import pass_on

log = logging.getLogger(__name__)

ARRIVED, LOST = "delivered", "undelivered"
TAKEN = ("sent", "leased", "ambiguous")


def arrived(
    tenant_id: UUID, delivery_id: UUID, *, provider_id: str, words: str
) -> bool:
    """Note that a message reached its reader; whether that is new.

    In the tenant's context. A message that was in doubt is so no longer.
    """
    row = _lock(tenant_id, delivery_id)
    if row is None or _known(row, ARRIVED):
        return False
    if row.state == "ambiguous":
        _write(row, state="sent", error="", provider_id=provider_id, sent_at=Now())
        tell(row.pk)
    elif row.state not in TAKEN:
        return False
    _note(row, ARRIVED, words)
    return True


def lost(tenant_id: UUID, delivery_id: UUID, *, provider_id: str, words: str) -> bool:
    """Give up a message that the provider could not deliver; whether that is new.

    In the tenant's context.
    """
    row = _lock(tenant_id, delivery_id)
    if row is None or row.state not in TAKEN or _known(row, ARRIVED):
        return False
    if not _is_this_one(row, provider_id):
        return False
    _write(row, state="dead", error=words[:LONGEST_ANSWER], provider_id=provider_id)
    _note(row, LOST, words)
    pass_on(tenant_id, row)
    tell(row.pk)
    log.warning(
        "delivery_undelivered: %s by %s",
        row.kind,
        row.channel_kind,
        extra={"tenant": tenant_id, "delivery": row.pk, "error": words},
    )
    return True


def _is_this_one(row: Delivery, provider_id: str) -> bool:
    """Whether it is about the copy that counts; of one in doubt another may be sent."""
    if row.state == "ambiguous":
        return False
    return row.provider_id in ("", provider_id)


def _lock(tenant_id: UUID, delivery_id: UUID) -> Delivery | None:
    rows = Delivery.objects.select_for_update().filter(tenant_id=tenant_id)
    return rows.filter(pk=delivery_id).first()


def _known(row: Delivery, outcome: str) -> bool:
    return Attempt.objects.filter(
        tenant_id=row.tenant_id, delivery_id=row.pk, outcome=outcome
    ).exists()


def _write(row: Delivery, **values: object) -> None:
    """Change the row; who still holds a lease on it is refused."""
    Delivery.objects.filter(tenant_id=row.tenant_id, pk=row.pk).update(
        **values, fence=F("fence") + 1, lease_until=None, next_at=None
    )


def _note(row: Delivery, outcome: str, words: str) -> None:
    Attempt.objects.create(
        tenant_id=row.tenant_id,
        delivery_id=row.pk,
        number=row.attempts,
        outcome=outcome,
        milliseconds=0,
        answer=words.replace("\x00", "")[:LONGEST_ANSWER],
    )
    telemetry.ATTEMPTS.labels(row.channel_kind, outcome).inc()
