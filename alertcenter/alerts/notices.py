"""Is there something to tell a channel about a group, and why? Pure.

Alertmanager's notify/dedup_stage.go (reference/wire-protocols.md 3.3), with one thing
more: what was told to fire and fell quiet since is owed its end.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRST, NEW_ALERTS, ALL_RESOLVED = "first", "new_alerts", "all_resolved"
RESOLVED, REPEAT, NONE = "resolved", "repeat", ""

Names = Set[int]


@dataclass(frozen=True)
class Last:
    """What a channel was last told of a group."""

    at: datetime
    firing: Names = field(default_factory=frozenset)
    resolved: Names = field(default_factory=frozenset)
    owed: Names = field(default_factory=frozenset)


@dataclass(frozen=True)
class Now:
    """How a group stands: what fires and is heard, what fires and is quiet, and what
    was resolved since the last flush (heard or quiet when it ended)."""

    firing: Names
    quiet: Names
    resolved: Names
    resolved_quiet: Names = field(default_factory=frozenset)


@dataclass(frozen=True)
class Decision:
    """Whether to tell, why (NONE: do not), and what is told and remembered."""

    reason: str
    resolved: Names
    last: Last


def decide(
    last: Last | None,
    now: Now,
    *,
    at: datetime,
    repeat: timedelta,
    tells_resolved: bool = True,
    tells_quiet_ends: bool = True,
) -> Decision:
    """Return what to tell a channel at a flush.

    Without `tells_quiet_ends` exactly what Alertmanager does: it forgets what fell
    quiet.
    """
    owes = last is not None and tells_quiet_ends
    said = last.firing | last.owed if last and owes else frozenset()
    resolved = now.resolved | (now.resolved_quiet & said)
    reason = _reason(last, now.firing, resolved, at, repeat, tells_resolved)
    owed = now.quiet & said
    if not reason and last and resolved & last.owed and tells_resolved:
        reason = RESOLVED
    told = Last(at, frozenset(now.firing), frozenset(resolved), frozenset(owed))
    return Decision(reason, resolved if tells_resolved else frozenset(), told)


def _reason(
    last: Last | None,
    firing: Names,
    resolved: Names,
    at: datetime,
    repeat: timedelta,
    tells_resolved: bool,
) -> str:
    if last is None:
        return FIRST if firing else NONE
    if not firing <= last.firing:
        return NEW_ALERTS
    if not firing:
        return ALL_RESOLVED if last.firing and resolved else NONE
    if tells_resolved and not resolved <= last.resolved:
        return RESOLVED
    return REPEAT if last.at < at - repeat else NONE
