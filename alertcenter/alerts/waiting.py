"""Whose events are written next? Tenants take turns, so that no flood delays others.

A tenant that sends little is served with the next commit, whatever waits of others.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from alertcenter.alerts.events import Event, ItemError

if TYPE_CHECKING:
    from alertcenter.alerts.rows import Prepared

# Events held in memory by one process, and by one tenant among them.
MOST_WAITING = 100_000
MOST_OF_ONE = 60_000
# An event of more bytes counts as several: they lie in memory, here and in PostgreSQL.
BYTES_OF_AN_EVENT = 2_048
# One commit of many events is cheaper than two of few: a second hand helps only when
# this many wait, or when this many are being written, whose end would be long to wait
# for.
CROWD = 256
LONG = 100
FEW = 16
LIGHT = 100
RESERVED_SECONDS = 2.0


class Overloaded(Exception):
    """More events wait than this process may hold."""


@dataclass(slots=True)
class Accepted:
    """What became of one request's events.

    `changed`: an alert opened, resolved or got another severity, as far as the
    database named it. `without`: indexes of those dropped by a rule or refused.
    `replayed`: it is the answer of an earlier request with the same Idempotency-Key.
    """

    kept: int = 0
    dropped: int = 0
    changed: bool = False
    errors: list[ItemError] = field(default_factory=list)
    without: set[int] = field(default_factory=set)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Once:
    """Hashes of a request's Idempotency-Key and body."""

    key: str
    body: str


Outcome = Accepted | Exception


class Loop(Protocol):
    """Of an event loop, what is needed to answer in it."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object
    ) -> object: ...


@dataclass(slots=True, eq=False)
class Job:
    """One request's events. `done` gets Accepted, or why nothing was promised; it is
    called in `loop`, or in the writer's thread when that is None.

    `counts` says how often each event was said; once when it is None. `size`: bytes.
    """

    tenant_id: UUID
    scope: str
    events: Sequence[Event]
    indexes: Sequence[int]
    correlation_id: str
    done: Callable[[Outcome], None]
    loop: Loop | None = None
    counts: Sequence[int] | None = None
    prepared: Prepared | None = None
    once: Once | None = None
    size: int = 0

    @property
    def weight(self) -> int:
        """As how many events it counts."""
        return max(len(self.events), self.size // BYTES_OF_AN_EVENT)


@dataclass(slots=True)
class Batch:
    """What one hand writes in one commit."""

    jobs: list[Job] = field(default_factory=list)
    events: int = 0
    heavy: bool = False


class Waiting:
    """Jobs by tenant; filled from any thread, emptied by the writer's hands.

    A tenant is heavy while more than LIGHT of its events wait. The light ones go first
    and together, in commits of their own that are short; and for a while after both
    kinds were seen, one hand is kept free of heavy ones.
    """

    def __init__(self) -> None:
        self._jobs: dict[UUID, deque[Job]] = {}
        self._turns: deque[UUID] = deque()
        self._events: dict[UUID, int] = {}
        self._heavy: set[UUID] = set()
        self._all = 0
        self._in_hand = 0
        self._heavy_hands = 0
        self._light_last = False
        self._mixed_at = -RESERVED_SECONDS
        self._changed = threading.Condition()
        self._closed = False

    @property
    def events(self) -> int:
        """How many events wait."""
        return self._all

    def put(self, job: Job) -> None:
        """Queue `job`. Raises Overloaded when too much waits already."""
        number = job.weight
        with self._changed:
            mine = self._events.get(job.tenant_id, 0) + number
            if (
                self._closed
                or self._all + number > MOST_WAITING
                or mine > max(MOST_OF_ONE, number)
            ):
                raise Overloaded
            if job.tenant_id in self._jobs:
                self._jobs[job.tenant_id].append(job)
            else:
                self._jobs[job.tenant_id] = deque([job])
                self._turns.append(job.tenant_id)
            self._weigh(job.tenant_id, mine)
            self._all += number
            if self._choice() is not None:
                self._changed.notify()

    def take(self, most_events: int, written: Batch) -> Batch:
        """Wait, then take jobs in turns: `most_events` in all, but at least one job.

        `written` is the caller's last batch. An empty batch: closed, and all is taken.
        """
        with self._changed:
            self._in_hand -= written.events
            self._heavy_hands -= written.heavy
            while (heavy := self._choice()) is None:
                if self._closed and not self._all:
                    self._changed.notify()
                    return Batch()
                self._changed.wait()
            batch = Batch(heavy=heavy)
            # About half of those who take part: the requests of the others are read,
            # and answers written, while these are stored. Taking all would leave the
            # processor idle during the commit, and the database between commits.
            half = max(FEW, (self._all + written.events + 1) // 2)
            self._fill(batch, min(most_events, half))
            self._all -= batch.events
            self._in_hand += batch.events
            self._heavy_hands += heavy
            self._light_last = not heavy
            if not heavy and (self._heavy or self._heavy_hands):
                self._mixed_at = time.monotonic()
            if self._choice() is not None:
                self._changed.notify()
            return batch

    def _choice(self) -> bool | None:
        """Return whether a hand takes heavy jobs now (True) or light ones (False)."""
        if not self._all:
            return None
        light = len(self._jobs) > len(self._heavy)
        if self._closed:
            return not light
        pays = not 0 < self._in_hand < LONG or self._all >= CROWD
        # Light ones first, but not twice in a row while nobody serves the heavy.
        if (
            light
            and pays
            and not (self._heavy and self._light_last and not self._heavy_hands)
        ):
            return False
        if not self._heavy or not pays:
            return None
        alone = time.monotonic() - self._mixed_at >= RESERVED_SECONDS
        return True if not self._heavy_hands or alone else None

    def _fill(self, batch: Batch, most_events: int) -> None:
        """Take jobs of the batch's kind, a tenant at a time."""
        passed: list[UUID] = []
        while self._turns:
            tenant_id = self._turns.popleft()
            if (tenant_id in self._heavy) != batch.heavy:
                passed.append(tenant_id)
                continue
            size = self._jobs[tenant_id][0].weight
            if batch.jobs and batch.events + size > most_events:
                self._turns.appendleft(tenant_id)
                break
            batch.jobs.append(self._next(tenant_id))
            batch.events += size
        self._turns.extendleft(reversed(passed))

    def _next(self, tenant_id: UUID) -> Job:
        """Return the tenant's first job, and let it queue up again for the next."""
        jobs = self._jobs[tenant_id]
        job = jobs.popleft()
        if jobs:
            self._turns.append(tenant_id)
            self._events[tenant_id] -= job.weight
        else:
            del self._jobs[tenant_id], self._events[tenant_id]
            self._heavy.discard(tenant_id)
        return job

    def _weigh(self, tenant_id: UUID, events: int) -> None:
        self._events[tenant_id] = events
        if events > LIGHT:
            self._heavy.add(tenant_id)

    def close(self) -> None:
        """Take nothing more; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
