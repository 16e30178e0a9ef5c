"""How do events reach the disk? Coalesced commits of two hands, no timer.

Whatever waits when a commit returns is written by the next one, so a lone request is
written at once and a storm shares its commits. A request is answered when the
transaction that holds all its events is committed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg2
from django.db import connections
from psycopg2 import errors

from alertcenter.alerts import receipts, telemetry
from alertcenter.alerts.events import ItemError
from alertcenter.alerts.rows import CLOCK, Row, as_payload, merge, prepare
from alertcenter.alerts.rules import RuleBook
from alertcenter.alerts.upsert import EXECUTE, PREPARE
from alertcenter.alerts.waiting import Accepted, Batch, Job, Outcome, Waiting
from alertcenter.common import failpoints
from tenants.rls import SET_CONTEXT, as_literal

log = logging.getLogger(__name__)

HANDS = 2
# Of one commit; more would not be cheaper, and others would wait longer for their turn.
MOST_EVENTS = 600
# Errors of a row's content: the batch is halved until the row stands alone.
POISON = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    errors.ProgramLimitExceeded,
)
RECONNECT_SECONDS = 1.0
STATEMENT_TIMEOUT = "10s"


# Shared by the hands and whoever prepares jobs for them.
RULES = RuleBook()


class DatabaseAway(Exception):
    """The database did not commit; nothing was promised, the sender may retry."""


class Writer:
    """What waits, and the hands that write it."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.waiting = Waiting()
        self._hands = [Hand(self.waiting, on_change, number) for number in range(HANDS)]

    def start(self) -> None:
        for hand in self._hands:
            hand.thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Write what waits, then end the threads."""
        self.waiting.close()
        for hand in self._hands:
            hand.thread.join(timeout)

    def put(self, job: Job) -> None:
        """Queue `job`. Raises Overloaded when too much waits already.

        What can be done here is not done while the database waits for it.
        """
        rules = RULES.fresh(job.tenant_id)
        if rules is not None:
            job.prepared = prepare(job, rules)
            job.size = sum([len(row.text) for row in job.prepared.rows])
        self.waiting.put(job)


class Hand:
    """One thread with one connection."""

    def __init__(
        self, waiting: Waiting, on_change: Callable[[], None], number: int
    ) -> None:
        self._waiting = waiting
        self._on_change = on_change
        self._connection: Any = None
        self._broken_at = 0.0
        self.thread = threading.Thread(
            target=self._run, name=f"writer-{number}", daemon=True
        )

    def _run(self) -> None:
        batch = Batch()
        while (batch := self._waiting.take(MOST_EVENTS, batch)).jobs:
            ordinary = [job for job in batch.jobs if not job.once]
            if ordinary:
                self._answer(ordinary, self._write)
            # Those with a receipt take a commit each: nobody waits for them.
            for job in batch.jobs:
                if job.once:
                    self._answer([job], self._write_once)
        self._close()

    def _answer(
        self, jobs: list[Job], write: Callable[[list[Job]], list[Outcome]]
    ) -> None:
        """Write the jobs and tell each what became of it."""
        outcomes: list[Outcome]
        try:
            self._connected()
            outcomes = write(jobs)
        except DatabaseAway as error:
            outcomes = [error] * len(jobs)
        except psycopg2.Error as error:  # while the rules were read, say
            self._lost(error)
            outcomes = [DatabaseAway()] * len(jobs)
        except Exception:
            # The thread must outlive anything: a dead writer loses every page. What
            # was begun ends with the connection; the next job must not stand in it.
            log.exception("writer_failed")
            self._close()
            outcomes = [DatabaseAway()] * len(jobs)
        tell(list(zip(jobs, outcomes, strict=True)))

    def _write(self, jobs: list[Job]) -> list[Outcome]:
        results = {id(job): Accepted() for job in jobs}
        for batch in self._rounds(jobs, results, self._connection):
            if self._execute(batch, results):
                self._on_change()
        return [results[id(job)] for job in jobs]

    def _write_once(self, jobs: list[Job]) -> list[Outcome]:
        """Write one job together with its receipt, unless there is one already."""
        (job,) = jobs
        request = job.once
        assert request is not None
        result = Accepted()
        rounds = self._rounds([job], {id(job): result}, self._connection)
        changed = False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(SET_CONTEXT, [as_literal([job.tenant_id])])
                known = receipts.claim(cursor, job.tenant_id, request)
                if known is not None:
                    cursor.execute("ROLLBACK")
                    return [known]
                for rows in rounds:
                    changed |= self._execute(rows, {id(job): result}, inside=True)
                receipts.fill(cursor, job.tenant_id, request, result)
                cursor.execute("COMMIT")
        except receipts.KeyReused as error:
            self._connection.cursor().execute("ROLLBACK")
            return [error]
        except psycopg2.Error as error:
            self._lost(error)
            raise DatabaseAway from error
        if changed:
            self._on_change()
        return [result]

    def _rounds(
        self, jobs: list[Job], results: dict[int, Accepted], connection: Any
    ) -> list[list[Row]]:
        """Merge equal events; what differs under one key goes to a later round."""
        rounds: list[dict[tuple[UUID, str], Row]] = []
        last: dict[tuple[UUID, str], int] = {}
        for job in jobs:
            prepared = job.prepared or prepare(job, RULES.of(job.tenant_id, connection))
            result = results[id(job)]
            result.dropped = prepared.dropped
            result.without |= prepared.without
            for row in prepared.rows:
                place = (job.tenant_id, row.key)
                turn = last.get(place, -1)
                if turn >= 0 and merge(rounds[turn][place], row):
                    continue
                turn += 1
                if turn == len(rounds):
                    rounds.append({})
                rounds[turn][place] = row
                last[place] = turn
        return [list(one.values()) for one in rounds]

    def _execute(
        self, rows: list[Row], results: dict[int, Accepted], *, inside: bool = False
    ) -> bool:
        """Commit `rows`; return whether anything changed state. `inside` a transaction
        the commit is left to its owner."""
        tenants = {str(job.tenant_id) for row in rows for job, _ in row.owners}
        payload = as_payload(rows)
        started = time.perf_counter()
        failpoints.hit("ingest.before_commit")
        try:
            with self._connection.cursor() as cursor:
                if inside:
                    cursor.execute("SAVEPOINT rows")
                cursor.execute(EXECUTE, (f"{{{','.join(tenants)}}}", payload))
                epoch, changes, named = cursor.fetchone()
        except POISON as error:
            if inside:
                self._connection.cursor().execute("ROLLBACK TO SAVEPOINT rows")
            return self._halve(rows, results, error, inside=inside)
        except psycopg2.Error as error:
            self._lost(error)
            raise DatabaseAway from error
        failpoints.hit("ingest.after_commit")
        CLOCK.hear(float(epoch))
        telemetry.COMMIT_SECONDS.observe(time.perf_counter() - started)
        telemetry.COMMIT_ROWS.observe(len(rows))
        changed = frozenset(named or ())
        for row in rows:
            for job, _ in row.owners:
                result = results[id(job)]
                result.kept += 1
                if job.correlation_id in changed:
                    result.changed = True
        return bool(changes)

    def _halve(
        self,
        rows: list[Row],
        results: dict[int, Accepted],
        error: Exception,
        *,
        inside: bool,
    ) -> bool:
        if len(rows) > 1:
            middle = len(rows) // 2
            first = self._execute(rows[:middle], results, inside=inside)
            return self._execute(rows[middle:], results, inside=inside) or first
        log.warning("poison_event", extra={"error": str(error).split("\n")[0]})
        for job, index in rows[0].owners:
            result = results[id(job)]
            result.without.add(index)
            result.errors.append(ItemError(index, receipts.UNSTORABLE))
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


def tell(outcomes: list[tuple[Job, Outcome]]) -> None:
    """Give every job its outcome; those of one event loop wake it once."""
    by_loop: dict[int, list[tuple[Job, Outcome]]] = {}
    for pair in outcomes:
        loop = pair[0].loop
        if loop is None:
            call_all([pair])
        else:
            by_loop.setdefault(id(loop), []).append(pair)
    for pairs in by_loop.values():
        try:
            pairs[0][0].loop.call_soon_threadsafe(call_all, pairs)  # type: ignore[union-attr]
        except RuntimeError:
            pass  # the loop has ended, and with it whoever waited


def call_all(pairs: list[tuple[Job, Outcome]]) -> None:
    for job, outcome in pairs:
        try:
            job.done(outcome)
        except Exception:
            log.exception("answer_failed")


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
