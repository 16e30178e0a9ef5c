"""What is old enough to go, and how does it go? docs/retention.md tells operators.

Partitions that are too old for every tenant are dropped. Rows that are too old for
their own tenant are deleted in small batches, each a transaction of its own, with a
pause as long as the batch took. Rooms above say in apps.ready() what they keep.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from tenants import access, partitions, telemetry
from tenants.models import RetentionRun, Tenant
from tenants.rls import in_tenant, tenant_context

HISTORY, RAW, CLOSED = "history", "raw", "closed"

BATCH = 5_000  # rows of one transaction
AT_ONCE = 50_000  # candidates that one look over a table names
LONGEST_PAUSE = 1.0
EVERY = timedelta(hours=23)  # one run a day, whenever a day's nudges come
RUNS_KEPT = 100


@dataclass(frozen=True)
class Belonging:
    """Rows that go when their group goes; `where` says which, by `%(groups)s`."""

    table: str
    where: str


Sweeper = Callable[["Sweep", UUID, datetime], None]

# {partitioned table: how long it is kept}
by_time: dict[str, str] = {"audit": HISTORY}
# In the order in which they go; each before what it refers to.
belongings: list[Belonging] = []
# Each lets go of what one tenant closed before a time.
sweepers: list[Sweeper] = []


class OutOfTime(Exception):
    """This slice has used up its time; the next one goes on."""


@dataclass
class Sweep:
    """What goes, what went, and until when there is time; a dry one only counts."""

    dry: bool = False
    until: float = float("inf")  # time.monotonic()
    deleted: Counter[str] = field(default_factory=Counter)
    dropped: list[str] = field(default_factory=list)
    put_off: set[str] = field(default_factory=set)

    def remove(self, tenant_id: UUID, table: str, where: str, **given: Any) -> int:
        """Delete the tenant's rows that `where` describes; return how many went.

        `where` is SQL over the columns of `table`, with `given` as parameters.
        """
        given |= {"tenant": tenant_id}
        if self.dry:
            return self._count(tenant_id, table, where, given)
        total = 0
        while ids := candidates(tenant_id, table, where, given):
            gone = 0
            for start in range(0, len(ids), BATCH):
                chunk = given | {"ids": ids[start : start + BATCH]}
                delete = partial(delete_chosen, table, where, chunk)
                gone += self.batch(tenant_id, table, delete)
            total += gone
            if len(ids) < AT_ONCE or not gone:
                break
        return total

    def forget(
        self, tenant_id: UUID, table: str, before: datetime, only_rest: bool
    ) -> None:
        """Delete the tenant's rows of a partitioned table that are older."""
        if self.dry:
            if not only_rest:
                where = "at < %(before)s"
                given = {"tenant": tenant_id, "before": before}
                self._count(tenant_id, table, where, given)
            return
        delete = partial(forget_some, [table, tenant_id, before, BATCH, only_rest])
        while self.batch(tenant_id, table, delete) == BATCH:
            pass

    def batch(self, tenant_id: UUID, table: str, work: Callable[[], int]) -> int:
        """Do one small transaction in the tenant, and leave as much time to others.

        Returns the number of rows that went; 0 if somebody was in the way all along.
        Raises OutOfTime, but never before something went: each slice gets on.
        """
        began = time.monotonic()

        def inside() -> int:
            with tenant_context(tenant_id):
                return work()

        try:
            gone = partitions.patiently(inside)
        except partitions.Busy:
            self.wait_for_another_time(table)
            return 0
        if gone:
            self.deleted[table] += gone
            telemetry.DELETED.labels(table).inc(gone)
            self.stop_if_late()
            time.sleep(min(LONGEST_PAUSE, time.monotonic() - began))
        return gone

    def stop_if_late(self) -> None:
        """Raise OutOfTime when the slice's time is over."""
        if time.monotonic() > self.until:
            raise OutOfTime

    def wait_for_another_time(self, table: str) -> None:
        self.put_off.add(table)
        telemetry.PUT_OFF.inc()

    def _count(
        self, tenant_id: UUID, table: str, where: str, given: dict[str, Any]
    ) -> int:
        statement = f'SELECT count(*) FROM "{table}" WHERE {mine(where)}'
        with in_tenant(tenant_id), connection.cursor() as cursor:
            cursor.execute(statement, given)
            found = int(cursor.fetchone()[0])
        self.deleted[table] += found
        return found


# --- statements ---


def mine(where: str) -> str:
    return f"tenant_id = %(tenant)s AND {where}"


def candidates(
    tenant_id: UUID, table: str, where: str, given: dict[str, Any]
) -> list[Any]:
    statement = f'SELECT id FROM "{table}" WHERE {mine(where)} LIMIT {AT_ONCE}'
    with in_tenant(tenant_id), connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [row[0] for row in cursor.fetchall()]


