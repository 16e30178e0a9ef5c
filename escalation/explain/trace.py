"""What does an explanation consist of? Lines, each one decision, and a conclusion.

Plain values: what a line says is a code and data; `words` makes sentences of them in
the reader's language, `links` addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from alertcenter.alerts.matchers import Matcher

# Whether a line speaks for somebody being told, against it, or neither.
Verdict = Literal["yes", "no", "info"]
# The order in which decisions are taken, and shown.
STEPS = (
    "dedup",
    "rule",
    "route",
    "priority",
    "silence",
    "inhibition",
    "crowd",
    "interval",
    "policy",
    "notice",
    "delivery",
)


@dataclass(frozen=True)
class Link:
    """What a line is about: a kind of object, its id (of a group: its number)."""

    kind: str
    id: str
    name: str = ""


@dataclass(frozen=True)
class Condition:
    """One condition, the value it saw, and whether it holds."""

    text: str
    seen: str
    holds: bool


@dataclass(frozen=True)
class Line:
    """One decision. `aside`: of interest only to who looks closer; `decides`: this
    is what the conclusion rests on; `group`: the number of the group it concerns."""

    step: str
    code: str
    verdict: Verdict = "info"
    at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    link: Link | None = None
    conditions: Sequence[Condition] = ()
    aside: bool = False
    decides: bool = False
    group: int | None = None


@dataclass(frozen=True)
class Ending:
    """What it comes to: what has been so far, and what comes next, if anything."""

    conclusion: Line
    outlook: Line | None = None
    rests_on: Line | None = None


@dataclass(frozen=True)
class Trace:
    """A whole explanation, as of `at`."""

    subject: Link
    at: datetime
    conclusion: Line
    outlook: Line | None
    lines: Sequence[Line]

    def of(self, step: str) -> list[Line]:
        """Return the lines of one step."""
        return [line for line in self.lines if line.step == step]

    @property
    def deciding(self) -> Line | None:
        """The line that the conclusion rests on."""
        return next((line for line in self.lines if line.decides), None)


def ended(subject: Link, at: datetime, lines: Iterable[Line], ending: Ending) -> Trace:
    """Return the trace, step by step, with the line marked that decides."""
    marked = [
        replace(line, decides=True) if line is ending.rests_on else line
        for line in sorted(lines, key=lambda line: STEPS.index(line.step))
    ]
    return Trace(subject, at, ending.conclusion, ending.outlook, marked)


def judged(
    matchers: Iterable[Matcher], labels: Mapping[str, str]
) -> tuple[Condition, ...]:
    """Return each condition with the value it sees in `labels`."""
    return tuple(
        Condition(str(m), labels.get(m.name, ""), m.matches(labels)) for m in matchers
    )
