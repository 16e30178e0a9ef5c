"""How are partitions made and dropped while others write?

Both need the whole table for a moment. Whoever waits for that holds up everybody who
comes after him, so the wait is short, given up, and tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import OperationalError, connection, transaction

Answer = TypeVar("Answer")

# The longest that somebody else's statement may be held up by ours.
LOCK_TIMEOUT = "100ms"
TRIES = 20
LONGEST_PAUSE = 1.0
# PostgreSQL's codes: somebody else held a lock; two of us waited for each other.
BUSY = ("55P03", "40P01")


class Busy(Exception):
    """Somebody held a lock all along; another time will do."""


def patiently(work: Callable[[], Answer]) -> Answer:
    """Do `work` in a transaction that never waits long for a lock, if need be again.

    Raises Busy when somebody was in the way each time.
    """
    for attempt in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                return work()
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) not in BUSY:
                raise
        time.sleep(min(LONGEST_PAUSE, 0.05 * 2**attempt))
    raise Busy


def ensure() -> None:
    """Make the partitions of the time to come. Raises Busy."""

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ac_ensure_partitions()")

    patiently(work)


def drop_oldest(table: str, before: datetime) -> str | None:
    """Drop the oldest partition of `table` if all of it is older than `before`.

    Returns its name, or None when there is no such partition. Raises Busy.
    """

    def work() -> str | None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ac_drop_partition(%s, %s)", [table, before])
            row = cursor.fetchone()
            return str(row[0]) if row and row[0] else None

    return patiently(work)


def older_than(table: str, before: datetime) -> list[str]:
    """Return the names of the partitions that `drop_oldest` would drop."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child FROM ac_partitions() WHERE parent = %s AND after <= %s "
            "ORDER BY after",
            [table, before],
        )
        return [name for (name,) in cursor.fetchall()]


@dataclass(frozen=True)
class Size:
    """What a table takes on the disk; `rows` is PostgreSQL's own estimate, if any."""

    table: str
    rows: float | None
    bytes: int
    partitions: int
    since: datetime | None


# reltuples is -1 for a table that was never looked at.
SIZES = """
SELECT coalesce(p.parent, c.relname) AS name,
  sum(c.reltuples) FILTER (WHERE c.reltuples >= 0),
  sum(pg_total_relation_size(c.oid))::bigint, count(p.child),
  min(p.first) FILTER (WHERE pg_relation_size(c.oid) > 0)
FROM pg_class c LEFT JOIN ac_partitions() p ON p.child = c.relname
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
GROUP BY name ORDER BY 3 DESC, 1 LIMIT %s
"""


def sizes(most: int = 100) -> list[Size]:
    """Return the largest tables; nobody's rows are read for it."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [most])
        return [Size(*row) for row in cursor.fetchall()]
