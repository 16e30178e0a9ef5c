"""How do events reach the disk? One thread, coalesced commits, no timer.

Whatever waits when the last commit returns is written by the next one, so a lone
request is written at once and a storm shares its commits. A request is answered
when the transaction that holds all its events is committed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import psycopg2
from django.db import connections
from psycopg2 import errors

from alertcenter.alerts import telemetry
from alertcenter.alerts.events import Event, ItemError
from alertcenter.alerts.fingerprint import label_key, named_key
from alertcenter.alerts.rules import RuleBook
from alertcenter.alerts.upsert import EXECUTE, PREPARE

log = logging.getLogger(__name__)

MOST_ROWS = 2_000
MOST_WAITING = 100_000
# Errors of a row's content: the batch is halved until the row stands alone.
POISON = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    errors.ProgramLimitExceeded,
)
RECONNECT_SECONDS = 1.0
STATEMENT_TIMEOUT = "10s"

encode = msgspec.json.encode


class DatabaseAway(Exception):
    """The database did not commit; nothing was promised, the sender may retry."""


class Overloaded(Exception):
    """More events wait than this process may hold."""


@dataclass(slots=True)
class Accepted:
    """What became of one request's events."""

    kept: int = 0
    dropped: int = 0
    errors: list[ItemError] = field(default_factory=list)


@dataclass(slots=True)
class Job:
    """One request's events, waiting to be written."""

    tenant_id: UUID
    scope: str
    events: Sequence[Event]
    indexes: Sequence[int]
    correlation_id: str
    future: Future[Accepted]


@dataclass(slots=True)
class Row:
    """One line of the statement, and which items of which jobs it stands for."""

    body: dict[str, Any]
    owners: list[tuple[Job, int]]
    count: int = 1


class Writer:
    """The thread that writes; `put` may be called from any thread."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._jobs: deque[Job] = deque()
        self._waiting = 0
        self._ready = threading.Condition()
        self._stopping = False
        self._connection: Any = None
        self._broken_at = 0.0
        self._rules = RuleBook()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Write what waits, then end the thread."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join(timeout)

    def put(self, job: Job) -> None:
        """Queue `job`. Raises Overloaded when too much waits already."""
        with self._ready:
            if self._waiting + len(job.events) > MOST_WAITING or self._stopping:
                raise Overloaded
            self._jobs.append(job)
            self._waiting += len(job.events)
            self._ready.notify()

    # --- the thread ---

    def _run(self) -> None:
        while True:
            jobs = self._take()
            if not jobs:
                self._close()
                return
            try:
                self._write(jobs)
            except Exception as error:
                # The thread must outlive anything: a dead writer loses every page.
                if not isinstance(error, DatabaseAway):
                    log.exception("writer_failed")
                for job in jobs:
                    if not job.future.done():
                        job.future.set_exception(DatabaseAway())

    def _take(self) -> list[Job]:
        with self._ready:
            while not self._jobs:
                if self._stopping:
                    return []
                self._ready.wait()
            taken: list[Job] = []
            rows = 0
            while self._jobs and (
                not taken or rows + len(self._jobs[0].events) <= MOST_ROWS
            ):
                job = self._jobs.popleft()
                rows += len(job.events)
                taken.append(job)
            self._waiting -= rows
            return taken

    def _write(self, jobs: list[Job]) -> None:
        connection = self._connected()
        results = {id(job): Accepted() for job in jobs}
        changed = False
        for batch in self._rounds(jobs, results, connection):
            changed |= self._execute(batch, results)
        for job in jobs:
            job.future.set_result(results[id(job)])
        if changed:
            self._on_change()

    def _rounds(
        self, jobs: list[Job], results: dict[int, Accepted], connection: Any
    ) -> list[list[Row]]:
        """Merge equal events; what differs under one key goes to a later round."""
        rounds: list[dict[tuple[UUID, str], Row]] = []
        last: dict[tuple[UUID, str], int] = {}
        for job in jobs:
            rules = self._rules.of(job.tenant_id, connection)
            result = results[id(job)]
            for event, index in zip(job.events, job.indexes, strict=True):
                kept = rules.apply(event) if rules else event
                if kept is None:
                    result.dropped += 1
                    continue
                body = as_body(job, kept)
                place = (job.tenant_id, body["key"])
                turn = last.get(place, -1)
                if turn >= 0:
                    row = rounds[turn][place]
                    if row.body == body:
                        row.count += 1
                        row.owners.append((job, index))
                        continue
                turn += 1
                if turn == len(rounds):
                    rounds.append({})
                rounds[turn][place] = Row(body, [(job, index)])
                last[place] = turn
        return [list(one.values()) for one in rounds]

    def _execute(self, rows: list[Row], results: dict[int, Accepted]) -> bool:
        """Commit `rows`; return whether anything changed state."""
        tenants = {row.body["tenant"] for row in rows}
        payload = encode([row.body | {"count": row.count} for row in rows]).decode()
        started = time.perf_counter()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(EXECUTE, (f"{{{','.join(tenants)}}}", payload))
                _, changes, _ = cursor.fetchone()
        except POISON as error:
            return self._halve(rows, results, error)
        except psycopg2.Error as error:
            self._lost(error)
            raise DatabaseAway from error
        telemetry.COMMIT_SECONDS.observe(time.perf_counter() - started)
        telemetry.COMMIT_ROWS.observe(len(rows))
        for row in rows:
            for job, _ in row.owners:
                results[id(job)].kept += 1
        return bool(changes)

    def _halve(
        self, rows: list[Row], results: dict[int, Accepted], error: Exception
    ) -> bool:
        if len(rows) > 1:
            middle = len(rows) // 2
            first = self._execute(rows[:middle], results)
            return self._execute(rows[middle:], results) or first
        log.warning("poison_event", extra={"error": str(error).split("\n")[0]})
        for job, index in rows[0].owners:
            results[id(job)].errors.append(
                ItemError(index, "the database cannot store this event")
            )
        return False

    # --- the connection ---

    def _connected(self) -> Any:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if time.monotonic() - self._broken_at < RECONNECT_SECONDS:
            raise DatabaseAway
        try:
            connection = connect("writer")
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
                cursor.execute("SET lock_timeout = '5s'")
                # Planning the statement anew costs as much as a hundred events.
                cursor.execute("SET plan_cache_mode = force_generic_plan")
                cursor.execute(PREPARE)
        except psycopg2.Error as error:
            self._lost(error)
            raise DatabaseAway from error
        self._connection = connection
        return connection

    def _lost(self, error: Exception) -> None:
        log.warning("database_away", extra={"error": str(error).split("\n")[0]})
        self._broken_at = time.monotonic()
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def as_body(job: Job, event: Event) -> dict[str, Any]:
    """Return the event as the statement's JSON row, without its count."""
    key = named_key(job.scope, event.key) if event.key else label_key(event.labels)
    return {
        "tenant": str(job.tenant_id),
        "key": key,
        "firing": event.firing,
        "severity": event.severity,
        "title": event.title,
        "labels": event.labels,
        "annotations": event.annotations,
        "source": event.source,
        "link": event.link,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "ttl": event.ttl_seconds,
        "correlation": job.correlation_id,
    }


def connect(purpose: str) -> Any:
    """Return an autocommit connection of the runtime's login, past Django."""
    settings = connections["default"].settings_dict
    connection = psycopg2.connect(
        host=settings["HOST"],
        port=settings["PORT"] or None,
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        **settings["OPTIONS"]
        | {"connect_timeout": 2, "application_name": f"alertcenter-{purpose}"},
    )
    connection.autocommit = True
    return connection
