"""Is a page never late, however much is due?

`python -m bench.escalation` (three minutes at most; `--full`: the whole): how late
steps are claimed with many open runs; how quickly many drain that fall due at once, and
how late another tenant's single steps among them are; and how long "who is on call?"
takes. Rates are what a machine gives that others use, too; the processor's time each
step costs is not. Beside the drain stands what PostgreSQL itself does of it: claim,
mark, write the outbox and the next step, in plain SQL over the same tables without
row-level security.
Dispatchers are real processes; nothing leaves, as the channel takes no messages.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import cpu, limit
from bench.escalation_fill import Due, clear, fill, settle
from bench.figures import machine, percentile, rate, table
from bench.rotas import rotas
from bench.targets import Verdict
from bench.targets import show as show_verdicts
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World
from tests.stack import Stack

RUNS, RATE, SECONDS = 100_000, 1_000, 60
BURST = 100_000
QUICK = {"runs": 20_000, "seconds": 20, "burst": 20_000}
# Half of the groups were told of before: their messages are redrawn, too.
TOLD = 50
LEAD = 15.0  # seconds from the fill until the first step is due
MOST_P99, MOST_OTHER, LEAST_DRAIN = 2.0, 2.0, 10_000
PATIENCE = 300.0
PAUSE = 0.2

LATE = """
SELECT extract(epoch FROM done_at - due_at)::float8 FROM due_step
WHERE tenant_id = {t} AND state = 'done' AND done_at > now() - interval '1 hour'
"""
OLDEST = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0)::float8
FROM due_step WHERE state = 'due' AND due_at <= clock_timestamp()
"""
REMAIN = """
SELECT EXISTS (SELECT FROM due_step WHERE state = 'due' AND due_at <= now()
  AND tenant_id = {t})
"""
SPENT = """
SELECT count(*), extract(epoch FROM max(done_at) - min(due_at))::float8 FROM due_step
WHERE tenant_id = {t} AND state = 'done'
"""


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.escalation")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--burst", type=int)
    parser.add_argument("--told", type=int, default=TOLD, help="percent")
    parser.add_argument("--dispatchers", type=int, default=2, help="at a steady pace")
    parser.add_argument("--only", action="append", choices=("pace", "burst", "rota"))
    options = parser.parse_args()
    whole = {"runs": RUNS, "seconds": SECONDS, "burst": BURST}
    for name, value in (whole if options.full else QUICK).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    wanted = options.only or ["pace", "burst", "rota"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()
    print(f"AlertCenter, {machine()}", flush=True)
    verdicts: list[Verdict] = []
    with installed() as place:
        if "rota" in wanted:
            verdicts += rotas(place)
        if "pace" in wanted:
            verdicts += steadily(place, options)
        if "burst" in wanted:
            verdicts += at_once(place, options.burst)
    print(show_verdicts(verdicts))
    print(f"\nTook {time.monotonic() - begun:.0f} s.")
    return 0


@contextmanager
def installed() -> Iterator[World]:
    stack = Stack()
    try:
        stack.start()
        with FakeSlack() as slack:
            place = world.build(stack, slack, "bench")
            # Nothing is sent: its place is closed.
            stack.kill("worker", signal.SIGSTOP)
            try:
                yield place
            finally:
                stack.kill("worker", signal.SIGCONT)
            stack.stop()
    finally:
        stack.remove()


@contextmanager
def dispatchers(place: World, number: int) -> Iterator[list[int]]:
    """Run so many of them, and yield their pids; the installation has one."""
    stack = place.stack
    others = [stack.run("dispatch") for _ in range(1, number)]
    try:
        yield [stack.pid_of("dispatcher"), *(other.pid for other in others)]
    finally:
        for other in others:
            other.terminate()
        for other in others:
            other.wait(30)


@contextmanager
def held(pids: list[int]) -> Iterator[None]:
    """Keep dispatchers still: their auditor would take what is filled in pieces (a run
    whose step is yet to come) for what was lost, and mend it."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


# --- at a steady pace ---


def steadily(place: World, options: argparse.Namespace) -> list[Verdict]:
    """How late are steps claimed at so many a second?"""
    every = max(1, options.runs // options.rate)
    due = Due(LEAD, 1 / options.rate)
    with dispatchers(place, options.dispatchers) as pids:
        with held(pids):
            fill(place, options.runs, every=every, due=due, told=options.told)
            settle(place)
        # Whoever filled for longer than the lead has made a backlog of his own.
        place.rows("""UPDATE due_step SET due_at = due_at + (now() + interval '15 s'
            - (SELECT min(due_at) FROM due_step)) WHERE tenant_id = {t}""")
        before = spent_by(place.stack, pids)
        oldest: list[float] = []
        ends = time.monotonic() + LEAD + options.seconds
        while time.monotonic() < ends:
            time.sleep(PAUSE)
            oldest.append(float(place.rows(OLDEST)[0][0]))
        late = [row[0] for row in place.rows(LATE)]
        after = spent_by(place.stack, pids)
    rows = [
        ["steps carried out", f"{len(late):,}", f"{options.rate * options.seconds:,}"],
        *(
            [f"claimed after, p{int(p * 100)}", f"{percentile(late, p):.3f} s", ""]
            for p in (0.5, 0.95)
        ),
        ["claimed after, p99", f"{percentile(late, 0.99):.3f} s", f"{MOST_P99} s"],
        ["claimed after, at most", f"{max(late, default=0):.3f} s", ""],
        ["oldest that waited, sampled", f"{max(oldest, default=0):.3f} s", ""],
        *(
            [
                f"{name}, of a core",
                f"{(after[name] - before[name]) / (LEAD + options.seconds):.2f}",
                "",
            ]
            for name in after
        ),
    ]
    title = (
        f"{options.runs:,} open runs, {options.rate:,} steps a second, "
        f"{options.dispatchers} dispatchers"
    )
    print(table(title, ["", "found", "asked"], rows), flush=True)
    clear(place)
    wanted = 0.95 * options.rate * options.seconds
    p99 = percentile(late, 0.99) if len(late) >= wanted else float("inf")
    return [Verdict("lateness p99, s", MOST_P99, p99, False, lambda x: f"{x:.2f}")]


def spent_by(stack: Stack, pids: list[int]) -> dict[str, float]:
    """Return seconds of processor by process."""
    return {
        "postgres": cpu.seconds(stack.pid_of("postgres")),
        "dispatchers": sum(map(cpu.seconds, pids)),
    }


# --- all at once ---


@dataclass(frozen=True)
class Drained:
    """How quickly a burst was carried out, and how late the others among it were."""

    rate: float
    others: list[float]
    cpu: float  # microseconds a step, of PostgreSQL and all dispatchers


def at_once(place: World, burst: int) -> list[Verdict]:
    """How quickly does a burst drain, and who waits for it?"""
    with FakeSlack() as slack:
        other = world.build(place.stack, slack, "other")
    found, limits = {}, {}
    for number in (1, 2):
        with dispatchers(place, number) as pids:
            found[number] = drained(place, other, burst, pids)
        clear(place)
        limits[number] = raw(place, burst, number)
    rows = [
        [
            str(number),
            rate(one.rate),
            rate(limits[number]),
            f"{one.rate / limits[number]:.2f}",
            f"{max(one.others, default=float('inf')):.2f}",
            f"{one.cpu:.0f}",
        ]
        for number, one in found.items()
    ]
    head = ["dispatchers", "steps/s", "plain SQL/s", "ratio", "other tenant late, s"]
    head.append("processor, µs a step")
    print(table(f"{burst:,} steps due at once", head, rows), flush=True)
    best = max(one.rate for one in found.values())
    worst = max(max(one.others, default=float("inf")) for one in found.values())
    return [
        Verdict("steps/s of a burst", LEAST_DRAIN, best, show=rate),
        Verdict(
            "another's step, s late", MOST_OTHER, worst, False, lambda x: f"{x:.2f}"
        ),
    ]


def drained(place: World, other: World, burst: int, pids: list[int]) -> Drained:
    """Let a burst fall due, and one step a second of another tenant."""
    with held(pids):
        fill(place, burst, every=3600, due=Due(3600))
        fill(other, 10, every=3600, due=Due(3600, 1.0))
        settle(place)
    lead = "now() + interval '2 s'"
    place.rows(
        f"UPDATE due_step d SET due_at = {lead} + CASE WHEN tenant_id = {{t}} THEN "
        "interval '0' ELSE d.due_at - (SELECT min(due_at) FROM due_step x "
        "WHERE x.tenant_id = d.tenant_id) END"
    )
    before = spent_by(place.stack, pids)
    begun, waits = time.monotonic(), True
    while time.monotonic() - begun < PATIENCE:
        time.sleep(PAUSE)
        done = place.rows(
            "SELECT EXISTS (SELECT FROM due_step WHERE state = 'done' "
            "AND tenant_id = {t})"
        )
        waits = bool(place.rows(REMAIN)[0][0])
        if done[0][0] and not waits:
            break
    until = time.monotonic() + 3
    while other.rows(REMAIN)[0][0] and time.monotonic() < until:
        time.sleep(PAUSE)
    count, spent = place.rows(SPENT)[0]
    if waits:
        print(f"Only {count:,} within {PATIENCE:.0f} s.", flush=True)
        spent = PATIENCE
    after = spent_by(place.stack, pids)
    cost = (sum(after.values()) - sum(before.values())) / max(count, 1) * 1e6
    late = [row[0] for row in other.rows(LATE)]
    return Drained(count / max(spent, 0.001), late, cost)


# --- what PostgreSQL itself can do ---

RAW_SETUP = """
DROP SCHEMA IF EXISTS raw CASCADE;
CREATE SCHEMA raw;
CREATE TABLE raw.due_step (LIKE public.due_step INCLUDING ALL);
CREATE TABLE raw.delivery (LIKE public.delivery INCLUDING ALL);
INSERT INTO raw.due_step (tenant_id, run_id, group_id, position, round, due_at, state,
  attempts, error)
SELECT '01900000-0000-7000-8000-000000000001', uuidv7(), uuidv7(), 0, 1, now(), 'due',
  0, '' FROM generate_series(1, %s) n;
"""
RAW = """
WITH due AS (
  SELECT id, tenant_id, run_id, group_id FROM raw.due_step
  WHERE state = 'due' AND due_at <= now() ORDER BY due_at
  LIMIT 1000 FOR UPDATE SKIP LOCKED
), done AS (
  UPDATE raw.due_step d SET state = 'done', done_at = now() FROM due
  WHERE d.id = due.id RETURNING d.id
), coming AS (
  INSERT INTO raw.due_step (tenant_id, run_id, group_id, position, round, due_at,
    state, attempts, error)
  SELECT tenant_id, run_id, group_id, 1, 1, now() + interval '1 hour', 'due', 0, ''
  FROM due
), out AS (
  INSERT INTO raw.delivery (tenant_id, idem, lane, destination, kind, channel_id,
    channel_kind, address, group_id, message, severity, state, fence, attempts,
    provider_id, error, correlation_id, put_off, next_at)
  SELECT tenant_id, run_id || '/0/1', 'lane:' || group_id, 'place', 'page', tenant_id,
    'slack', '', group_id, %s, 3, 'pending', 0, 0, '', '', '', false, now() FROM due
)
SELECT count(*) FROM done
"""


def raw(place: World, burst: int, connections: int) -> float:
    """Return steps a second of plain SQL on so many connections."""
    stack = place.stack
    stack.sql(RAW_SETUP, [burst])
    stack.sql("VACUUM ANALYZE raw.due_step")
    message = json.dumps({"title": "Latency is high on web-1", "rest": "x" * 900})
    counts: list[int] = []

    def work() -> None:
        with contextlib.closing(limit.connect(stack)) as own, own.cursor() as cursor:
            while True:
                cursor.execute(RAW, [message])
                done = cursor.fetchone()[0]
                if not done:
                    return
                counts.append(done)

    hands = [threading.Thread(target=work) for _ in range(connections)]
    begun = time.perf_counter()
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    spent = time.perf_counter() - begun
    stack.sql("DROP SCHEMA raw CASCADE")
    return sum(counts) / spent


if __name__ == "__main__":
    os.environ.setdefault("ALERTCENTER_ENV", "test")
    sys.exit(main())