def delete_chosen(table: str, where: str, given: dict[str, Any]) -> int:
    """Delete rows by id if they still are what they were when they were found.

    Rows that somebody holds are skipped: who deletes must never wait while he holds
    others, or senders could be told of a deadlock that is ours.
    """
    statement = (
        f'DELETE FROM "{table}" WHERE tenant_id = %(tenant)s AND id = ANY (ARRAY('
        f'SELECT id FROM "{table}" WHERE {mine(where)} AND id = ANY (%(ids)s) '
        "FOR UPDATE SKIP LOCKED))"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return int(cursor.rowcount)


def forget_some(given: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ac_forget(%s, %s, %s, %s, %s)", given)
        return int(cursor.fetchone()[0])


# --- how long ---


@dataclass(frozen=True)
class Terms:
    """Days for which one tenant's rows are kept, by kind."""

    days: dict[str, int]

    def before(self, kind: str, now: datetime) -> datetime:
        return now - timedelta(days=self.days[kind])


def terms_of(tenant: Tenant) -> Terms:
    """Return what the tenant's row says, else the installation's defaults."""
    own = {
        HISTORY: tenant.history_days,
        RAW: tenant.raw_days,
        CLOSED: tenant.closed_days,
    }
    return Terms({kind: own[kind] or settings.RETENTION_DAYS[kind] for kind in own})


def all_terms() -> dict[UUID, Terms]:
    """Return every tenant's terms, by id and in the order of ids."""
    ids = sorted(tenant_id for tenant_id, _ in access.tenants())
    with in_tenant(*ids):
        return {tenant.pk: terms_of(tenant) for tenant in Tenant.objects.order_by("pk")}


def longest(terms: dict[UUID, Terms]) -> Terms:
    """Return the longest term of each kind, the defaults included."""
    each = [one.days for one in terms.values()] + [settings.RETENTION_DAYS]
    return Terms({kind: max(one[kind] for one in each) for kind in each[0]})


# --- a run ---


def preview() -> Sweep:
    """Return what would go now; nothing is changed."""
    sweep = Sweep(dry=True)
    terms = all_terms()
    now = database_time()
    for table, kind in by_time.items():
        old = longest(terms).before(kind, now)
        sweep.dropped += partitions.older_than(table, old)
    sweep_tenants(sweep, terms, now)
    return sweep


def work(seconds: float = float("inf"), *, always: bool = False) -> bool:
    """Go on with today's run for about `seconds`; return whether nothing is left.

    Does nothing when somebody else is at it, or when a run has ended within the last
    day, unless `always`.
    """
    with alone() as mine_to_do:
        run = current_run(always) if mine_to_do else None
        if run is None:
            return True
        sweep = Sweep(until=time.monotonic() + seconds)
        done = carry_on(run, sweep)
        note(run, sweep, done)
        return done


@contextmanager
def alone() -> Iterator[bool]:
    """Hold the lock of retention, which goes with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('ac_retention'))")
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held and connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('ac_retention'))")


def current_run(always: bool) -> RetentionRun | None:
    """Return the run to go on with, a new one if it is time, or None."""
    last = RetentionRun.objects.order_by("-id").first()
    if last is not None and last.finished_at is None:
        return last
    if last is not None and not always and database_time() - last.started_at < EVERY:
        return None
    RetentionRun.objects.filter(pk__lte=(last.pk if last else 0) - RUNS_KEPT).delete()
    run = RetentionRun.objects.create()
    run.refresh_from_db()
    return run


def carry_on(run: RetentionRun, sweep: Sweep) -> bool:
    """Drop, then delete from the first tenant not yet done; return whether all are."""
    terms = all_terms()
    try:
        drop_partitions(sweep, longest(terms), run.started_at)
        sweep_tenants(sweep, terms, run.started_at, run)
    except OutOfTime:
        return False
    measure_oldest()
    return True


def drop_partitions(sweep: Sweep, most: Terms, now: datetime) -> None:
    """Drop what is too old for every tenant, one partition a transaction."""
    for table, kind in by_time.items():
        try:
            while name := partitions.drop_oldest(table, most.before(kind, now)):
                sweep.dropped.append(name)
                telemetry.DROPPED.labels(table).inc()
        except partitions.Busy:
            sweep.wait_for_another_time(table)


def sweep_tenants(
    sweep: Sweep,
    terms: dict[UUID, Terms],
    now: datetime,
    run: RetentionRun | None = None,
) -> None:
    """Delete tenant by tenant, and note in `run` how far that has come."""
    most = longest(terms)
    for tenant_id, own in terms.items():
        if run is not None and run.position is not None and tenant_id <= run.position:
            continue
        for table, kind in by_time.items():
            # Whoever keeps rows for the longest waits for the partition to be dropped.
            is_longest = own.days[kind] == most.days[kind]
            sweep.forget(tenant_id, table, own.before(kind, now), is_longest)
        for sweeper in sweepers:
            sweeper(sweep, tenant_id, own.before(CLOSED, now))
        if run is not None:
            run.position = tenant_id
            sweep.stop_if_late()


def note(run: RetentionRun, sweep: Sweep, done: bool) -> None:
    """Write down what this slice did."""
    run.deleted = dict(Counter(run.deleted) + sweep.deleted)
    run.dropped = run.dropped + sweep.dropped
    run.put_off = sorted({*run.put_off, *sweep.put_off})
    run.save()
    if done:
        RetentionRun.objects.filter(pk=run.pk).update(finished_at=Now())


def measure_oldest() -> None:
    """Show how old the oldest partition is that holds rows."""
    now = database_time()
    for size in partitions.sizes():
        if size.since is not None:
            age = max(0.0, (now - size.since).total_seconds())
            telemetry.OLDEST.labels(size.table).set(age)


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        found: datetime = cursor.fetchone()[0]
        return found
