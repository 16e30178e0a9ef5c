"""How is a body kept as it arrived? By one thread, and never in anybody's way.

Copies are for people who look for a mistake: best effort. `keep` never waits and never
raises; what does not fit is counted and forgotten, and no answer to a sender depends on
any of this. docs/retention.md says what is kept and for how long.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg2
from psycopg2.extras import Json, execute_values

from alertcenter.alerts import telemetry
from alertcenter.alerts.events import ItemError
from alertcenter.alerts.models.raw_event import Outcome
from alertcenter.alerts.sources.adapter import storable_data
from alertcenter.alerts.writer import connect
from tenants.models.tenant import KeepRaw
from tenants.rls import SET_CONTEXT, as_literal

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024  # of one body; the rest of a longer one is cut off
MOST_WAITING = 5_000
MOST_BYTES = 32 * 1024 * 1024
MOST_ERRORS = 100  # of one body
# What a tenant may fill the disk with, in bytes; each body costs at least OVERHEAD.
BYTES_PER_SECOND = 64 * 1024
BURST = 8 * 1024 * 1024
OVERHEAD = 1024
SAMPLES_PER_SECOND = 50  # of what was kept wholly, in a tenant that asks for all
WORTH_PACKING = 1024
ROWS_AT_ONCE = 100
BYTES_AT_ONCE = 4 * 1024 * 1024
POLL_SECONDS = 1.0
RELOAD_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
SECONDS_BETWEEN_COMPLAINTS = 1.0

SETTINGS = "SELECT id, keep_raw FROM tenant"
INSERT = """
INSERT INTO raw_event (tenant_id, at, protocol, integration_id, key_id, correlation_id,
  content_type, context, outcome, errors, size, packed, body)
