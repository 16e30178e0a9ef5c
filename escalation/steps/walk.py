"""What would a policy do, step by step, if a group opened at a moment?

The kinds answer as they do when it is real, of books in which nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from escalation.sla import Target, pulled
from escalation.steps.base import (
    HandOver,
    Plan,
    Resolved,
    Situation,
    Supposed,
    WaitUntil,
)
from escalation.steps.books import Books
from escalation.steps.following import MOST_HANDED, following, next_step
from escalation.steps.registry import kind_of

MOST_EVENTS = 300
Snapshot = Mapping[str, Any]
# The snapshot of a policy, None where there is none.
Load = Callable[[UUID], Snapshot | None]


@dataclass(frozen=True)
class Event:
    """A step at its moment, and what it comes to."""

    policy: str
    position: int
    plan: Plan
    at: datetime
    round: int
    turn: int
    found: Resolved

    @property
    def tells(self) -> bool:
        return bool(self.found.targets)


@dataclass(frozen=True)
class Course:
    """All that would happen. `ends`: end | waits (for what no clock decides) | long
    (there is more)."""

    events: list[Event]
    ends: str
    ends_at: datetime

    @property
    def tells(self) -> bool:
        """Whether anybody is told at all."""
        return any(event.tells for event in self.events)


def walk(
    books: Books,
    snapshot: Snapshot,
    group: Supposed,
    begin: datetime,
    load: Load,
    targets: Mapping[int, Target] | None = None,
) -> Course:
    """Return the course of a policy that goes to work at `begin`; `targets` by severity
    pull steps forward."""
    levels = targets or {}
    events: list[Event] = []
    handed, steps, name = 0, snapshot["steps"], str(snapshot["name"])
    first = next_step(steps, -1)
    if first is None:
        return Course(events, "end", begin)
    position, round_, turn = first[0], 1, 0
    now = begun = begin + timedelta(seconds=first[1])
    while len(events) < MOST_EVENTS:
        plan = steps[position]
        found = kind_of(plan["kind"]).resolve(
            Situation(books, plan, group, now, round=round_, turn=turn)
        )
        events.append(Event(name, position, plan, now, round_, turn, found))
        then = found.then
        if isinstance(then, WaitUntil):
            if not then.known:
                return Course(events, "waits", now)
            now, turn = max(then.moment, now), turn + 1
            continue
        if "severity" in found.values:
            group = replace(group, severity=int(found.values["severity"]))
        if isinstance(then, HandOver):
            handed += 1
            other = load(then.policy_id) if handed <= MOST_HANDED else None
            first = next_step(other["steps"], -1) if other else None
            if other is None or first is None:
                return Course(events, "end", now)
            steps, name = other["steps"], str(other["name"])
            position, round_, turn = first[0], 1, 0
            now = begun = now + timedelta(seconds=first[1])
            continue
        age = (now - begun).total_seconds()
        coming = following(steps, position, then, round_, age)
        if coming is None:
            return Course(events, "end", now)
        due = now + timedelta(seconds=coming.seconds)
        now = pulled(levels.get(group.severity), begin, now, due)
        if coming.round != round_:
            begun = now
        position, round_, turn = coming.position, coming.round, 0
    return Course(events, "long", now)
