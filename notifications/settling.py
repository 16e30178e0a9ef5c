"""What became of an attempt? Written down if the lease still is ours.

Retried with full jitter, told when a provider asks to wait, given up after
`MOST_ATTEMPTS`. What may have arrived is sent once more at most.
"""

from __future__ import annotations

import logging
import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from notifications import charting, destinations, telemetry
from notifications.channels.base import DeliveryError, Parcel, Receipt
from notifications.leases import Lease
from notifications.models import Delivery, Thread
from notifications.standing_in import LATE_ATTEMPTS, pass_on_safely
from tenants.rls import in_tenant

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
MOST_DOUBTS = 1  # doubtful attempts after which it is sent once more
LONGEST_PAUSE = 300.0
# A provider that says "too many" has not failed; only after so long it counts.
PATIENCE = "1 hour"
LONGEST_ANSWER = 2_000
TROUBLE = ("retry", "ambiguous")
LATE = "late"
# Of redraws, lines and charts nobody is told.
TOLD = ("page",)

# Called in the transaction that settles a page, with (tenant_id, delivery);
# upper rooms add theirs in apps.ready().
on_settled: list[Callable[[UUID, Delivery], None]] = []


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended: by a receipt, or by an error."""

    milliseconds: int
    receipt: Receipt | None = None
    error: DeliveryError | None = None


@dataclass(frozen=True)
class Verdict:
    """What follows: the attempt's name, the delivery's state, and when to retry."""

    outcome: str
    state: str
    pause: float | None = None  # seconds; None: nothing more is tried
    settled: bool = False


def settle(lease: Lease, parcel: Parcel | None, outcome: Outcome) -> bool:
    """Write down the outcome; return False when the lease was no longer ours."""
    verdict = judge(lease, outcome)
    with in_tenant(lease.tenant_id):
        ours = _finish(lease, outcome, verdict)
        name = verdict.outcome if ours else LATE
        if ours:
            if outcome.receipt and parcel:
                _remember_thread(parcel, outcome.receipt)
                charting.promise(parcel)
            _note_place(lease, parcel, outcome, verdict)
            late = verdict.settled or lease.attempts >= LATE_ATTEMPTS
            if verdict.outcome == "dead" or (late and verdict.outcome in TROUBLE):
                pass_on_safely(lease.tenant_id, lease.id)
            if verdict.settled and lease.kind in TOLD:
                tell(lease.id)
    telemetry.count(lease.channel_kind, name, outcome.milliseconds)
    log.log(
        logging.WARNING if name == "dead" else logging.INFO,
        "delivery_%s: %s by %s, %d ms",
        name,
        lease.kind,
        lease.channel_kind,
        outcome.milliseconds,
        extra={
            "tenant": lease.tenant_id,
            "delivery": lease.id,
            "correlation_id": lease.correlation_id,
            "error": outcome.error,
        },
    )
    return ours


def judge(lease: Lease, outcome: Outcome) -> Verdict:
    """Return what follows from an outcome."""
    error = outcome.error
    if error is None:
        return Verdict("sent", "sent", settled=True)
    if error.permanent:
        return Verdict("dead", "dead", settled=True)
    wait = pause(lease.attempts, error.retry_after)
    if error.retry_after is not None and lease.attempts <= MOST_ATTEMPTS:
        return Verdict("ratelimited", "pending", wait)
    if lease.attempts >= MOST_ATTEMPTS:
        return Verdict("dead", "dead", settled=True)
    # Redrawing twice does no harm; anything else would be there twice.
    if error.ambiguous and lease.kind != "update":
        if lease.doubts >= MOST_DOUBTS:
            return Verdict("ambiguous", "ambiguous", settled=True)
        return Verdict("ambiguous", "ambiguous", wait)
    return Verdict("retry", "pending", wait)


def pause(attempts: int, retry_after: float | None = None) -> float:
    """Return the seconds to wait: what the provider asks, else full jitter."""
    ceiling = min(LONGEST_PAUSE, 3.0**attempts)
    jitter = random.uniform(1.0, ceiling)  # noqa: S311 - not a secret
    if retry_after is None:
        return jitter
    return retry_after + min(jitter, 1.0 + retry_after / 10)


# A rate limit costs no attempt as long as the delivery is young. NULL as next_at:
# nothing more will be tried.
# The attempt is written by the same statement: who holds no lease any more came late.
FINISH = f"""
WITH finished AS (
UPDATE delivery SET state = %(state)s, lease_until = NULL, error = %(error)s,
  next_at = CASE WHEN %(pause)s::float8 IS NULL THEN NULL
    ELSE now() + %(pause)s::float8 * interval '1 second' END,
  doubts = doubts + %(doubt)s,
  attempts = CASE WHEN %(limited)s AND created_at > now() - interval '{PATIENCE}'
    THEN attempts - 1 ELSE attempts END,
  provider_id = coalesce(%(provider_id)s, provider_id),
  sent_at = CASE WHEN %(state)s = 'sent' THEN now() ELSE sent_at END
WHERE tenant_id = %(tenant)s AND id = %(id)s AND fence = %(fence)s
  AND state = 'leased'
RETURNING id
)
INSERT INTO attempt (tenant_id, delivery_id, number, outcome, milliseconds, answer,
  process)
