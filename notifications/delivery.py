"""How does a promised message leave, exactly once as far as can be?

Claim (a short transaction: lease and fence), send with no transaction open, finish
by fence. Whoever crashes in between leaves a lease that runs out; the next one sends
again. A sender that comes back too late is refused by its old fence.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from alertcenter.common import failpoints, tracing
from notifications import parcels, telemetry
from notifications.channels.base import DeliveryError, Parcel, Receipt
from notifications.channels.registry import channel_of
from notifications.models import Attempt, Delivery, Thread
from tenants.rls import in_tenant

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 8
# A message whose fate is unknown is sent again this often at the most.
MOST_AMBIGUOUS = 2
LONGEST_BACKOFF = 300.0
LONGEST_ANSWER = 2_000

Settled = Callable[[UUID, Delivery], None]
# Upper rooms put functions here; called in the finishing transaction when a
# delivery was sent or given up.
on_settled: list[Settled] = []


@dataclass(frozen=True)
class Lease:
    """One delivery that this process may send until the lease runs out."""

    id: UUID
    tenant_id: UUID
    fence: int
    attempts: int
    was_in_doubt: bool
    correlation_id: str


# In a lane the next waits for the one before; tenants take turns; pages and the
# worse go first. `leased` past its time means that a sender died.
CLAIM = """
WITH open AS (
  SELECT d.id, d.kind, d.severity, d.next_at, d.tenant_id
  FROM delivery d
  WHERE d.next_at <= now()
    AND (d.state IN ('pending', 'ambiguous')
         OR (d.state = 'leased' AND d.lease_until < now()))
    AND d.created_at <= now() - %(older)s
    AND NOT EXISTS (
      SELECT 1 FROM delivery before
      WHERE before.tenant_id = d.tenant_id AND before.lane = d.lane
        AND before.id < d.id AND before.state IN ('pending', 'leased', 'ambiguous'))
), turns AS (
  SELECT id, row_number() OVER (
    PARTITION BY tenant_id ORDER BY kind = 'page' DESC, severity DESC, next_at) AS turn
  FROM open
), chosen AS (
  SELECT d.id, d.state AS before FROM delivery d
  WHERE d.id IN (SELECT id FROM turns ORDER BY turn LIMIT %(limit)s)
    AND (d.state IN ('pending', 'ambiguous')
         OR (d.state = 'leased' AND d.lease_until < now()))
  FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET state = 'leased', fence = fence + 1, attempts = attempts + 1,
  lease_until = now() + %(lease)s
FROM chosen WHERE chosen.id = d.id
RETURNING d.id, d.tenant_id, d.fence, d.attempts,
  chosen.before <> 'pending', d.correlation_id
"""


def deliver_due(limit: int = 20, older_than: timedelta | None = None) -> int:
    """Claim, send and finish what is due; return how many were claimed."""
    leases = claim(limit, older_than=older_than)
    for lease in leases:
        work(lease)
    return len(leases)


def claim(limit: int, *, older_than: timedelta | None = None) -> list[Lease]:
    """Lease deliveries that are due, fairly between tenants."""
    values: dict[str, Any] = {
        "older": older_than or timedelta(),
        "lease": LEASE,
        "limit": limit,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        leases = [Lease(*row) for row in cursor.fetchall()]
    if leases:
        failpoints.hit("claim.after_commit")
    return leases


def work(lease: Lease) -> None:
    """Send one leased delivery and write down what became of it."""
    with tracing.bind(lease.correlation_id):
        started = time.monotonic()
        try:
            with in_tenant(lease.tenant_id):
                parcel = parcels.prepare(lease.id, in_doubt=lease.was_in_doubt)
            failpoints.hit("send.before_http")
            receipt = send(parcel)
        except DeliveryError as error:
            _failed(lease, error, elapsed(started))
            return
        except Exception as error:
            # A message that cannot even be written must not stop the others.
            log.exception("delivery_broken", extra={"delivery": str(lease.id)})
            broken = DeliveryError(f"{type(error).__name__}: {error}")
            _failed(lease, broken, elapsed(started))
            return
        failpoints.hit("send.after_http_before_commit")
        _sent(lease, parcel, receipt, elapsed(started))
        failpoints.hit("send.after_commit")


def send(parcel: Parcel) -> Receipt:
    """Send by the channel of the parcel's kind. Raises DeliveryError."""
    if connection.in_atomic_block:
        raise RuntimeError("no transaction may be open while something is sent")
    return channel_of(parcel.channel_kind).send(parcel)


def elapsed(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _sent(lease: Lease, parcel: Parcel, receipt: Receipt, milliseconds: int) -> None:
    finished = (
        "state = 'sent', sent_at = now(), lease_until = NULL, error = '', "
        "provider_id = %s"
    )
    with in_tenant(lease.tenant_id):
        if parcel.kind == "page" and receipt.thread and parcel.channel_id:
            _remember_thread(parcel, receipt)
        _finish(lease, finished, [receipt.provider_id[:200]], settled=True)
        _attempt(lease, "sent", milliseconds, receipt.answer)
    telemetry.count(parcel.channel_kind, "sent", milliseconds)


def _remember_thread(parcel: Parcel, receipt: Receipt) -> None:
    """Keep where the conversation began; the first page of a group founds it."""
    assert receipt.thread is not None
    assert parcel.channel_id is not None
    Thread.objects.bulk_create(
        [
            Thread(
                tenant_id=parcel.tenant_id,
                group_id=parcel.message.group_id,
                channel_id=parcel.channel_id,
                address=parcel.address,
                provider_channel=receipt.thread.channel,
                provider_ts=receipt.thread.ts,
            )
        ],
        ignore_conflicts=True,
    )


def _failed(lease: Lease, error: DeliveryError, milliseconds: int) -> None:
    outcome = "ambiguous" if error.ambiguous else "retry"
    with in_tenant(lease.tenant_id):
        if _hopeless(lease, error):
            outcome = "dead"
        state = {"retry": "pending"}.get(outcome, outcome)
        _finish(
            lease,
            "state = %s, lease_until = NULL, error = %s, "
            "next_at = now() + %s * interval '1 second'",
            [state, error.reason[:LONGEST_ANSWER], pause(lease.attempts, error)],
            settled=outcome == "dead",
        )
        kind = _attempt(lease, outcome, milliseconds, error.reason)
    telemetry.count(kind, outcome, milliseconds)


def _hopeless(lease: Lease, error: DeliveryError) -> bool:
    """Whether trying again cannot help or might flood the recipient."""
    if error.permanent or lease.attempts >= MOST_ATTEMPTS:
        return True
    return error.ambiguous and _doubts(lease) >= MOST_AMBIGUOUS - 1


def _doubts(lease: Lease) -> int:
    return Attempt.objects.filter(
        tenant_id=lease.tenant_id, delivery_id=lease.id, outcome="ambiguous"
    ).count()


def pause(attempts: int, error: DeliveryError) -> float:
    """Return the seconds to wait: what the provider asks, else full jitter."""
    ceiling = min(LONGEST_BACKOFF, 2.0**attempts)
    jitter = random.uniform(0.5, ceiling)  # noqa: S311 - not a secret
    return max(error.retry_after or 0.0, jitter)


def _finish(
    lease: Lease, assignments: str, values: Sequence[Any], *, settled: bool
) -> None:
    """Write the outcome if the fence still is ours; tell the upper rooms."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE delivery SET {assignments} WHERE tenant_id = %s AND id = %s "
            "AND fence = %s AND state = 'leased'",
            [*values, lease.tenant_id, lease.id, lease.fence],
        )
        ours = cursor.rowcount == 1
    if not ours:
        log.warning("delivery_fenced_out", extra={"delivery": str(lease.id)})
        return
    if settled and on_settled:
        row = Delivery.objects.select_related("channel", "member").get(pk=lease.id)
        for listener in on_settled:
            listener(lease.tenant_id, row)


def _attempt(lease: Lease, outcome: str, milliseconds: int, answer: str) -> str:
    """Write the attempt; return the kind of channel."""
    Attempt.objects.create(
        tenant_id=lease.tenant_id,
        delivery_id=lease.id,
        number=lease.attempts,
        outcome=outcome,
        milliseconds=milliseconds,
        answer=answer[:LONGEST_ANSWER],
        process=f"{socket.gethostname()}:{os.getpid()}"[:100],
    )
    return (
        Delivery.objects.filter(pk=lease.id)
        .values_list("channel_kind", flat=True)
        .first()
        or ""
    )


def retry(tenant_id: UUID, ids: Sequence[UUID]) -> int:
    """Let an operator send given-up or waiting deliveries again, at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery SET state = 'pending', attempts = 0, next_at = now(), "
            "error = '' WHERE tenant_id = %s AND id = ANY(%s) "
            "AND state IN ('pending', 'dead', 'cancelled', 'ambiguous')",
            [tenant_id, list(ids)],
        )
        changed: int = cursor.rowcount
    from notifications.outbox import nudge

    transaction.on_commit(lambda: nudge(ids))
    return changed
