"""How long from an accepted alert to its page and to the screens, at a steady rate?

`python -m bench.downstream --rate 10000 --seconds 20 --mix new --batch 100`. A second
tenant is the probe: it sends an alert of a new group five times a second, and its
times are the database's: from the transition to the delivery and the stored frame.
"""

from __future__ import annotations

import argparse
import time

from bench import cpu, ingest, offered, pace, setting
from bench.backlog import drained
from bench.figures import milliseconds, percentile
from bench.forms import stamped
from bench.load import ALL_MIXES, Load
from tests.fakes.slack import FakeSlack
from tests.flows import world as worlds
from tests.flows.world import World
from tests.stack import Stack

EVERY_SECONDS = 0.2
# Waits from the transition that opened an alert to what follows in the same tenant.
WAITS = """
SELECT extract(epoch FROM d.at - t.at) * 1000 FROM transition t
JOIN group_alert m ON m.tenant_id = t.tenant_id AND m.alert_id = t.alert_id
CROSS JOIN LATERAL ({found}) d
WHERE t.tenant_id = {{t}} AND t.kind = 'opened' AND d.at IS NOT NULL
"""
PAGED = (
    "SELECT min(created_at) AS at FROM delivery WHERE tenant_id = t.tenant_id "
    "AND group_id = m.group_id AND kind = 'page'"
)
SHOWN = (
    "SELECT min(at) AS at FROM live WHERE tenant_id = t.tenant_id AND at >= t.at "
    "AND strpos(frame::text, m.group_id::text) > 0"
)


def probe(world: World, seconds: float) -> None:
    """Send one alert of a new group every EVERY_SECONDS."""
    begun = time.monotonic()
    for turn in range(int(seconds / EVERY_SECONDS)):
        time.sleep(max(0.0, begun + turn * EVERY_SECONDS - time.monotonic()))
        world.fire(f"Probe{turn}")


def waits(world: World, found: str) -> list[float]:
    rows = world.rows(WAITS.format(found=found))
    return sorted(float(row[0]) for row in rows)


def run(storm: World, quiet: World, cell: Load, rate: int, seconds: int) -> None:
    """Offer the storm, probe beside it, print what was found."""
    stack, stamp, target = storm.stack, ingest.stamp_of(cell), ingest.ours_of(storm)
    ingest.primed(storm, target, cell, stamp)
    order = pace.Order(
        target.url,
        storm.key,
        stamped(target.form, stamp),
        cell.batch,
        cell.mix,
        rate,
        seconds,
        cell.connections,
    )
    before = cpu.of_stack(stack)
    process = pace.begin(order)
    probe(quiet, seconds)
    told = pace.told(process, order)
    emptied = drained(stack)
    spent = cpu.each(before, cpu.of_stack(stack), max(told.answered, 1))
    print(f"answered {told.answered}, unsent {told.unsent}, p95 {told.p95:.1f} ms")
    for what, found in (("delivery", PAGED), ("frame", SHOWN)):
        taken = waits(quiet, found)
        ends = [milliseconds(percentile(taken, part)) for part in (0.5, 0.95, 1.0)]
        print(f"probe to {what}: {len(taken)} seen, p50 p95 max ms: {' '.join(ends)}")
    print("feed empty after s:", "not in 60" if emptied is None else f"{emptied:.1f}")
    print("µs an alert:", {name: round(value) for name, value in spent.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=offered.RATE)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--mix", choices=sorted(ALL_MIXES), default="new")
    parser.add_argument("--batch", type=int, choices=(1, 100), default=100)
    given = parser.parse_args()
    cell = Load(given.batch, ingest.CONNECTIONS[given.batch], given.mix)
    stack = Stack()
    try:
        stack.start()
        with FakeSlack() as slack:
            storm = setting.build(stack, slack)
            quiet = worlds.build(stack, slack, "quiet")
            run(storm, quiet, cell, given.rate, given.seconds)
    finally:
        stack.remove()


if __name__ == "__main__":
    main()
