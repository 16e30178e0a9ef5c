"""In which order is everything measured? Ten minutes at most; --full takes longer."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from bench import limit, load, reach
from bench.alertmanager import Alertmanager
from bench.figures import machine, percentile, rate, ratio, table
from bench.load import Load, Measured, Target
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.stack import Stack

# Requests at a time for each batch size, as many senders would keep open.
CONNECTIONS = {1: 64, 10: 16, 100: 16, 1000: 4}
Found = TypeVar("Found")
KINDS = {True: "new", False: "repeats"}


def main() -> int:
    """Measure, and print tables."""
    options = _options()
    if shutil.which("wrk") is None:
        print("bench: wrk is needed (Debian: apt-get install wrk).", file=sys.stderr)
        return 1
    print(f"AlertCenter, {machine()}")
    begun = time.monotonic()
    measure_reach(60 if not options.full else 500)
    measure_ingest(options.seconds)
    print(f"\nTook {time.monotonic() - begun:.0f} s.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--full", action="store_true", help="longer, steadier figures")
    parser.add_argument("--seconds", type=float, default=0, help="of each cell")
    options = parser.parse_args()
    options.seconds = options.seconds or (20.0 if options.full else 4.0)
    return options


# --- from the answer to Slack and to a browser ---


def measure_reach(number: int) -> None:
    """With the whole installation running."""

    def measured(stack: Stack) -> reach.Reached:
        with FakeSlack() as slack:
            place = world.build(stack, slack, "bench")
            return reach.measure(place, slack, number)

    found = with_stack(measured)
    rows = [
        [name, *(f"{percentile(values, p):.0f}" for p in (0.5, 0.95, 0.99)), arrived]
        for name, values, arrived in (
            ("Slack", found.slack, f"{len(found.slack)} of {found.sent}"),
            ("browser", found.browser, f"{len(found.browser)} of {found.sent}"),
        )
    ]
    head = ["from 2xx to", "p50 ms", "p95 ms", "p99 ms", "arrived"]
    print(table("From the answer to people", head, rows), flush=True)


# --- ingest ---


def measure_ingest(seconds: float) -> None:
    """Without dispatcher and workers: what is measured is the way in."""

    def measured(stack: Stack) -> None:
        with FakeSlack() as slack:
            key = world.build(stack, slack, "bench").key
        ours = Target("AlertCenter", f"{stack.url}/t/bench/api/v2/alerts", key)
        with Alertmanager() as theirs:
            answers = over_http(ours, theirs, seconds)
        limits = of_the_database(stack, seconds / 2)
        print_ingest(answers, limits)

    with_stack(measured, "--dispatchers=0", "--workers=0")


Answers = dict[tuple[int, bool], tuple[Measured, Measured | None]]
Limits = dict[tuple[int, bool], tuple[float, float]]


def over_http(ours: Target, theirs: Target | None, seconds: float) -> Answers:
    """Alternate between both, so that both meet the same minutes."""
    answers: Answers = {}
    for batch, connections in CONNECTIONS.items():
        for fresh in KINDS:
            cell = Load(batch, connections, fresh)
            stamp = f"{batch}-{KINDS[fresh]}-{time.time_ns()}"
            load.run(ours, cell, 1, stamp + "-warm")
            first = load.run(ours, cell, seconds, stamp)
            second = load.run(theirs, cell, seconds, stamp) if theirs else None
            answers[batch, fresh] = (first, second)
    return answers


def of_the_database(stack: Stack, seconds: float) -> Limits:
    """The limit on one and on two connections."""
    limit.prepare(stack)
    return {
        (batch, fresh): (
            limit.measure(stack, batch, connections=1, fresh=fresh, seconds=seconds),
            limit.measure(stack, batch, connections=2, fresh=fresh, seconds=seconds),
        )
        for batch in CONNECTIONS
        for fresh in KINDS
    }


def print_ingest(answers: Answers, limits: Limits) -> None:
    rows = []
    for (batch, fresh), (ours, theirs) in answers.items():
        one, two = limits[batch, fresh]
        rows.append(
            [
                f"{batch} {KINDS[fresh]}",
                str(CONNECTIONS[batch]),
                rate(ours.alerts_per_second),
                f"{ours.p95:.1f}",
                rate(theirs.alerts_per_second) if theirs else "-",
                f"{theirs.p95:.1f}" if theirs else "-",
                ratio(ours.alerts_per_second, theirs.alerts_per_second)
                if theirs
                else "-",
                rate(one),
                rate(two),
                ratio(ours.alerts_per_second, max(one, two)),
                str(ours.bad),
            ]
        )
    head = [
        "batch",
        "conns",
        "alerts/s",
        "p95 ms",
        "Alertmanager/s",
        "p95 ms",
        "ratio",
        "database 1",
        "database 2",
        "of limit",
        "refused",
    ]
    print(table("Alerts in, answered after the commit", head, rows))
    if all(theirs is None for _, theirs in answers.values()):
        print(
            "\nAlertmanager is not installed (apt-get install prometheus-alertmanager)."
        )


def with_stack(work: Callable[[Stack], Found], *arguments: str) -> Found:
    """Run `work` on a private installation that ends with it."""
    stack = Stack(arguments=arguments)
    try:
        stack.start()
        found = work(stack)
        stack.stop()
        return found
    finally:
        stack.remove()


if __name__ == "__main__":
    sys.exit(main())
