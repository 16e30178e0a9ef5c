"""How much quicker are single alerts than with Alerta, which keeps them as we do?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench import ingest, load
from bench.alerta import Alerta
from bench.figures import milliseconds, rate, table, times
from bench.load import MIXES, Load, Measured
from bench.targets import Verdict
from tests.flows.world import World

LEAST = 50.0


@dataclass(frozen=True)
class Pair:
    """Both in the same seconds."""

    ours: Measured
    theirs: Measured

    @property
    def ratio(self) -> float:
        return self.ours.rate / self.theirs.rate if self.theirs.rate else 0.0


def measure(world: World, seconds: int) -> dict[str, Pair] | None:
    """Return both by mix, or None where Alerta cannot be run."""
    found = {}
    with Alerta(world.stack) as target:
        if target is None:
            return None
        for mix in MIXES:
            cell = Load(1, ingest.CONNECTIONS[1], mix)
            first = ingest.one(world, ingest.ours_of(world), cell, seconds).measured
            stamp = ingest.stamp_of(cell)
            load.prime(target, cell, stamp)
            second = load.run(target, cell, seconds, stamp)
            found[mix] = Pair(first, second)
    return found


def show(found: dict[str, Pair] | None) -> str:
    if found is None:
        return "\nAlerta could not be installed from PyPI or does not start: left out."
    rows = [
        [
            mix,
            rate(pair.ours.rate),
            milliseconds(pair.ours.p95),
            rate(pair.theirs.rate),
            milliseconds(pair.theirs.p95),
            str(pair.theirs.bad),
            times(pair.ratio),
        ]
        for mix, pair in found.items()
    ]
    head = ["mix", "alerts/s", "p95 ms", "Alerta/s", "p95 ms", "it refused", "ratio"]
    return table("Single alerts beside Alerta", head, rows)


def verdicts(found: dict[str, Pair] | None) -> Iterator[Verdict]:
    for mix, pair in (found or {}).items():
        yield Verdict(f"batch 1 {mix}: rate beside Alerta", LEAST, pair.ratio)