SELECT %(tenant)s, %(id)s, %(number)s,
  CASE WHEN EXISTS (SELECT FROM finished) THEN %(outcome)s ELSE '{LATE}' END,
  %(milliseconds)s, %(answer)s, %(process)s
RETURNING outcome
"""


def _finish(lease: Lease, outcome: Outcome, verdict: Verdict) -> bool:
    """Write down how the attempt ended; False when the lease was no longer ours."""
    receipt, error = outcome.receipt, outcome.error
    said = receipt.answer if receipt else error.reason if error else ""
    values = {
        "state": verdict.state,
        "error": said.replace("\x00", "")[:LONGEST_ANSWER] if error else "",
        "pause": verdict.pause,
        "doubt": 1 if verdict.outcome == "ambiguous" or lease.lost else 0,
        "limited": verdict.outcome == "ratelimited",
        "provider_id": receipt.provider_id[:200] if receipt else None,
        "tenant": lease.tenant_id,
        "id": lease.id,
        "fence": lease.fence,
        "number": lease.attempts,
        "outcome": verdict.outcome,
        "milliseconds": outcome.milliseconds,
        "answer": said.replace("\x00", "")[:LONGEST_ANSWER],
        "process": f"{socket.gethostname()}:{os.getpid()}"[:100],
    }
    with connection.cursor() as cursor:
        cursor.execute(FINISH, values)
        ours: bool = cursor.fetchone()[0] != LATE
    if not ours:
        log.warning("delivery_fenced_out", extra={"delivery": str(lease.id)})
    return ours


def _remember_thread(parcel: Parcel, receipt: Receipt) -> None:
    """Keep where the conversation began: with the first page of a group, or anew
    where somebody had deleted it."""
    if parcel.kind != "page" or receipt.thread is None or parcel.channel_id is None:
        return
    if receipt.thread == parcel.thread or not parcel.message.group_id:
        return
    row = Thread(
        tenant_id=parcel.tenant_id,
        group_id=UUID(parcel.message.group_id),
        channel_id=parcel.channel_id,
        address=parcel.address,
        provider_channel=receipt.thread.channel,
        provider_ts=receipt.thread.ts,
    )
    if parcel.thread is None:
        Thread.objects.bulk_create([row], ignore_conflicts=True)
        return
    Thread.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["tenant", "group_id", "channel", "address"],
        update_fields=["provider_channel", "provider_ts"],
    )


def _note_place(
    lease: Lease, parcel: Parcel | None, outcome: Outcome, verdict: Verdict
) -> None:
    """Remember what the attempt says about the place: nothing if none was made."""
    if parcel is None and verdict.outcome != "ratelimited":
        destinations.leave(lease)
    else:
        destinations.note(lease, _seen(outcome, verdict), rate=_rate(parcel))


def _seen(outcome: Outcome, verdict: Verdict) -> destinations.Seen:
    """Return what the attempt says about the place itself.

    A refusal for good is about the message: the next one may be welcome.
    """
    error = outcome.error
    if error is None or (error.permanent and error.retry_after is None):
        return destinations.Seen(outcome.milliseconds)
    if verdict.outcome == "ratelimited":
        wait = verdict.pause
        return destinations.Seen(outcome.milliseconds, wait=wait, why=error.reason)
    return destinations.Seen(outcome.milliseconds, failed=True, why=error.reason)


def _rate(parcel: Parcel | None) -> float | None:
    """Return how many messages a second the channel's own settings allow."""
    given = parcel.settings.get("rate_limit") if parcel else None
    return float(given) if isinstance(given, int | float) and given > 0 else None


def tell(delivery_id: UUID) -> None:
    """Tell the upper rooms. A listener that fails must not undo the outcome: the
    message would be sent again."""
    row = Delivery.objects.select_related("channel", "member").get(pk=delivery_id)
    for listener in on_settled:
        try:
            with transaction.atomic():
                listener(row.tenant_id, row)
        except Exception:
            known = {"delivery": str(delivery_id)}
            log.exception("settled_listener_failed", extra=known)
