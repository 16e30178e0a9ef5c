"""Does one tenant's flood make another wait?

A quiet tenant sends 50 new alerts a second, one a request: first alone, then while
another sends all it can in batches of 100 on 16 connections.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from bench import backlog, forms, ingest, load, pace
from bench.figures import milliseconds, rate, table
from bench.load import Load, Measured
from bench.targets import Verdict
from tests.flows.world import World

QUIET_RATE = 50
FLOODS = [Load(100, 16, "repeats"), Load(100, 16, "new")]
# Two cores are shared with the flood's own sender: what it leaves of them is not ours
# to give. More than this is felt by nobody, and less is no promise.
MOST_P95 = 50.0


@dataclass(frozen=True)
class Shared:
    """The quiet tenant's times, and the flood beside it, if any."""

    told: pace.Told
    flood: Measured | None


Found = dict[str, Shared]


def measure(loud: World, quiet: World, seconds: int) -> Found:
    found = {"alone": Shared(_quietly(quiet, seconds), None)}
    for flood in FLOODS:
        found[f"beside {flood.name}"] = _beside(loud, quiet, flood, seconds)
        backlog.drained(loud.stack)
    return found


def _beside(loud: World, quiet: World, flood: Load, seconds: int) -> Shared:
    target, stamp = ingest.ours_of(loud), ingest.stamp_of(flood)
    load.prime(target, flood, stamp)
    flooded: list[Measured] = []
    other = threading.Thread(
        target=lambda: flooded.append(load.run(target, flood, seconds + 1, stamp))
    )
    other.start()
    told = _quietly(quiet, seconds)
    other.join()
    return Shared(told, flooded[0])


def _quietly(quiet: World, seconds: int) -> pace.Told:
    cell = Load(1, 4, "new")
    target = ingest.ours_of(quiet)
    order = pace.Order(
        target.url,
        quiet.key,
        forms.stamped(target.form, ingest.stamp_of(cell)),
        cell.batch,
        cell.mix,
        QUIET_RATE,
        seconds,
        cell.connections,
    )
    return pace.told(pace.begin(order), order)


def show(found: Found) -> str:
    rows = [
        [
            name,
            *map(milliseconds, (one.told.p50, one.told.p95, one.told.p99)),
            str(one.told.unsent + one.told.refused + one.told.broken),
            rate(one.flood.rate) if one.flood else "-",
        ]
        for name, one in found.items()
    ]
    head = ["a quiet tenant", "p50 ms", "p95 ms", "p99 ms", "not kept"]
    head.append("the other's alerts/s")
    return table("Fairness: 50 alerts a second beside a flood", head, rows)


def verdicts(found: Found) -> Iterator[Verdict]:
    for name, one in found.items():
        if one.flood is None:
            continue
        yield Verdict(
            f"a quiet tenant's p95 {name}, ms",
            MOST_P95,
            one.told.p95,
            least=False,
            show=milliseconds,
        )
