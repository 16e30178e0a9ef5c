"""How do promised messages leave? Claimed, sent with no transaction open, settled.

Any number of processes of role engine may do this at once. Several messages are in the
air together, so that a vendor who does not answer holds up nobody else's.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, connections

from alertcenter.common import failpoints, tracing
from notifications import destinations, judging, parcels, quotas
from notifications.channels.base import DeliveryError, Parcel, Receipt
from notifications.channels.registry import channel_of
from notifications.claiming import claim, renew
from notifications.leases import Lease
from notifications.settling import MOST_ATTEMPTS, Outcome, on_settled, settle
from tenants.rls import in_tenant

__all__ = ["Lease", "claim", "deliver_due", "on_settled", "send", "work"]

log = logging.getLogger(__name__)

# Messages in the air at once. Each may be sent twice when its process is killed
# between the provider's answer and ours, so few is better than fast.
HANDS = 8
HANDS_OF_ONE_TENANT = 6
ROOM_WORTH_A_CLAIM = 2
# A round ends by time. One that ended by number would wait, its hands idle, for the
# place that does not answer, over and over.
AT_ONCE = 2_000
LONGEST_ROUND = 15.0  # seconds after which nothing new is begun
WORTH_STAYING = 1.5  # seconds until a place that is paced has room again
LOOK_SECONDS = 0.25  # how often a round with free hands looks for new work
# While PostgreSQL restarts, an outcome is worth waiting for: else it is sent twice.
SETTLE_PAUSES = (0.0, 0.2, 1.0, 3.0)


@dataclass(frozen=True)
class Sending:
    """A message in the air."""

    lease: Lease
    parcel: Parcel


AtWork = dict[Future[Outcome], Sending]


def deliver_due(limit: int = AT_ONCE, older_than: timedelta | None = None) -> int:
    """Claim, send and settle what is due; return how many were claimed."""
    waiting: deque[Lease] = deque()
    at_work: AtWork = {}
    with ThreadPoolExecutor(HANDS, thread_name_prefix="send") as hands:
        try:
            return go_round(limit, older_than, hands, waiting, at_work)
        except Exception:  # the database went, say, or the task's time is over
            land(at_work)
            give_back(waiting)
            raise


def go_round(
    limit: int,
    older_than: timedelta | None,
    hands: ThreadPoolExecutor,
    waiting: deque[Lease],
    at_work: AtWork,
) -> int:
    """Claim and send until nothing is left or time is up; return how many."""
    ends, claimed = time.monotonic() + LONGEST_ROUND, 0
    while True:
        room = min(HANDS - len(at_work), limit - claimed)
        leases: list[Lease] = []
        # Claims look over the whole backlog: better a few for many hands.
        if room >= min(ROOM_WORTH_A_CLAIM, limit - claimed) > 0 and (
            time.monotonic() < ends
        ):
            leases = claim(room, older_than=older_than, crowded=crowded(at_work))
        claimed += len(leases)
        waiting.extend(leases)
        while waiting:
            begin(waiting[0], hands, at_work)
            waiting.popleft()
        if not at_work and not leases:
            if claimed >= limit or time.monotonic() >= ends or not soon():
                return claimed
            time.sleep(LOOK_SECONDS)
        for sending, outcome in finished(at_work):
            conclude(sending.lease, sending.parcel, outcome)


def land(at_work: AtWork) -> None:
    """Settle what is in the air, as a round ends in trouble: unwritten, all of it
    would be sent once more."""
    while at_work:
        for sending, outcome in finished(at_work):
            try:
                conclude(sending.lease, sending.parcel, outcome)
            except (OperationalError, InterfaceError) as error:
                known = {"delivery": str(sending.lease.id), "error": error}
                log.warning("delivery_not_settled", extra=known)


def give_back(waiting: Iterable[Lease]) -> None:
    """Let others send at once what was claimed and not begun, else they would wait
    for the leases to end."""
    for lease in waiting:
        try:
            patiently(lambda: destinations.put_back(lease))  # noqa: B023
        except (OperationalError, InterfaceError):
            return  # still away: the leases will end


SOON = """
SELECT EXISTS (
  SELECT FROM delivery d
  JOIN destination x ON x.tenant_id = d.tenant_id AND x.key = d.destination
  WHERE d.state = 'pending' AND d.next_at <= now() + %(s)s * interval '1 second'
    AND x.open_at > now() AND x.open_at <= now() + %(s)s * interval '1 second')
