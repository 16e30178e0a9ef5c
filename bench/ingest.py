"""How quick is the way in, beside Alertmanager and the database's own limit?

Each round measures every cell once, one side after the other in the same seconds:
we, with everything on until our backlog is gone; a fresh Alertmanager; PostgreSQL
alone. Every other round begins with Alertmanager, so that neither always follows the
other's disk writes. What differs between rounds is the machine's noise, and shown.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import backlog, cpu, limit, load
from bench.alertmanager import Alertmanager
from bench.figures import rate
from bench.load import ALL_MIXES, FAR, Load, Measured, Target
from tests.flows.world import World
from tests.stack import Stack

# Requests at a time for each batch size, as many senders would keep open.
CONNECTIONS = {1: 64, 10: 16, 100: 16, 1000: 4}
CELLS = [
    Load(batch, CONNECTIONS[batch], mix) for batch in CONNECTIONS for mix in ALL_MIXES
]
WARM = Load(10, 16, "90 %")
WARM_SECONDS = 2


@dataclass(frozen=True)
class Ours:
    """One round on our side. `cpu`: microseconds an alert, by process, until the
    backlog was gone. `drained`: seconds until then, None for never. `memory`: of the
    web processes afterwards, in MB."""

    measured: Measured
    cpu: dict[str, float]
    drained: float | None
    lost: int
    open: int
    memory: float


@dataclass(frozen=True)
class Round:
    """One cell, measured once on all sides."""

    ours: Ours
    theirs: Measured | None
    their_cpu: float
    limit: float

    @property
    def ratio(self) -> float:
        """Our rate as a part of Alertmanager's."""
        return self.ours.measured.rate / self.theirs.rate if self.theirs else 0.0

    @property
    def p95_ratio(self) -> float:
        return self.ours.measured.p95 / self.theirs.p95 if self.theirs else 0.0

    @property
    def of_limit(self) -> float:
        return self.ours.measured.rate / self.limit if self.limit else 0.0


Rounds = dict[Load, list[Round]]


def ours_of(world: World) -> Target:
    return Target(
        "AlertCenter", f"{world.stack.url}/t/{world.slug}/api/v2/alerts", world.key
    )


def measure(
    world: World,
    cells: Sequence[Load],
    rounds: int,
    seconds: int,
    until: float,
    *,
    with_limit: bool = True,
) -> Rounds:
    """Measure `rounds` times, but begin nothing after `until` (monotonic)."""
    ours = ours_of(world)
    if with_limit:
        limit.prepare(world.stack)
    load.run(ours, WARM, WARM_SECONDS, f"warm-{time.time_ns()}")
    backlog.drained(world.stack)
    found: Rounds = {cell: [] for cell in cells}
    for number in range(1, rounds + 1):
        for cell in cells:
            if time.monotonic() > until:
                return found
            theirs = beside(cell, seconds) if number % 2 == 0 else None
            first = one(world, ours, cell, seconds)
            theirs = theirs or beside(cell, seconds)
            most = of_database(world.stack, cell, seconds / 2) if with_limit else 0.0
            found[cell].append(Round(first, *theirs, most))
            tell(number, cell, found[cell][-1])
    return found


def one(world: World, target: Target, cell: Load, seconds: int) -> Ours:
    """Measure us once, and see to it that nothing is left to do or to find."""
    stack, stamp = world.stack, stamp_of(cell)
    known = primed(world, target, cell, stamp)
    before = cpu.of_stack(stack)
    measured = load.run(target, cell, seconds, stamp)
    drained = backlog.drained(stack)
    lost = backlog.lost(world, stamp, known + measured.alerts)
    spent = cpu.each(before, cpu.of_stack(stack), measured.alerts)
    memory = cpu.memory_mb(stack.pid_of("web"))
    return Ours(measured, spent, drained, lost, backlog.open_alerts(stack), memory)


def stamp_of(cell: Load) -> str:
    """Return what keeps a round's alerts apart; far repeats are the same in all."""
    return "eu-far" if cell.mix == FAR else f"eu-{time.time_ns()}"


def primed(world: World, target: Target, cell: Load, stamp: str) -> int:
    """See to it that what repeats is known; return how often it came in."""
    if known := backlog.said(world, stamp):
        return known
    load.prime(target, cell, stamp)
    backlog.drained(world.stack)
    return backlog.said(world, stamp)


def beside(cell: Load, seconds: int) -> tuple[Measured | None, float]:
    """Measure Alertmanager once, with nothing in it; and its microseconds an alert."""
    server, stamp = Alertmanager(), stamp_of(cell)
    with server as target:
        if target is None:
            return None, 0.0
        load.prime(target, cell, stamp)
        before = cpu.seconds(server.process.pid)
        measured = load.run(target, cell, seconds, stamp)
        spent = cpu.seconds(server.process.pid) - before
    return measured, spent / max(1, measured.alerts) * 1e6


def of_database(stack: Stack, cell: Load, seconds: float) -> float:
    """Return what two connections upsert in a second."""
    return limit.measure(
        stack, cell.batch, connections=2, mix=cell.mix, seconds=seconds
    )


def tell(number: int, cell: Load, found: Round) -> None:
    """Show on standard error that it goes on."""
    theirs = rate(found.theirs.rate) if found.theirs else "-"
    print(
        f"round {number}, {cell.name}: {rate(found.ours.measured.rate)}"
        f" beside {theirs} and {rate(found.limit)}",
        file=sys.stderr,
        flush=True,
    )
