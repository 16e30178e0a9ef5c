"""Does it hold 10,000 alerts a second, offered steadily? Nothing lost, memory flat."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench import backlog, cpu, forms, ingest, pace
from bench.cpu import PROCESSES
from bench.figures import milliseconds, rate, table
from bench.load import Load
from bench.targets import Verdict
from tests.flows.world import World

RATE = 10_000
MOST_P95 = 100.0
MOST_DRAIN = 5.0
# A process that grows by less than a tenth in the second half is at its size.
MOST_GROWTH = 1.1
# What repeats first; what leaves most behind last.
CELLS = [
    Load(batch, ingest.CONNECTIONS[batch], mix)
    for mix in ("repeats", "90 %", "new")
    for batch in (1, 100)
]
QUICK = "90 %"


@dataclass(frozen=True)
class Offered:
    """One cell. `memory`: of the web processes, in MB, before, half-way and after."""

    told: pace.Told
    memory: tuple[float, float, float]
    drained: float | None
    lost: int
    cpu: dict[str, float]

    @property
    def unkept(self) -> int:
        """Alerts that were due and are not there: unsent, refused, broken or lost."""
        told = self.told
        return told.unsent + told.refused + told.broken + self.lost


Found = dict[Load, Offered]


def measure(world: World, cells: Sequence[Load], seconds: int) -> Found:
    return {cell: one(world, cell, seconds) for cell in cells}


def one(world: World, cell: Load, seconds: int) -> Offered:
    """Offer `cell` for so long, and see what became of it."""
    stack, stamp, target = world.stack, ingest.stamp_of(cell), ingest.ours_of(world)
    known = ingest.primed(world, target, cell, stamp)
    form = forms.stamped(target.form, stamp)
    order = pace.Order(
        target.url,
        world.key,
        form,
        cell.batch,
        cell.mix,
        RATE,
        seconds,
        cell.connections,
    )
    web = stack.pid_of("web")
    before, first = cpu.of_stack(stack), cpu.memory_mb(web)
    process = pace.begin(order)
    time.sleep(seconds / 2)
    half = cpu.memory_mb(web)
    told = pace.told(process, order)
    memory = (first, half, cpu.memory_mb(web))
    drained = backlog.drained(stack)
    lost = backlog.lost(world, stamp, known + told.answered)
    spent = cpu.each(before, cpu.of_stack(stack), told.answered)
    return Offered(told, memory, drained, lost, spent)


def show(found: Found, seconds: int) -> str:
    rows = [
        [
            cell.name,
            rate(one.told.answered / seconds),
            *map(milliseconds, (one.told.p50, one.told.p95, one.told.p99)),
            *map(str, (one.told.unsent, one.told.refused, one.told.broken, one.lost)),
            "not in 60" if one.drained is None else milliseconds(one.drained),
            " / ".join(f"{value:.0f}" for value in one.memory),
            *(f"{one.cpu[name]:.0f}" for name in PROCESSES),
            f"{one.told.cpu / seconds:.2f}",
        ]
        for cell, one in found.items()
    ]
    head = ["batch, mix", "answered/s", "p50 ms", "p95 ms", "p99 ms"]
    head += ["unsent", "refused", "broken", "lost", "drained in s", "web MB"]
    head += [f"{name} µs" for name in PROCESSES]
    head.append("sender, of a core")
    return table(f"Offered {rate(RATE)} alerts/s for {seconds} s", head, rows)


def verdicts(found: Found) -> Iterator[Verdict]:
    for cell, one in found.items():
        what = f"offered {rate(RATE)}/s, batch {cell.name}: "
        yield Verdict(f"{what}not kept", 0, one.unkept, least=False, show=rate)
        p95 = one.told.p95
        yield Verdict(f"{what}p95 ms", MOST_P95, p95, least=False, show=milliseconds)
        drained = backlog.PATIENCE if one.drained is None else one.drained
        yield Verdict(
            f"{what}backlog gone after, s", MOST_DRAIN, drained, False, milliseconds
        )
        growth = one.memory[2] / one.memory[1]
        yield Verdict(f"{what}memory, second half", MOST_GROWTH, growth, least=False)
