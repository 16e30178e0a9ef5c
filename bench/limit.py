"""What can PostgreSQL itself do? INSERT .. SELECT from rows it already holds.

The same columns and indexes as `alert`, one commit a batch, no client work and no
row-level security: the limit that no service in front of it can pass.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

import psycopg2

from alertcenter.settings.env import DATABASE_NAME
from alertcenter.settings.home import run_directory
from bench.forms import DISTINCT, FAR_DISTINCT
from bench.load import ALL_MIXES, FAR
from tests.stack import Stack

ROWS = 400_000
SETUP = f"""
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
CREATE TABLE bench.alert (LIKE public.alert INCLUDING DEFAULTS INCLUDING INDEXES)
  WITH (fillfactor = 85);
CREATE TABLE bench.given AS SELECT n, '01900000-0000-7000-8000-000000000001'::uuid
  AS tenant_id, 'l/' || md5(n::text) AS key,
  jsonb_build_object('alertname', 'HighLatency', 'instance', 'web-' || n || ':9100',
    'severity', 'warning', 'job', 'node', 'cluster', 'eu1', 'env', 'prod',
    'team', 'web', 'run', 'limit') AS labels,
  jsonb_build_object('summary', 'Latency is high on web-' || n, 'description',
    'The 99th percentile of request latency is over 2 s for 10 min.', 'runbook_url',
    'https://runbooks.example.org/high-latency') AS annotations
  FROM generate_series(1, {ROWS}) AS n;
CREATE UNIQUE INDEX ON bench.given (n);
ANALYZE bench.given;
"""
UPSERT = """
PREPARE upsert (int, int, int, int) AS
INSERT INTO bench.alert AS a (tenant_id, dedup_key, fingerprint, state, severity, title,
  labels, annotations, link, source, state_at, starts_at, last_at, count, closed_by,
  version)
SELECT tenant_id, key, '', 'firing', 3, 'Latency is high', labels, annotations, '',
  'limit', now(), now(), now(), 1, '', 1
FROM (SELECT * FROM bench.given WHERE n > $1 AND n <= $1 + $2
  UNION ALL SELECT * FROM bench.given WHERE n > $3 AND n <= $3 + $4) AS given
ON CONFLICT (tenant_id, dedup_key) DO UPDATE
  SET count = a.count + 1, last_at = excluded.last_at,
      annotations = excluded.annotations
"""


def prepare(stack: Stack) -> None:
    """Make the rows that will be inserted."""
    stack.sql(SETUP)


def measure(
    stack: Stack, batch: int, *, connections: int, mix: str, seconds: float
) -> float:
    """Return rows a second."""
    stack.sql("TRUNCATE bench.alert")
    share = ROWS // connections
    hands = [
        Hand(stack, batch, mix, number * share, share) for number in range(connections)
    ]
    begun = time.perf_counter()
    for hand in hands:
        hand.start(begun + seconds)
    for hand in hands:
        hand.thread.join()
    return sum(hand.done for hand in hands) / (time.perf_counter() - begun)


class Hand:
    """One connection that inserts its share of the rows; the first repeat."""

    def __init__(
        self, stack: Stack, batch: int, mix: str, first: int, share: int
    ) -> None:
        self.batch, self.fresh, self.first = batch, ALL_MIXES[mix], first
        distinct = FAR_DISTINCT // 2 if mix == FAR else DISTINCT
        self.repeats, self.end = max(batch, distinct), first + share
        self.new = first + self.repeats
        self.done = 0
        self.connection = connect(stack)
        with self.connection.cursor() as cursor:
            cursor.execute(UPSERT)
            cursor.execute(f"EXECUTE upsert ({first}, {self.repeats}, 0, 0)")

    def start(self, deadline: float) -> None:
        self.thread = threading.Thread(target=self._run, args=(deadline,))
        self.thread.start()

    def _run(self, deadline: float) -> None:
        offset = turn = 0
        with contextlib.closing(self.connection), self.connection.cursor() as cursor:
            while time.perf_counter() < deadline:
                turn += 1
                news = self._news(turn)
                olds = self.batch - news
                if self.new + news > self.end:
                    return  # all new rows are used up
                if offset + olds > self.repeats:
                    offset = 0
                old = self.first + offset
                cursor.execute(f"EXECUTE upsert ({old}, {olds}, {self.new}, {news})")
                offset += olds
                self.new += news
                self.done += self.batch

    def _news(self, turn: int) -> int:
        """Return how many rows of this turn are new; of few, all in some turns."""
        if self.batch < 10:
            return self.batch if turn % 10 < self.fresh else 0
        return self.batch * self.fresh // 10


def connect(stack: Stack) -> Any:
    secrets = json.loads((stack.home / "secrets.json").read_text())
    connection = psycopg2.connect(
        host=str(run_directory(stack.home)),
        port=5432,
        dbname=DATABASE_NAME,
        user="postgres",
        password=secrets["db_superuser"],
    )
    connection.autocommit = True
    return connection
