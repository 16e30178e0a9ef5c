"""How does one run go: begin, load and faults, calm, reading, checking?"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import psycopg2

from tests.chaos import checker, record
from tests.chaos.checker import Findings
from tests.chaos.cluster import Cluster
from tests.chaos.load import Load
from tests.chaos.nemesis import SHORT, Nemesis, Pace
from tests.chaos.record import Record
from tests.chaos.world import build

SHORT_RUN = 240.0
# After so long in calm what waits for its next try is hurried, as an operator would.
HURRY_SECONDS = 40.0
CALM_SECONDS = 150.0
MEMORY_EACH = 5.0

OPEN = """
SELECT (SELECT count(*) FROM feed WHERE shard >= 0)
  + (SELECT count(*) FROM due_step WHERE state = 'due')
  + (SELECT count(*) FROM delivery WHERE next_at IS NOT NULL
     AND state IN ('pending', 'leased', 'ambiguous'))
"""
HURRY = (
    "UPDATE destination SET open_at = now(), asked_until = now(), failures = 0",
    "UPDATE delivery SET next_at = now() WHERE state IN ('pending', 'ambiguous')"
    " AND next_at > now()",
)
DONE = "SELECT count(*) FROM due_step WHERE state = 'done'"


@dataclass(frozen=True)
class Order:
    """What is asked for: at least so many steps, within so many seconds."""

    steps: int
    seconds: float
    seed: int
    faults: bool = True
    keep: bool = False

    @property
    def pace(self) -> Pace:
        return SHORT if self.seconds <= SHORT_RUN else Pace()


@dataclass(frozen=True)
class Result:
    """One run and what the checker says of it."""

    order: Order
    record: Record
    findings: Findings
    seconds: float
    folder: str


def run(order: Order, say: Callable[[str], None] = print) -> Result:
    """Do it all; leaves no process behind."""
    chance = random.Random(order.seed)
    say(f"seed {order.seed}: {order.steps} steps wanted in {order.seconds:.0f} s")
    cluster = Cluster(chance.randrange(1 << 30))
    memory: dict[str, int] = {}
    try:
        with cluster:
            world = build(cluster, chance)
            say(f"up: {cluster.base}; policies of {world.pages:.1f} pages")
            begun = time.monotonic()
            # Acts end some runs early: about a quarter of the steps are never due.
            rate = order.steps / order.seconds / world.pages * 1.3
            load = Load(cluster, world, seed=chance.randrange(1 << 30), rate=rate)
            nemesis = Nemesis(cluster, seed=chance.randrange(1 << 30), pace=order.pace)
            watch = Watch(cluster, memory)
            watch.start()
            load.start()
            if order.faults:
                nemesis.start()
            try:
                go_on(cluster, order, begun, nemesis, say)
                load.no_more()
                if order.faults:
                    nemesis.stop()
                calm_down(cluster, load, say)
            finally:
                nemesis.heal()  # also after Ctrl-C: what is stopped could not end
                load.stop()
                watch.stop()
            seconds = time.monotonic() - begun
            errors = record.errors_in(cluster.logs())
            facts = record.collect(cluster, world, memory=memory, errors=errors)
            if order.keep:
                text = json.dumps(asdict(facts), indent=0)
                (cluster.base / "record.json").write_text(text)
        findings = checker.check(facts)
        return Result(order, facts, findings, seconds, str(cluster.base))
    finally:
        if not order.keep:
            cluster.remove()


def go_on(
    cluster: Cluster,
    order: Order,
    begun: float,
    nemesis: Nemesis,
    say: Callable[[str], None],
) -> None:
    """Wait until enough was done, or time is up."""
    told = 0.0
    while (spent := time.monotonic() - begun) < order.seconds * 1.25:
        time.sleep(1.0)
        try:
            ((done,),) = cluster.sql(DONE)
        except psycopg2.Error:
            continue
        if spent - told >= 15:
            told = spent
            say(f"{spent:4.0f} s: {done} steps, {nemesis.count} faults")
        if done >= order.steps:
            return


def calm_down(cluster: Cluster, load: Load, say: Callable[[str], None]) -> None:
    """Wait until nothing is open any more: all that was due has been done."""
    begun, hurried = time.monotonic(), False
    while (spent := time.monotonic() - begun) < CALM_SECONDS:
        ((left,),) = cluster.patient_sql(OPEN)
        if not left and load.waiting.empty():
            time.sleep(1.0)
            if cluster.patient_sql(OPEN) == [(0,)]:
                break
        if spent > HURRY_SECONDS and not hurried:
            hurried = True
            say(f"after {spent:.0f} s of calm {left} are open: tries are hurried")
            for statement in HURRY:
                cluster.patient_sql(statement)
        time.sleep(0.5)
    say(f"calm after {time.monotonic() - begun:.0f} s")


class Watch(threading.Thread):
    """Notes the most memory that each process took, and which processes there were."""

    def __init__(self, cluster: Cluster, most: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self.cluster, self.most, self.ending = cluster, most, threading.Event()

    def run(self) -> None:
        while not self.ending.wait(MEMORY_EACH):
            self.cluster.note_processes()
            for name, megabytes in self.cluster.memory().items():
                self.most[name] = max(self.most.get(name, 0), megabytes)

    def stop(self) -> None:
        self.ending.set()
        self.join(10)
