"""How is a delivery tried again because a person says so?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from notifications import outbox
from notifications.models import Delivery
from notifications.models.delivery import DeliveryState
from tenants import audit
from tenants.actors import Actor

RETRIABLE = (DeliveryState.DEAD, DeliveryState.PENDING, DeliveryState.AMBIGUOUS)


def retry(tenant_id: UUID, ids: Sequence[UUID], *, actor: Actor) -> int:
    """Make these deliveries due now; return how many can be tried again.

    What was given up gets one more attempt. The fence rises, so that a worker who
    still holds an old lease is refused.
    """
    rows = Delivery.objects.select_for_update().filter(
        tenant_id=tenant_id, pk__in=ids, state__in=RETRIABLE
    )
    chosen = list(rows.order_by("pk").values_list("pk", flat=True))
    Delivery.objects.filter(tenant_id=tenant_id, pk__in=chosen).update(
        state=DeliveryState.PENDING,
        next_at=Now(),
        lease_until=None,
        fence=F("fence") + 1,
    )
    for pk in chosen:
        audit.record(tenant_id, actor, "delivery.retry", kind="delivery", object_id=pk)
    transaction.on_commit(lambda: outbox.nudge(chosen))
    return len(chosen)
