"""Whose events are written next? Tenants take turns, so that no flood delays others.

A tenant that sends little is served with the next commit, whatever waits of others.
"""

from __future__ import annotations

import threading
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
# One commit of many events is cheaper than two of few: a second hand helps only when
# this many wait, or when this many are being written, whose end would be long to wait
# for.
CROWD = 256
LONG = 100
FEW = 16


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

    `counts` says how often each event was said; once when it is None.
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


class Waiting:
    """Jobs by tenant; filled from any thread, emptied by the writer's hands."""

    def __init__(self) -> None:
        self._jobs: dict[UUID, deque[Job]] = {}
        self._turns: deque[UUID] = deque()
        self._events: dict[UUID, int] = {}
        self._all = 0
        self._in_hand = 0
        self._changed = threading.Condition()
        self._closed = False

    @property
    def events(self) -> int:
        """How many events wait."""
        return self._all

    def put(self, job: Job) -> None:
        """Queue `job`. Raises Overloaded when too much waits already."""
        number = len(job.events)
        with self._changed:
            mine = self._events.get(job.tenant_id, 0)
            if (
                self._closed
                or self._all + number > MOST_WAITING
                or mine + number > MOST_OF_ONE
            ):
                raise Overloaded
            if job.tenant_id in self._jobs:
                self._jobs[job.tenant_id].append(job)
            else:
                self._jobs[job.tenant_id] = deque([job])
                self._turns.append(job.tenant_id)
            self._events[job.tenant_id] = mine + number
            self._all += number
            if self._may_take():
                self._changed.notify()

    def take(self, most_events: int, given_back: int = 0) -> list[Job]:
        """Wait, then take jobs in turns: `most_events` in all, but at least one job.

        `given_back`: how many events the caller took the last time, and has written.
        Nothing once closed and emptied.
        """
        with self._changed:
            self._in_hand -= given_back
            while not self._may_take() and not (self._closed and not self._all):
                self._changed.wait()
            # About half of those who take part: the requests of the others are read,
            # and answers written, while these are stored. Taking all would leave the
            # processor idle during the commit, and the database between commits.
            most_events = min(most_events, max(FEW, (self._all + given_back + 1) // 2))
            taken: list[Job] = []
            number = 0
            while self._turns:
                jobs = self._jobs[self._turns[0]]
                size = len(jobs[0].events)
                if taken and number + size > most_events:
                    break
                taken.append(self._next())
                number += size
            self._all -= number
            self._in_hand += number
            if self._may_take() or self._closed:
                self._changed.notify()
            return taken

    def _may_take(self) -> bool:
        if not self._all:
            return False
        return self._closed or not 0 < self._in_hand < LONG or self._all >= CROWD

    def _next(self) -> Job:
        """Return the first job of the tenant whose turn it is."""
        tenant_id = self._turns.popleft()
        jobs = self._jobs[tenant_id]
        job = jobs.popleft()
        if jobs:
            self._turns.append(tenant_id)
            self._events[tenant_id] -= len(job.events)
        else:
            del self._jobs[tenant_id], self._events[tenant_id]
        return job

    def close(self) -> None:
        """Take nothing more; what waits is still given out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
