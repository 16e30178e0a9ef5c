"""Is all work done that a round has left, and is all there that was answered?"""

from __future__ import annotations

import time

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


def said(world: World, stamp: str) -> int:
    """Return how often an alert of this stamp came in, by the rows' counts."""
    query = (
        "SELECT coalesce(sum(count), 0) FROM alert"
        f" WHERE tenant_id = {{t}} AND labels->>'cluster' = '{stamp}'"
    )
    return int(world.rows(query)[0][0])


def lost(world: World, stamp: str, wanted: int) -> int:
    """Return how many of `wanted` answered alerts cannot be found.

    Every sending of an alert counts up its row. More than was answered is no fault:
    wrk cuts the last requests off.
    """
    deadline = time.monotonic() + COUNTED_WITHIN
    while (missing := wanted - said(world, stamp)) > 0:
        if time.monotonic() > deadline:
            return missing
        time.sleep(PAUSE)
    return 0


def open_alerts(stack: Stack) -> int:
    """Return how many alerts fire."""
    return int(stack.sql("SELECT count(*) FROM alert WHERE state = 'firing'")[0][0])
