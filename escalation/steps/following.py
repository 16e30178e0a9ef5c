"""Which step comes after one that was done, and after how long?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from escalation.steps.base import Finish, GoOn, HandOver, Repeat, SkipNext, Then
from escalation.steps.registry import WAIT

# A round of a policy takes at least so long, also where no step waits.
SHORTEST_ROUND = 60.0
MOST_HANDED = 5
Steps = Sequence[Mapping[str, Any]]


class Coming(NamedTuple):
    """A step, in which round, and in how many seconds."""

    position: int
    round: int
    seconds: float


def next_step(steps: Steps, after: int) -> tuple[int, int] | None:
    """Return (index, seconds to wait) of the next step that does something.

    `after` is the index of the step just done, -1 at the start; waits on the way
    add up. None when the policy has come to its end.
    """
    seconds = 0
    for index in range(after + 1, len(steps)):
        if steps[index]["kind"] != WAIT:
            return index, seconds
        seconds += int(steps[index]["wait"])
    return None


def next_who(steps: Steps, position: int) -> str:
    """Return whom the step there tells, or the first after it that tells somebody."""
    return next((s["who"] for s in steps[position:] if s.get("who")), "")


def following(
    steps: Steps, position: int, then: Then, round_: int, round_age: float
) -> Coming | None:
    """Return what follows a step; None for the end. `round_age`: seconds since the
    round's first step."""
    if isinstance(then, Finish | HandOver):
        return None
    if isinstance(then, Repeat):
        first = next_step(steps, -1)
        if first is None:
            return None
        seconds = max(float(first[1]), SHORTEST_ROUND - round_age)
        return Coming(first[0], round_ + 1, seconds)
    coming = next_step(steps, position)
    if coming and isinstance(then, SkipNext):
        coming = next_step(steps, coming[0])
    if coming is None:
        return None
    index, wait = coming
    # A round that nobody heard of must not come again at once.
    if isinstance(then, GoOn) and then.at_once and steps[index]["kind"] != "repeat":
        wait = 0
    return Coming(index, round_, float(wait))
