"""How does a policy go to work on a group, and how does it stop?

A run keeps a snapshot of the steps. Exactly one due step of an active run waits at
a time; carrying it out writes the next, at the time of the claim plus the waits
between. All times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Min

from alertcenter.alerts import routing
from alertcenter.alerts.models import Group
from escalation.limits import MOST_STEPS
from escalation.models import DueStep, Policy, Run, Step
from escalation.models.team import Team
from escalation.sla import SHARE
from escalation.steps import registry
from escalation.steps.base import OLD
from escalation.steps.following import next_step
from tenants.models import Member


def snapshot(
    policy: Policy, steps: Iterable[Step], names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the policy's steps as JSON, with the names people read."""
    return {
        "policy": str(policy.pk),
        "name": policy.name,
        "ack_timeout": policy.ack_timeout_seconds,
        "steps": [frozen(step, names or {}) for step in list(steps)[:MOST_STEPS]],
    }


def frozen(step: Step, names: Mapping[str, str]) -> dict[str, Any]:
    """Return one step of a snapshot.

    `target` is for processes of a former version; a kind that these do not know has
    none, so that they leave the step to others instead of passing over it.
    """
    held = {name: getattr(step, name) for name in REFERENCES}
    params = dict(step.params) | {n: str(v.pk) for n, v in held.items() if v}
    known = {str(v.pk): str(v) for v in held.values() if v}
    known |= {pk: names[pk] for pk in referred([params]) if pk in names}
    plan: dict[str, Any] = {
        "kind": step.kind,
        "target": params.get(OLD[step.kind]) if step.kind in OLD else None,
        "wait": step.wait_seconds or 0,
        "step": str(step.pk),
        "params": params,
        "names": known,
    }
    return plan | {"who": registry.who(plan)}


REFERENCES = ("channel", "member", "schedule")


def referred(params: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of members, teams and policies that steps were told."""
    found: set[str] = set()
    for one in params:
        found.update(one.get("members") or ())
        found.update(one[name] for name in ("team", "policy") if one.get(name))
    return found


def names_for(tenant_id: UUID, steps: Iterable[Step]) -> dict[str, str]:
    """Return the names of what steps refer to, by id; what is gone has none."""
    ids = referred(step.params for step in steps)
    if not ids:
        return {}
    return {
        str(row.pk): str(row)
        for model in (Member, Team, Policy)
        for row in model.objects.filter(tenant_id=tenant_id, pk__in=ids)
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
    names = names_for(tenant_id, (step for own in by_policy.values() for step in own))
    return {pk: snapshot(p, by_policy[pk], names) for pk, p in policies.items()}


@dataclass(frozen=True)
class Start:
    """One group for which a policy shall go to work."""

    group: Group
    policy_id: UUID | None
    wait_seconds: int = 0
    # How many policies handed it over before.
    handed: int = 0


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
            snapshot=plan | ({"handed": item.handed} if item.handed else {}),
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


# A service level that would be missed pulls a step forward: escalation/sla.py.
ADD = f"""
INSERT INTO due_step (tenant_id, run_id, group_id, position, round, due_at, state,
                      attempts, error)
SELECT x.tenant, r, g, p, n, least(due,
    CASE WHEN due > o.opened_at + acknowledge AND o.opened_at + {SHARE} * acknowledge
      > now() THEN o.opened_at + {SHARE} * acknowledge END,
    CASE WHEN due > o.opened_at + resolve AND o.opened_at + {SHARE} * resolve
      > now() THEN o.opened_at + {SHARE} * resolve END), 'due', 0, ''
FROM (SELECT %s::uuid AS tenant, *, now() + s * interval '1 second' AS due
  FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::float8[])
  AS x(r, g, p, n, s)) x
LEFT JOIN alert_group o ON o.tenant_id = x.tenant AND o.id = x.g
LEFT JOIN (SELECT tenant_id, severity,
    acknowledge_seconds * interval '1 second' AS acknowledge,
    resolve_seconds * interval '1 second' AS resolve FROM sla_target) t
  ON t.tenant_id = x.tenant AND t.severity = o.severity
ON CONFLICT (tenant_id, run_id, position, round) DO NOTHING
RETURNING group_id, due_at
"""


# What is due at once need not wait for a dispatcher's next look.
WAKE = "NOTIFY ac_steps"


def add_due_steps(
    tenant_id: UUID, rows: Sequence[tuple[UUID, UUID, int, int, float]]
) -> dict[UUID, datetime]:
    """Write due steps: (run, group, position, round, seconds from now); return when
    the step of each group is due."""
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(ADD, [tenant_id, *map(list, zip(*rows, strict=True))])
        found = dict(cursor.fetchall())
        if any(seconds <= 0 for *_, seconds in rows):
            cursor.execute(WAKE)
    return found


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
            "WHERE tenant_id = %s AND group_id = ANY(%s) AND state IN ('due', 'ack')",
            [tenant_id, ids],
        )
    return stopped


def finish(tenant_id: UUID, run_ids: Sequence[UUID]) -> None:
    """End runs that came to the end of their policies."""
    if run_ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE run SET state = 'finished', ended_at = now() "
                "WHERE tenant_id = %s AND id = ANY(%s)",
                [tenant_id, list(run_ids)],
            )


def round_began(tenant_id: UUID, run_id: UUID, number: int) -> datetime | None:
    """Return when the first step of a round was done."""
    mine = DueStep.objects.filter(tenant_id=tenant_id, run_id=run_id, round=number)
    found: datetime | None = mine.aggregate(at=Min("done_at"))["at"]
    return found


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
            "UPDATE due_step SET due_at = now(), not_before = NULL, forced = true "
            "WHERE tenant_id = %s "
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
UPDATE due_step d SET held = '', due_at = now(), not_before = NULL
FROM alert_group g
WHERE d.tenant_id = %s AND d.group_id = ANY (%s::uuid[]) AND d.state = 'due'
  AND d.held IN ('silenced', 'inhibited', 'flapping', 'storm', 'if_severity',
    'if_size', 'if_rate')
  AND g.tenant_id = d.tenant_id AND g.id = d.group_id
  AND g.quiet_count < g.firing_count
"""


