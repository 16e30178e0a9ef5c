"""In which order is everything measured? Ten minutes at most; --full takes longer.

One installation with everything on serves all sections but the one with two web
processes. The rounds beside Alertmanager come last and take what time is left.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import (
    doors,
    fair,
    full,
    ingest,
    offered,
    reach,
    report,
    setting,
    singles,
    targets,
)
from bench.figures import machine
from bench.ingest import Rounds
from bench.load import ALL_MIXES, MIXES, Load
from bench.targets import Verdict
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World
from tests.stack import Stack

MOST_SECONDS = 600.0
# For the last cell, its backlog, and the stop of the installation.
LAST_SECONDS = 60.0
TWO_SECONDS = 130.0
SECTIONS = ("two", "reach", "doors", "alerta", "fair", "offered", "ingest", "long")


def main() -> int:
    """Measure, and print tables."""
    options = _options()
    if shutil.which("wrk") is None:
        print("bench: wrk is needed (Debian: apt-get install wrk).", file=sys.stderr)
        return 1
    print(f"AlertCenter, {machine()}", flush=True)
    # So that an installation never outlives the run that started it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()
    verdicts = Run(options, begun).everything()
    if verdicts:
        print(targets.show(verdicts), flush=True)
    if "long" in options.only:
        full.measure()
    print(f"\nTook {time.monotonic() - begun:.0f} s.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument(
        "--full", action="store_true", help="longer, and the long cases"
    )
    parser.add_argument("--only", action="append", choices=SECTIONS)
    parser.add_argument("--seconds", type=int, default=0, help="of each cell")
    parser.add_argument("--rounds", type=int, default=0, help="of each cell")
    parser.add_argument(
        "--batch", action="append", type=int, choices=list(ingest.CONNECTIONS)
    )
    parser.add_argument("--mix", action="append", choices=list(ALL_MIXES))
    options = parser.parse_args()
    options.seconds = options.seconds or (5 if options.full else 2)
    options.rounds = options.rounds or (5 if options.full else 3)
    if not options.mix:
        options.mix = list(ALL_MIXES if options.full else MIXES)
    if not options.only:
        options.only = SECTIONS if options.full else SECTIONS[:-1]
    return options


class Run:
    """One run: its sections print their tables and return what must hold."""

    def __init__(self, options: argparse.Namespace, begun: float) -> None:
        self.options, self.begun = options, begun
        self.cells = [
            cell
            for cell in ingest.CELLS
            if (not options.batch or cell.batch in options.batch)
            and cell.mix in options.mix
        ]

    def everything(self) -> list[Verdict]:
        """Measure all sections that are wanted."""
        wanted = set(self.options.only)
        verdicts: list[Verdict] = []
        if "two" in wanted:
            with installation(2) as (stack, slack):
                verdicts += self.on_two(setting.build(stack, slack))
        if not wanted - {"two", "long"}:
            return verdicts
        with installation(1) as (stack, slack):
            if "reach" in wanted:
                self.to_people(stack, slack)
            place = setting.build(stack, slack)
            if "doors" in wanted:
                verdicts += self.by_doors(place)
            if "alerta" in wanted:
                verdicts += self.beside_alerta(place)
            if "fair" in wanted:
                quiet = setting.build(stack, slack, "quiet")
                verdicts += self.fairly(place, quiet)
            if "offered" in wanted:
                verdicts += self.at_a_pace(place)
            return (self.in_rounds(place) if "ingest" in wanted else []) + verdicts

    def to_people(self, stack: Stack, slack: FakeSlack) -> None:
        place = world.build(stack, slack, "reach")
        number = 500 if self.options.full else 60
        print(reach.show(reach.measure(place, slack, number)), flush=True)

    def on_two(self, place: World) -> list[Verdict]:
        """Two web processes: the cells that have a target, one round."""
        judged = {(floor.batch, floor.mix) for floor in targets.FLOORS}
        cells = [cell for cell in self.cells if (cell.batch, cell.mix) in judged]
        until = self.begun + TWO_SECONDS
        rounds = self._rounds(place, cells, 1, until, with_limit=False)
        print(report.of_rates("Alerts in, with WEB_CONCURRENCY=2", rounds), flush=True)
        return list(targets.of_rounds(rounds, "2 web processes, "))

    def by_doors(self, place: World) -> list[Verdict]:
        found = doors.measure(place, 1, self.options.seconds)
        print(doors.show(found), flush=True)
        return list(doors.verdicts(found))

    def beside_alerta(self, place: World) -> list[Verdict]:
        found = singles.measure(place, self.options.seconds)
        print(singles.show(found), flush=True)
        return list(singles.verdicts(found))

    def fairly(self, loud: World, quiet: World) -> list[Verdict]:
        found = fair.measure(loud, quiet, 5 if self.options.full else 3)
        print(fair.show(found), flush=True)
        return list(fair.verdicts(found))

    def at_a_pace(self, place: World) -> list[Verdict]:
        """All mixes for a minute; in the short run one, for some seconds."""
        long = self.options.full
        cells = [one for one in offered.CELLS if long or one.mix == offered.QUICK]
        seconds = 60 if long else 6
        found = offered.measure(place, cells, seconds)
        print(offered.show(found, seconds), flush=True)
        return list(offered.verdicts(found))

    def in_rounds(self, place: World) -> list[Verdict]:
        until = self.begun + MOST_SECONDS - LAST_SECONDS
        rounds = self._rounds(place, self.cells, self.options.rounds, until)
        print(report.of_rates("Alerts in, answered after the commit", rounds))
        print(report.of_costs("What it costs", rounds))
        for gap in report.gaps(rounds, self.options.rounds):
            print(f"\n{gap}", flush=True)
        return [*targets.of_rounds(rounds), *targets.of_answers(rounds)]

    def _rounds(
        self,
        place: World,
        cells: list[Load],
        number: int,
        until: float,
        *,
        with_limit: bool = True,
    ) -> Rounds:
        return ingest.measure(
            place,
            cells,
            number,
            self.options.seconds,
            float("inf") if self.options.full else until,
            with_limit=with_limit,
        )


@contextmanager
def installation(web: int) -> Iterator[tuple[Stack, FakeSlack]]:
    """A private installation with all its processes, which ends with the block.

    `web`: how many processes take requests.
    """
    stack = Stack(WEB_CONCURRENCY=str(web))
    try:
        stack.start()
        with FakeSlack() as slack:
            yield stack, slack
            stack.stop()
    finally:
        stack.remove()


if __name__ == "__main__":
    sys.exit(main())
