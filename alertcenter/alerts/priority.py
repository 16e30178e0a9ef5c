"""How urgent is a group? P1 to P5, and why.

It begins with the worst severity that fires (critical P2, error P3, warning P4, less
P5). A vital service, services in trouble that need it, and many firing alerts make it
one more urgent each; a minor service one less. What is only info stays at P4 at best.
Pure: whoever stores it brings the facts (alertcenter.alerts.weighing).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alertcenter.alerts.severity import CRITICAL, ERROR, INFO, WARNING

MOST_URGENT, LEAST_URGENT = 1, 5
BEGIN = {CRITICAL: 2, ERROR: 3, WARNING: 4}
BY_TIER = {1: -1, 4: +1}
# A group this large is a widespread failure. One class: each limit that a storm
# crosses would move the group in everybody's list.
LARGE = 50
BEST_OF_INFO = 4


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a group.

    `tier` is its service's importance, None without a service; `dependents` counts
    the services in trouble that need it.
    """

    severity: int
    firing: int = 1
    tier: int | None = None
    dependents: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of the answer: `by` how much it moved the level, less is more urgent.

    `code`: severity (value: the severity; `by`: where it begins), tier (value: the
    tier), dependents (value: how many), size (value: the limit reached), info (the
    level may not be more urgent than `value`).
    """

    code: str
    value: int
    by: int

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "value": self.value, "by": self.by}


@dataclass(frozen=True, slots=True)
class Priority:
    """The level, 1 to 5, and its reasons in the order in which they counted."""

    level: int
    reasons: tuple[Reason, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the reasons as they are stored."""
        return [reason.to_json() for reason in self.reasons]


def decide(facts: Facts) -> Priority:
    """Return how urgent a group with these facts is."""
    begin = BEGIN.get(facts.severity, LEAST_URGENT)
    reasons = [Reason("severity", facts.severity, begin), *_moves(facts)]
    level = sum(reason.by for reason in reasons)
    if facts.severity <= INFO and level < BEST_OF_INFO:
        reasons.append(Reason("info", BEST_OF_INFO, BEST_OF_INFO - level))
        level = BEST_OF_INFO
    return Priority(min(max(level, MOST_URGENT), LEAST_URGENT), tuple(reasons))


def _moves(facts: Facts) -> Iterator[Reason]:
    if facts.tier in BY_TIER:
        yield Reason("tier", facts.tier, BY_TIER[facts.tier])
    if facts.dependents > 0:
        yield Reason("dependents", facts.dependents, -1)
    if facts.firing >= LARGE:
        yield Reason("size", LARGE, -1)
