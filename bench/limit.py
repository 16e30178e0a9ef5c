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
PREPARE upsert (int, int) AS
INSERT INTO bench.alert AS a (tenant_id, dedup_key, fingerprint, state, severity, title,
  labels, annotations, link, source, state_at, starts_at, last_at, count, closed_by,
  version)
SELECT tenant_id, key, '', 'firing', 3, 'Latency is high', labels, annotations, '',
  'limit', now(), now(), now(), 1, '', 1
FROM bench.given WHERE n > $1 AND n <= $1 + $2
ON CONFLICT (tenant_id, dedup_key) DO UPDATE
  SET count = a.count + 1, last_at = excluded.last_at,
      annotations = excluded.annotations
"""


def prepare(stack: Stack) -> None:
    """Make the rows that will be inserted."""
    stack.sql(SETUP)


def measure(
    stack: Stack, batch: int, *, connections: int, fresh: bool, seconds: float
) -> float:
    """Return rows a second."""
    stack.sql("TRUNCATE bench.alert")
    share = ROWS // connections
    distinct = max(batch, 1000)
    hands = [
        Hand(stack, batch, number * share, share if fresh else distinct)
        for number in range(connections)
    ]
    if not fresh:
        for hand in hands:
            hand.warm()
    begun = time.perf_counter()
    for hand in hands:
        hand.start(begun + seconds)
    for hand in hands:
        hand.thread.join()
    return sum(hand.done for hand in hands) / (time.perf_counter() - begun)


class Hand:
    """One connection that inserts its share of the rows, over and over."""

    def __init__(self, stack: Stack, batch: int, first: int, share: int) -> None:
        self.batch, self.first, self.share = batch, first, share
        self.done = 0
        self.connection = connect(stack)
        with self.connection.cursor() as cursor:
            cursor.execute(UPSERT)

    def warm(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("EXECUTE upsert (%s, %s)", [self.first, self.share])

    def start(self, deadline: float) -> None:
        self.thread = threading.Thread(target=self._run, args=(deadline,))
        self.thread.start()

    def _run(self, deadline: float) -> None:
        offset = 0
        with contextlib.closing(self.connection), self.connection.cursor() as cursor:
            while time.perf_counter() < deadline:
                if offset + self.batch > self.share:
                    if self.share > 1000 and self.batch < self.share:
                        return  # all new rows are used up
                    offset = 0
                place = self.first + offset
                cursor.execute(f"EXECUTE upsert ({place}, {self.batch})")
                offset += self.batch
                self.done += self.batch


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
