"""How does a policy go to work on a group, and how does it stop?

A run keeps a snapshot of the steps. Exactly one due step of an active run waits at
a time; carrying it out writes the next, at the time of the claim plus the waits
between. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts import routing
from alertcenter.alerts.models import Group
from escalation.models import Policy, Run, Step
from escalation.models.policy import StepKind

MOST_STEPS = 100


def snapshot(policy: Policy, steps: Iterable[Step]) -> dict[str, Any]:
    """Return the policy's steps as JSON, with the names people read."""
    return {
        "policy": str(policy.pk),
        "name": policy.name,
        "steps": [_frozen(step) for step in list(steps)[:MOST_STEPS]],
    }


def _frozen(step: Step) -> dict[str, Any]:
    target = step.channel or step.member or step.schedule
    return {
        "kind": step.kind,
        "target": str(target.pk) if target else None,
        "who": str(target) if target else "",
        "wait": step.wait_seconds or 0,
    }


def snapshots(
    tenant_id: UUID, policy_ids: Iterable[UUID]
) -> dict[UUID, dict[str, Any]]:
    """Return the snapshot of each policy."""
    policies = Policy.objects.filter(tenant_id=tenant_id).in_bulk(list(policy_ids))
    by_policy: dict[UUID, list[Step]] = {pk: [] for pk in policies}
    for step in (
        Step.objects.filter(tenant_id=tenant_id, policy_id__in=list(policies))
        .select_related("channel", "member", "schedule")
        .order_by("position", "id")
    ):
        by_policy[step.policy_id].append(step)
    return {pk: snapshot(p, by_policy[pk]) for pk, p in policies.items()}


def next_step(steps: Sequence[Mapping[str, Any]], after: int) -> tuple[int, int] | None:
    """Return (index, seconds to wait) of the next step that does something.

    `after` is the index of the step just done, -1 at the start; waits on the way
    add up. None when the policy has come to its end.
    """
    seconds = 0
    for index in range(after + 1, len(steps)):
        if steps[index]["kind"] != StepKind.WAIT:
            return index, seconds
        seconds += int(steps[index]["wait"])
    return None


@dataclass(frozen=True)
class Start:
    """One group for which a policy shall go to work."""

    group: Group
    policy_id: UUID | None
    wait_seconds: int = 0


def start(tenant_id: UUID, starts: Sequence[Start]) -> int:
    """Begin a run for each group that has a policy with a step; return how many.

    A group that already has an active run keeps it.
    """
    wanted = [s for s in starts if s.policy_id]
    plans = snapshots(tenant_id, {s.policy_id for s in wanted if s.policy_id})
    rows = []
    for item in wanted:
        plan = plans.get(item.policy_id) if item.policy_id else None
        first = next_step(plan["steps"], -1) if plan else None
        if plan and first:
            rows.append((item, plan, first[0], item.wait_seconds + first[1]))
    if not rows:
        return 0
    runs = [
        Run(
            tenant_id=tenant_id,
            group=item.group,
            policy_name=plan["name"],
            snapshot=plan,
        )
        for item, plan, _, _ in rows
    ]
    Run.objects.bulk_create(runs, ignore_conflicts=True)
    made = set(
        Run.objects.filter(pk__in=[r.pk for r in runs]).values_list("pk", flat=True)
    )
    due = [
        (run.pk, item.group.pk, position, 1, seconds)
        for run, (item, _, position, seconds) in zip(runs, rows, strict=True)
        if run.pk in made
    ]
    add_due_steps(tenant_id, due)
    return len(due)


ADD = """
INSERT INTO due_step (tenant_id, run_id, group_id, position, round, due_at, state,
                      attempts, error)
SELECT %s, r, g, p, n, now() + s * interval '1 second', 'due', 0, ''
FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::float8[])
  AS x(r, g, p, n, s)
ON CONFLICT (tenant_id, run_id, position, round) DO NOTHING
"""


# What is due at once need not wait for a dispatcher's next look.
WAKE = "NOTIFY ac_steps"


def add_due_steps(
    tenant_id: UUID, rows: Sequence[tuple[UUID, UUID, int, int, float]]
) -> None:
    """Write due steps: (run, group, position, round, seconds from now)."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(ADD, [tenant_id, *map(list, zip(*rows, strict=True))])
        if any(seconds <= 0 for *_, seconds in rows):
            cursor.execute(WAKE)


def stop(tenant_id: UUID, group_ids: Iterable[UUID]) -> int:
    """Stop the active runs of these groups and cancel what they have due."""
    ids = list(group_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE run SET state = 'stopped', ended_at = now() "
            "WHERE tenant_id = %s AND group_id = ANY(%s) AND state = 'active'",
            [tenant_id, ids],
        )
        stopped: int = cursor.rowcount
        cursor.execute(
            "UPDATE due_step SET state = 'cancelled' "
            "WHERE tenant_id = %s AND group_id = ANY(%s) AND state = 'due'",
            [tenant_id, ids],
        )
    return stopped


def restart(tenant_id: UUID, groups: Sequence[Group]) -> int:
    """Begin anew with the routes' present policies, at once."""
    stop(tenant_id, [g.pk for g in groups])
    routes = {route.id: route for route in routing.walk(routing.load(tenant_id))}
    starts = []
    for group in groups:
        # A route that is switched off is in no tree, but its groups still have it.
        route = routes.get(group.route_id) or group.route
        starts.append(Start(group, route.policy_id if route else None))
    return start(tenant_id, starts)


def bring_forward(tenant_id: UUID, group_id: UUID) -> bool:
    """Make the waiting step of the group due now; return whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE due_step SET due_at = now() WHERE tenant_id = %s "
            "AND group_id = %s AND state = 'due' AND due_at > now()",
            [tenant_id, group_id],
        )
        brought = bool(cursor.rowcount)
        if brought:
            cursor.execute(WAKE)
        return brought


HOLD = """
UPDATE due_step SET held = x.reason, due_at = now() + x.seconds * interval '1 second'
FROM unnest(%s::bigint[], %s::text[], %s::float8[]) AS x(pk, reason, seconds)
WHERE id = x.pk
"""
RELEASE = """
UPDATE due_step d SET held = '', due_at = now()
FROM alert_group g
WHERE d.tenant_id = %s AND d.group_id = ANY (%s::uuid[]) AND d.state = 'due'
  AND d.held NOT IN ('', 'interval')
  AND g.tenant_id = d.tenant_id AND g.id = d.group_id
  AND g.quiet_count < g.firing_count
"""


def hold(rows: Sequence[tuple[int, str, float]]) -> None:
    """Put due steps off: (due step, why, seconds after which to look again)."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(HOLD, [*map(list, zip(*rows, strict=True))])


def release(tenant_id: UUID, group_ids: Iterable[UUID]) -> None:
    """Make the held steps of groups that are heard again due at once."""
    ids = [str(pk) for pk in group_ids]
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(RELEASE, [tenant_id, ids])
            if cursor.rowcount:
                cursor.execute(WAKE)
