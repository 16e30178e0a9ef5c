"""How does everything come in? One `accept` for every protocol.

`start` runs once in each web process (asgi.py), `stop` at its end. Events are
answered for only when committed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from uuid import UUID

import psycopg2

from alertcenter.alerts.events import Parsed
from alertcenter.alerts.receipts import KeyReused
from alertcenter.alerts.waiting import (
    Accepted,
    Job,
    Loop,
    Once,
    Outcome,
    Overloaded,
)
from alertcenter.alerts.writer import DatabaseAway, Writer, connect

__all__ = [
    "Accepted",
    "DatabaseAway",
    "KeyReused",
    "Once",
    "Outcome",
    "Overloaded",
    "accept",
    "hand_over",
    "start",
    "stop",
    "waiting",
]

log = logging.getLogger(__name__)

# NOTIFY takes a lock over the whole cluster at commit: never in the writer's own
# transaction, and at most this often.
NOTICES_PER_SECOND = 20


class Crier:
    """Tells the dispatchers, on a connection of its own, that something changed."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="crier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._changed.set()
        self._thread.join(5)

    def cry(self) -> None:
        """Say it soon; many calls make one notice."""
        self._changed.set()

    def _run(self) -> None:
        connection = None
        while True:
            self._changed.wait()
            if self._stopping:
                break
            self._changed.clear()
            try:
                connection = connection or connect("crier")
                with connection.cursor() as cursor:
                    cursor.execute("NOTIFY ac_feed")
            except psycopg2.Error:
                # Dispatchers also poll: a lost notice costs a quarter second.
                connection = None
            time.sleep(1 / NOTICES_PER_SECOND)
        if connection is not None:
            connection.close()


class Intake:
    """The writer and the crier of this process."""

    def __init__(self) -> None:
        self.crier = Crier()
        self.writer = Writer(self.crier.cry)
        self.crier.start()
        self.writer.start()

    def stop(self) -> None:
        self.writer.stop()
        self.crier.stop()


_intake: Intake | None = None
_lock = threading.Lock()


def start() -> Intake:
    """Start this process's intake, once."""
    global _intake
    with _lock:
        if _intake is None:
            _intake = Intake()
        return _intake


def stop() -> None:
    """Write what waits and end the threads."""
    global _intake
    with _lock:
        intake, _intake = _intake, None
    if intake is not None:
        intake.stop()


def waiting() -> int:
    """Return how many events wait to be written."""
    return _intake.writer.waiting.events if _intake else 0


def accept(
    tenant_id: UUID,
    parsed: Parsed,
    *,
    correlation_id: str,
    scope: str = "",
    once: Once | None = None,
) -> Future[Accepted]:
    """Queue the events of one request, as `hand_over` does, for threads.

    The future yields Accepted after the commit, or raises DatabaseAway or KeyReused.
    """
    future: Future[Accepted] = Future()

    def done(outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    hand_over(
        tenant_id,
        parsed,
        done,
        correlation_id=correlation_id,
        scope=scope,
        once=once,
    )
    return future


def hand_over(
    tenant_id: UUID,
    parsed: Parsed,
    done: Callable[[Outcome], None],
    *,
    correlation_id: str,
    scope: str = "",
    loop: Loop | None = None,
    counts: Sequence[int] | None = None,
    once: Once | None = None,
) -> None:
    """Queue the events of one request; `done` is called once, after the commit.

    It gets Accepted, or DatabaseAway: in `loop` if one is given, else in any thread.
    Raises Overloaded when too much waits. `scope` keeps keyed events of different
    senders apart; for our own JSON it is empty, so that every key of the tenant shares
    one name space. `counts` says how often each event was said; `once` names a request
    that may be sent again without effect.
    """
    if not parsed.events:
        done(Accepted())
        return
    intake = _intake or start()
    intake.writer.put(
        Job(
            tenant_id,
            scope or "api",
            parsed.events,
            parsed.indexes,
            correlation_id,
            done,
            loop,
            counts,
            once=once,
        )
    )
