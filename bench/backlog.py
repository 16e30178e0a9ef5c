"""Is all work done that a round has left, and is all there that was answered?"""

from __future__ import annotations

import time

from bench.load import Load, Measured, Target
from tests.flows.world import World
from tests.stack import Stack

PATIENCE = 60.0
PAUSE = 0.1
# Counters of repeats are written within about a second and a half (alerts/repeats.py).
COUNTED_WITHIN = 5.0


def drained(stack: Stack) -> float | None:
    """Wait until no change waits to be looked at; return the seconds it took.

    None: still not after PATIENCE.
    """
    begun = time.monotonic()
    emptied: float | None = None
    while time.monotonic() - begun < PATIENCE:
        (waits,) = stack.sql("SELECT EXISTS (SELECT FROM feed)")[0]
        if waits:
            emptied = None
        elif emptied is None:
            emptied = time.monotonic() - begun
        else:
            return emptied
        time.sleep(PAUSE)
    return None


def lost(
    world: World, target: Target, load: Load, stamp: str, answered: Measured
) -> int:
    """Return how many alerts were answered and cannot be found.

    Every sending of an alert counts up its row, so the sum of the counts is what came
    in; for new alerts that is the number of rows. More than was answered is no fault:
    wrk cuts the last requests off.
    """
    new = load.mix == "new"
    wanted = answered.alerts + (0 if new else target.distinct)
    query = (
        "SELECT coalesce(sum(count), 0), count(*) FROM alert"
        f" WHERE tenant_id = {{t}} AND labels->>'cluster' = '{stamp}'"
    )
    deadline = time.monotonic() + COUNTED_WITHIN
    while True:
        said, rows = (int(value) for value in world.rows(query)[0])
        missing = wanted - (rows if new else said)
        if missing <= 0 or time.monotonic() > deadline:
            return max(0, missing)
        time.sleep(PAUSE)


def open_alerts(stack: Stack) -> int:
    """Return how many alerts fire."""
    return int(stack.sql("SELECT count(*) FROM alert WHERE state = 'firing'")[0][0])
