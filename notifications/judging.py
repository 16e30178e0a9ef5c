"""Does a page still have to leave? Asked right before it is sent.

What cancels a page reaches those that wait; one that was already taken up, or that was
promised for later, is judged once more. The upper rooms know what a group is: they add
their judges in apps.ready().
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from notifications.leases import Lease
from notifications.models import Delivery

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stay:
    """Why a page does not leave: not at all, or not before `seconds` have passed."""

    reason: str
    seconds: float | None = None


# Called in the transaction that is about to let a page go.
judges: list[Callable[[UUID, Delivery], Stay | None]] = []

# It was no attempt. The fence stays: whoever else holds the lease is refused.
KEEP = """
UPDATE delivery SET state = %s, error = %s, lease_until = NULL,
  attempts = attempts - 1,
  next_at = CASE WHEN %s::float8 IS NULL THEN NULL
    ELSE now() + %s::float8 * interval '1 second' END
WHERE tenant_id = %s AND id = %s AND fence = %s AND state = 'leased'
"""


def keep_back(lease: Lease, row: Delivery) -> bool:
    """Keep back a page that need not leave; return whether it was.

    What may have arrived already is not put off any more, but nor is it said again
    when somebody has taken it in hand meanwhile.
    """
    if lease.kind != "page":
        return False
    for judge in judges:
        stay = judge(lease.tenant_id, row)
        if stay is not None and not (lease.in_doubt and stay.seconds is not None):
            _write(lease, stay)
            return True
    return False


def _write(lease: Lease, stay: Stay) -> None:
    state = "ambiguous" if lease.in_doubt else "cancelled"
    if stay.seconds is not None:
        state = "pending"
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP,
            [
                state,
                stay.reason,
                stay.seconds,
                stay.seconds,
                lease.tenant_id,
                lease.id,
                lease.fence,
            ],
        )
    log.info(
        "delivery_kept_back: %s",
        stay.reason,
        extra={"delivery": str(lease.id), "correlation_id": lease.correlation_id},
    )