def hold(rows: Sequence[tuple[int, str, float]]) -> None:
    """Put due steps off: (due step, why, seconds after which to look again)."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(HOLD, [*map(list, zip(*rows, strict=True))])


WAIT = """
UPDATE due_step SET held = x.reason, due_at = x.moment, not_before = x.moment,
  turn = least(turn + 1, 32000), forced = false
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS x(pk, reason, moment)
WHERE id = x.pk
"""


def wait(rows: Sequence[tuple[int, str, datetime]]) -> None:
    """Put steps off as they asked for: (due step, why, until when)."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(WAIT, [*map(list, zip(*rows, strict=True))])


def put_back(step_ids: Sequence[int]) -> None:
    """Make steps wait on for the moment that they asked for."""
    if step_ids:
        DueStep.objects.filter(pk__in=step_ids).update(due_at=F("not_before"))


def release(tenant_id: UUID, group_ids: Iterable[UUID]) -> None:
    """Make the held steps of groups that are heard again due at once."""
    ids = [str(pk) for pk in group_ids]
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(RELEASE, [tenant_id, ids])
            if cursor.rowcount:
                cursor.execute(WAKE)


# The end of an acknowledgement stands beside the steps of the last run.
ACK_POSITION = 32_000
WATCH = """
INSERT INTO due_step (tenant_id, run_id, group_id, position, round, due_at, state,
                      attempts, error)
SELECT tenant_id, id, group_id, %s, 1, now() + timeout * interval '1 second', 'ack',
       0, ''
FROM (
  SELECT DISTINCT ON (group_id) tenant_id, id, group_id,
    (snapshot ->> 'ack_timeout')::int AS timeout
  FROM run WHERE tenant_id = %s AND group_id = ANY (%s::uuid[])
  ORDER BY group_id, created_at DESC, id DESC) last
WHERE timeout > 0
ON CONFLICT (tenant_id, run_id, position, round) DO UPDATE
SET due_at = excluded.due_at, state = 'ack', done_at = NULL
"""
OUTLASTED = """
SELECT d.tenant_id, d.group_id FROM due_step d
JOIN alert_group g ON g.tenant_id = d.tenant_id AND g.id = d.group_id
WHERE d.state = 'ack' AND d.due_at <= now() ORDER BY d.due_at, d.id LIMIT %s
FOR UPDATE OF g SKIP LOCKED
"""
# Judged again now that the groups are locked.
ENDED = """
UPDATE due_step d SET done_at = now(), state =
  CASE WHEN g.state = 'acknowledged' THEN 'done' ELSE 'cancelled' END
FROM alert_group g
WHERE d.tenant_id = ANY (%s::uuid[]) AND d.group_id = ANY (%s::uuid[])
  AND d.state = 'ack' AND d.due_at <= now()
  AND g.tenant_id = d.tenant_id AND g.id = d.group_id
RETURNING d.tenant_id, d.group_id, d.state
"""
MOVED = """
SELECT DISTINCT group_id FROM transition
WHERE tenant_id = %s AND group_id = ANY (%s::uuid[]) AND at > %s
  AND kind IN ('escalated', 'paged', 'acknowledged', 'snoozed', 'resolved')
"""


def watch(tenant_id: UUID, group_ids: Sequence[UUID]) -> None:
    """Note when the acknowledgement of these groups ends, where their policy wants
    that it does."""
    if group_ids:
        with connection.cursor() as cursor:
            cursor.execute(WATCH, [ACK_POSITION, tenant_id, list(group_ids)])


def outlasted(limit: int) -> dict[UUID, list[UUID]]:
    """Lock groups whose acknowledgement has ended, by tenant, once."""
    with connection.cursor() as cursor:
        cursor.execute(OUTLASTED, [limit])
        found = cursor.fetchall()
        if not found:
            return {}
        tenants, groups = zip(*found, strict=True)
        cursor.execute(ENDED, [list(set(tenants)), list(groups)])
        ended: dict[UUID, list[UUID]] = {}
        for tenant_id, group_id, state in cursor.fetchall():
            if state == "done":
                ended.setdefault(tenant_id, []).append(group_id)
    return ended


def moved_since(
    tenant_id: UUID, group_ids: Sequence[UUID], moment: datetime
) -> set[UUID]:
    """Return the groups whose policy or state has moved on since a moment."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [tenant_id, list(group_ids), moment])
        return {row[0] for row in cursor.fetchall()}
