"""What is an import going to do? One action for each row, and remarks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from alertcenter.alerts.am_parts import Remark
from alertcenter.alerts.am_yaml import Path, spelled
from alertcenter.alerts.models import InhibitRule, Route, TimeInterval
from notifications.models import Channel

CREATE, CHANGE, LEAVE = "create", "change", "leave"


@dataclass
class Existing:
    """What the tenant has; channels of routes by the route; the fingerprints of those
    secrets by which a channel leads somewhere."""

    routes: Sequence[Route] = ()
    channels_of: Mapping[UUID, Sequence[UUID]] = field(default_factory=dict)
    channels: Sequence[Channel] = ()
    places: Mapping[UUID, str] = field(default_factory=dict)
    intervals: Sequence[TimeInterval] = ()
    inhibitions: Sequence[InhibitRule] = ()


@dataclass
class Action:
    """One row that is made, changed or left.

    `row` is what the tenant has, None for a new one; `values` are the fields to set;
    `channels` (routes only) are all that the route is to tell, None: as they are.
    `changes` are sentences without any secret.
    """

    kind: str
    verdict: str
    pk: UUID
    name: str
    path: Path
    row: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    channels: list[UUID] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        return spelled(self.path)


@dataclass
class Plan:
    """All that an import would do. With errors nothing is done."""

    actions: list[Action] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)
    lost: list[Remark] = field(default_factory=list)  # and what else is to be known
    untold: list[Remark] = field(default_factory=list)  # alerts that nobody is told of

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(action.verdict for action in self.actions)
        return {verdict: found[verdict] for verdict in (CREATE, CHANGE, LEAVE)}

    @property
    def digest(self) -> str:
        """What tells this plan from one that would do something else."""
        parts = [(a.kind, a.verdict, a.name, a.where, *a.changes) for a in self.actions]
        notes = [(spelled(r.path), r.text) for r in (*self.errors, *self.untold)]
        return hashlib.sha256(repr((parts, notes)).encode()).hexdigest()


class Names:
    """Gives out names that are not taken, at most `longest` letters long."""

    def __init__(self, taken: Sequence[str], longest: int = 100) -> None:
        self.taken = set(taken)
        self.longest = longest

    def free(self, *wished: str, divider: str = " ") -> str:
        """Return the first wish that is free, else the last one with a number."""
        for wish in wished:
            name = wish[: self.longest]
            if name and name not in self.taken:
                self.taken.add(name)
                return name
        number = 2
        while True:
            suffix = f"{divider}{number}"
            name = wished[-1][: self.longest - len(suffix)] + suffix
            if name not in self.taken:
                self.taken.add(name)
                return name
            number += 1
