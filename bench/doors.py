"""How quick are the documented endpoint and our own JSON? Batches of 100."""

from __future__ import annotations

from collections.abc import Iterator

from bench import forms, ingest
from bench.figures import middle, milliseconds, rate, spread, table
from bench.ingest import Ours
from bench.load import MIXES, Load, Target
from bench.targets import Verdict
from tests.flows.world import World

BATCH = 100
DOCUMENTED = "/api/v1/alerts"
DOORS = {DOCUMENTED: "documented, through DRF", "/api/v1/events": "own JSON"}
LEAST_DOCUMENTED = 20_000

Found = dict[tuple[str, str], list[Ours]]


def measure(world: World, rounds: int, seconds: int) -> Found:
    """Measure each door with each mix, alternating."""
    found: Found = {(path, mix): [] for path in DOORS for mix in MIXES}
    for _ in range(rounds):
        for path, mix in found:
            cell = Load(BATCH, ingest.CONNECTIONS[BATCH], mix)
            url = f"{world.stack.url}/t/{world.slug}{path}"
            target = Target(path, url, world.key, forms.OWN)
            found[path, mix].append(ingest.one(world, target, cell, seconds))
    return found


def show(found: Found) -> str:
    rows = [
        [
            f"{path} ({DOORS[path]})",
            mix,
            spread([one.measured.rate for one in ours], rate),
            *(
                milliseconds(middle([getattr(one.measured, name) for one in ours]))
                for name in ("p50", "p95", "p99")
            ),
            f"{middle([sum(one.cpu.values()) for one in ours]):.0f}",
            str(sum(one.measured.bad for one in ours)),
            str(sum(one.lost for one in ours)),
        ]
        for (path, mix), ours in found.items()
    ]
    head = ["door", "mix", "alerts/s", "p50 ms", "p95 ms", "p99 ms"]
    head += ["µs of processor", "refused", "lost"]
    return table(f"Other doors, batches of {BATCH}", head, rows)


def verdicts(found: Found) -> Iterator[Verdict]:
    for (path, mix), ours in found.items():
        if path == DOCUMENTED:
            value = middle([one.measured.rate for one in ours])
            what = f"batch {BATCH} {mix}: documented endpoint, alerts/s"
            yield Verdict(what, LEAST_DOCUMENTED, value, show=rate)
