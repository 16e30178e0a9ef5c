"""How soon is a group to be acknowledged and resolved, and what if it will not be?

A step that would come only after a target is missed is pulled forward to when four
fifths of its time are gone: somebody can still meet it. Past that mark nothing more is
pulled, so that a policy does not go off all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from escalation.models.policy import SlaTarget

SHARE = 0.8
ACKNOWLEDGE, RESOLVE = "acknowledge", "resolve"


class Target(NamedTuple):
    """Seconds from the opening; None where there is no target."""

    acknowledge: int | None
    resolve: int | None


class Deadline(NamedTuple):
    """The next target of a group, and when it is missed."""

    what: str
    at: datetime


def targets(tenant_id: UUID) -> dict[int, Target]:
    """Return the tenant's targets by severity."""
    rows = SlaTarget.objects.filter(tenant_id=tenant_id)
    return {
        severity: Target(acknowledge, resolve)
        for severity, acknowledge, resolve in rows.values_list(
            "severity", "acknowledge_seconds", "resolve_seconds"
        )
    }


def deadline(target: Target | None, row: Mapping[str, Any]) -> Deadline | None:
    """Return the target that an open group (its columns) has to meet next."""
    if target is None or row["state"] == "resolved":
        return None
    if row["state"] == "firing" and target.acknowledge:
        at = row["opened_at"] + timedelta(seconds=target.acknowledge)
        return Deadline(ACKNOWLEDGE, at)
    if target.resolve:
        return Deadline(RESOLVE, row["opened_at"] + timedelta(seconds=target.resolve))
    return None


def pulled(
    target: Target | None, opened: datetime, now: datetime, due: datetime
) -> datetime:
    """Return when a step is due that would be at `due`; as runs.ADD has it in SQL."""
    for seconds in target or ():
        if not seconds:
            continue
        mark = opened + timedelta(seconds=seconds * SHARE)
        if due > opened + timedelta(seconds=seconds) and mark > now:
            due = min(due, mark)
    return due
