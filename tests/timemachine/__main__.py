"""One simulated year: live through it, reckon it anew, compare, print a table."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass

from tests.timemachine import clock as clocks
from tests.timemachine.checker import Checker, Disagreement, compare, counted
from tests.timemachine.making import make
from tests.timemachine.wall import changes
from tests.timemachine.world import BEGIN, World

SHOWN = 40


@dataclass
class Figures:
    """What the run came to."""

    seed: int
    incidents: int
    acts: int
    steps: int
    pages: int
    disagreements: int
    gaps: int
    repeated: int
    turns: int
    pulled: int
    lapsed: int
    held: int
    clock_changes: int
    zones: int
    simulated_days: float
    stops: int
    wall_seconds: float


def main() -> int:
    """Run; 0 when the product and the checker agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.timemachine")
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()
    world = make(options.seed, options.incidents)
    clock = clocks.start(BEGIN)
    import django

    django.setup()
    # Django's models can be imported from here on only.
    from tests.servers import SERVERS
    from tests.timemachine import reading
    from tests.timemachine.driver import Driver, superuser

    year = Driver(world, clock).go(lambda line: print(line, flush=True))
    with superuser(SERVERS) as cursor:
        pages, said = reading.pages(cursor, year), reading.said(cursor, year)
    lived = time.monotonic() - begun
    wanted = Checker(world).reckon(reading.acts(year), said)
    found = compare(wanted, pages, said)
    figures = Figures(
        seed=options.seed,
        incidents=len(year.groups),
        acts=len(year.ledger) - len(year.groups),
        steps=len(said),
        pages=len(pages),
        disagreements=len(found),
        gaps=len(wanted.gaps),
        repeated=wanted.counts["repeated"],
        turns=wanted.counts["turns"],
        pulled=wanted.counts["pulled"],
        lapsed=wanted.counts["lapsed"],
        held=wanted.counts["held"],
        clock_changes=sum(
            len(changes(zone, BEGIN, clock.now)) for zone in world.zones()
        ),
        zones=len(world.zones()),
        simulated_days=round((clock.now - BEGIN).total_seconds() / 86400, 1),
        stops=year.stops,
        wall_seconds=round(time.monotonic() - begun, 1),
    )
    report(world, figures, found, wanted.gaps)
    spent = ", ".join(f"{k} {v:.0f} s" for k, v in year.spent.items())
    print(f"lived {lived:.0f} s: {spent}")
    if options.json:
        print("FIGURES " + json.dumps(asdict(figures)))
    complete = figures.incidents == options.incidents
    return 0 if complete and not found else 1


def report(
    world: World, figures: Figures, found: list[Disagreement], gaps: list
) -> None:
    """Print the table, the gaps by schedule, and the first disagreements."""
    for name, value in asdict(figures).items():
        print(f"  {name.replace('_', ' '):<20} {value:>10}")
    if gaps:
        tenants = {one.key: one.tenant for one in world.incidents}
        print("gaps (steps that met nobody), by schedule:")
        counts = Counter((tenants[key], schedule) for key, schedule, _at in gaps)
        for (tenant, schedule), number in sorted(counts.items()):
            moments = sorted(
                at for k, s, at in gaps if (tenants[k], s) == (tenant, schedule)
            )
            print(
                f"  {tenant:<8} {schedule:<22} {number:>6}   first "
                f"{moments[0]:%F %H:%M:%S}, last {moments[-1]:%F %H:%M:%S} UTC"
            )
    if found:
        print(
            "disagreements: " + ", ".join(f"{n} {k}" for k, n in counted(found).items())
        )
        for one in found[:SHOWN]:
            print(f"  {one}")


if __name__ == "__main__":
    sys.exit(main())