"""


def soon() -> bool:
    """Whether something waits whose place has room in a moment: stay for it."""
    with connection.cursor() as cursor:
        cursor.execute(SOON, {"s": WORTH_STAYING})
        return bool(cursor.fetchone()[0])


def crowded(at_work: Mapping[Future[Outcome], Sending]) -> list[UUID]:
    """Return the tenants that may not have more in the air from here."""
    counts = Counter(sending.lease.tenant_id for sending in at_work.values())
    return [pk for pk, count in counts.items() if count >= HANDS_OF_ONE_TENANT]


def begin(lease: Lease, hands: ThreadPoolExecutor, at_work: AtWork) -> None:
    """Let a hand send what was leased; what cannot be sent is settled at once."""
    parcel = prepared(lease)
    if parcel is not None:
        at_work[hands.submit(in_a_thread, lease, parcel)] = Sending(lease, parcel)


def finished(at_work: AtWork) -> Iterator[tuple[Sending, Outcome]]:
    """Take those that have landed; waits a moment for the first."""
    done, _ = wait(at_work, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
    for future in done:
        yield at_work.pop(future), future.result()


def work(lease: Lease) -> None:
    """Send one leased delivery and settle it."""
    parcel = prepared(lease)
    if parcel is not None:
        conclude(lease, parcel, attempt(lease, parcel))


def prepared(lease: Lease) -> Parcel | None:
    """Return what is to be sent; None when nothing is, which is then settled."""
    try:
        with tracing.bind(lease.correlation_id), in_tenant(lease.tenant_id):
            row = renew(lease)
            if row is None:
                log.warning("delivery_lease_gone", extra={"delivery": str(lease.id)})
                return None
            if lease.lost and lease.attempts > MOST_ATTEMPTS:
                raise DeliveryError("every sender of this died", permanent=True)
            if judging.keep_back(lease, row):
                destinations.leave(lease)
                return None
            quotas.check(lease.tenant_id, lease.id, lease.channel_kind)
            return parcels.prepare(lease.id, in_doubt=lease.in_doubt)
    except DeliveryError as error:
        conclude(lease, None, Outcome(0, error=error))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # A message that cannot even be read must not stop the others.
        log.exception("delivery_unreadable", extra={"delivery": str(lease.id)})
        unreadable = DeliveryError(f"{type(error).__name__}: {error}")
        conclude(lease, None, Outcome(0, error=unreadable))
    return None


def in_a_thread(lease: Lease, parcel: Parcel) -> Outcome:
    """Attempt, and leave no connection behind in the hand's thread."""
    try:
        return attempt(lease, parcel)
    finally:
        connections.close_all()


def attempt(lease: Lease, parcel: Parcel) -> Outcome:
    """Send once and return how it ended."""
    with tracing.bind(lease.correlation_id):
        failpoints.hit("send.before_http")
        started = time.monotonic()
        receipt: Receipt | None = None
        failure: DeliveryError | None = None
        try:
            receipt = send(parcel)
        except DeliveryError as error:
            failure = error
        except Exception as error:
            # Our own mistake in a channel; the others' messages must still leave.
            # It may have happened after the message was sent.
            log.exception("channel_failed", extra={"delivery": str(lease.id)})
            reason = f"{type(error).__name__}: {error}"
            failure = DeliveryError(reason, ambiguous=True)
        milliseconds = round((time.monotonic() - started) * 1000)
        failpoints.hit("send.after_http_before_commit")
        return Outcome(milliseconds, receipt, failure)


def send(parcel: Parcel) -> Receipt:
    """Send by the channel of the parcel's kind. Raises DeliveryError."""
    if connection.in_atomic_block:
        raise RuntimeError("no transaction may be open while something is sent")
    return channel_of(parcel.channel_kind).send(parcel)


def conclude(lease: Lease, parcel: Parcel | None, outcome: Outcome) -> None:
    """Settle, patiently: what was sent and is not written down is sent again."""
    with tracing.bind(lease.correlation_id):
        patiently(lambda: settle(lease, parcel, outcome))
        failpoints.hit("send.after_commit")


def patiently(write: Callable[[], object]) -> None:
    """Do it, again after pauses while the database is away."""
    for last, seconds in enumerate(SETTLE_PAUSES, 1 - len(SETTLE_PAUSES)):
        time.sleep(seconds)
        try:
            write()
            return
        except (OperationalError, InterfaceError):
            if last == 0:
                raise
            connection.close()