VALUES %s
"""
# The time is that of arrival, by the database's clock as far as the wait is known.
VALUES = (
    "(%s, clock_timestamp() - make_interval(secs => %s), %s, %s, %s, %s, %s, %s, %s, "
    "%s, %s, %s, %s)"
)


class Copy(NamedTuple):
    """One body, and what is to be known about it."""

    tenant_id: UUID
    arrived: float
    protocol: str
    integration_id: UUID | None
    key_id: UUID | None
    correlation_id: str
    content_type: str
    context: dict[str, Any]
    outcome: str
    errors: list[dict[str, Any]]
    size: int
    body: bytes


class Allowance:
    """A bucket that fills with time; `take` says whether there was enough in it."""

    __slots__ = ("_left", "_most", "_rate", "_seen")

    def __init__(self, rate: float, most: float) -> None:
        self._rate = rate
        self._most = most
        self._left = most
        self._seen = time.monotonic()

    def take(self, amount: float) -> bool:
        now = time.monotonic()
        gained = (now - self._seen) * self._rate
        self._left = min(self._most, self._left + gained)
        self._seen = now
        if self._left < amount:
            return False
        self._left -= amount
        return True


class Keeper:
    """What waits, the thread that writes it, and what tenants want kept."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: deque[Copy] = deque()
        self._bytes = 0
        self._shares: dict[UUID, Allowance] = {}
        self._samples = Allowance(SAMPLES_PER_SECOND, SAMPLES_PER_SECOND)
        self._wishes: dict[UUID, str] = {}
        self._stopping = False
        self._complained = 0.0
        self._connection: Any = None
        self._broken_at = 0.0
        self._reloaded_at = 0.0
        self._thread = threading.Thread(target=self._run, name="raw", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Write what waits if that is quick, then end the thread."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
        self._thread.join(timeout)

    # --- called by whoever answers; nothing here waits ---

    def wanted(self, tenant_id: UUID, outcome: str, always: bool) -> bool:
        wish = self._wishes.get(tenant_id)
        if wish is None:
            wish = self._wishes[tenant_id] = KeepRaw.REFUSED.value
        if wish == KeepRaw.OFF:
            return False
        if outcome != Outcome.KEPT:
            return True
        if wish != KeepRaw.ALL and not always:
            return False
        if self._samples.take(1):
            return True
        telemetry.RAW_DROPPED.labels("sampled").inc()
        return False

    def put(self, copy: Copy) -> None:
        with self._lock:
            reason = self._refusal(copy)
            if not reason:
                self._waiting.append(copy)
                self._bytes += len(copy.body)
                self._lock.notify()
        if reason:
            self._complain(reason, 1)

    def _refusal(self, copy: Copy) -> str:
        """Return why there is no room for `copy`, or ""."""
        if self._stopping:
            return "stopped"
        length = len(copy.body)
        if len(self._waiting) >= MOST_WAITING or self._bytes + length > MOST_BYTES:
            return "full"
        share = self._shares.get(copy.tenant_id)
        if share is None:
            share = self._shares[copy.tenant_id] = Allowance(BYTES_PER_SECOND, BURST)
        return "" if share.take(OVERHEAD + length) else "share"

    def _complain(self, reason: str, bodies: int) -> None:
        if not bodies:
            return
        telemetry.RAW_DROPPED.labels(reason).inc(bodies)
        now = time.monotonic()
        if now - self._complained >= SECONDS_BETWEEN_COMPLAINTS:
            self._complained = now
            log.warning("raw_copies_dropped", extra={"error": reason})

    # --- the thread ---

    def _run(self) -> None:
        while True:
            batch = self._take()
            if not batch and self._stopping:
                break
            try:
                self._reload()
                if batch:
                    self._write(batch)
            except psycopg2.Error:
                # Copies do not pile up while the database is away: these are gone.
                self._close()
                self._complain("database", len(batch))
            except Exception:
                # The thread outlives whatever one body does to it.
                log.exception("raw_failed")
                self._complain("failed", len(batch))
        self._close()

    def _take(self) -> list[Copy]:
        """Return what waits, some at a time; nothing after a while without."""
        with self._lock:
            if not self._waiting and not self._stopping:
                self._lock.wait(POLL_SECONDS)
            batch: list[Copy] = []
            size = 0
            while self._waiting and len(batch) < ROWS_AT_ONCE and size < BYTES_AT_ONCE:
                copy = self._waiting.popleft()
                size += len(copy.body)
                batch.append(copy)
            self._bytes -= size
            return batch

    def _reload(self) -> None:
        """Ask what the tenants seen so far want, every few seconds."""
        now = time.monotonic()
        if not self._wishes or now - self._reloaded_at < RELOAD_SECONDS:
            return
        known = list(self._wishes)
        with self._transaction(known) as cursor:
            cursor.execute(SETTINGS)
            found = dict(cursor.fetchall())
        self._wishes.update({UUID(str(key)): wish for key, wish in found.items()})
        self._reloaded_at = now

    def _write(self, batch: list[Copy]) -> None:
        """Insert `batch`; once more if the connection had died since the last time."""
        now = time.monotonic()
        rows = [as_row(copy, now) for copy in batch]
        tenants = {copy.tenant_id for copy in batch}
        is_new = self._connection is None
        try:
            self._insert(rows, tenants)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            if is_new:
                raise
            self._close()
            self._insert(rows, tenants)
        telemetry.RAW_KEPT.inc(len(batch))

    def _insert(self, rows: list[tuple[Any, ...]], tenants: set[UUID]) -> None:
        with self._transaction(tenants) as cursor:
            execute_values(cursor, INSERT, rows, VALUES, page_size=len(rows))

    @contextmanager
    def _transaction(self, tenants: Iterable[UUID]) -> Iterator[Any]:
        """Open a transaction that sees `tenants`."""
        connection = self._connected()
        with connection, connection.cursor() as cursor:
            cursor.execute(SET_CONTEXT, [as_literal(tenants)])
            yield cursor

    def _connected(self) -> Any:
        if self._connection is not None:
            return self._connection
        if self._broken_at + RECONNECT_SECONDS > time.monotonic():
            raise psycopg2.OperationalError("the database was away a moment ago")
        self._broken_at = time.monotonic()  # unless the next lines succeed
        connection = connect("raw")
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '10s'; SET lock_timeout = '5s'")
            # A copy is not worth waiting for the disk.
            cursor.execute("SET synchronous_commit = off")
        connection.autocommit = False
        self._broken_at = 0.0
        self._connection = connection
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def as_row(copy: Copy, now: float) -> tuple[Any, ...]:
    """Return the values of `copy`, its body packed when that is worth it."""
    packed = len(copy.body) > WORTH_PACKING
    body = zlib.compress(copy.body, 1) if packed else copy.body
    return (
        str(copy.tenant_id),
        max(0.0, now - copy.arrived),
        copy.protocol[:40],
        str(copy.integration_id) if copy.integration_id else None,
        str(copy.key_id) if copy.key_id else None,
        printable(copy.correlation_id)[:64],
        printable(copy.content_type)[:200],
        Json(storable_data(copy.context)),
        copy.outcome,
        Json(copy.errors),
        copy.size,
        packed,
        psycopg2.Binary(body),
    )


def printable(text: str) -> str:
    """Return `text` as PostgreSQL takes it: no NUL, no half of a character."""
    return text.replace("\0", "").encode(errors="replace").decode()


# --- the one of this process ---

_keeper: Keeper | None = None
_lock = threading.Lock()


def start() -> Keeper:
    """Start this process's keeper, once."""
    global _keeper
    with _lock:
        if _keeper is None:
            _keeper = Keeper()
            _keeper.start()
        return _keeper


def stop() -> None:
    """Write what waits and end the thread."""
    global _keeper
    with _lock:
        keeper, _keeper = _keeper, None
    if keeper is not None:
        keeper.stop()


def wanted(tenant_id: UUID, outcome: str, *, always: bool = False) -> bool:
    """Whether the tenant wants a copy of a body with this outcome.

    `outcome` is one of kept, partly, refused, unknown; `always` for senders whose
    bodies are kept whatever became of them, unless the tenant wants none. Costs a look
    into a dictionary; a tenant seen for the first time wants what was refused. False
    without `start`.
    """
    return _keeper is not None and _keeper.wanted(tenant_id, outcome, always)


def keep(
    tenant_id: UUID,
    *,
    protocol: str,
    key_id: UUID | None,
    correlation_id: str,
    body: bytes,
    content_type: str,
    outcome: str,
    errors: Sequence[ItemError] = (),
    integration_id: UUID | None = None,
    context: dict[str, Any] | None = None,
) -> None:
    """Write a copy soon, or not at all; never waits, never raises.

    `body` is what the sender meant, without compression and without headers.
    """
    if _keeper is None:
        return
    try:
        copy = Copy(
            tenant_id,
            time.monotonic(),
            protocol,
            integration_id,
            key_id,
            correlation_id,
            content_type,
            context or {},
            outcome,
            [
                {"index": error.index, "reason": printable(error.reason)[:500]}
                for error in errors[:MOST_ERRORS]
            ],
            len(body),
            bytes(body[:LARGEST]),
        )
        _keeper.put(copy)
    except Exception:
        # Whatever is odd about a body, its sender is answered all the same.
        log.exception("raw_copy_failed")
