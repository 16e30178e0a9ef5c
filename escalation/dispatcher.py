"""Which steps are due, and who may carry them out?

One transaction claims, judges and does: groups first (skipping locked ones, so it
never waits for a person's act), then their due steps. A crash anywhere leaves the
step due. Any number of dispatchers may run, also at one tenant's backlog.
"""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models.base import ModelState
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts.models import Group
from alertcenter.common import failpoints
from escalation import telemetry
from escalation.carrying import Claimed, carry_out, pass_over
from escalation.models import DueStep, Run
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

BATCH, LEAST_BATCH, MOST_BATCH = 500, 50, 1_000
# One transaction aims at so many seconds: whose step falls due meanwhile waits for it.
TURN_SECONDS = 0.5
LONGEST_BACKOFF = 300
# After some two minutes the next step follows. A kind that only a newer release knows
# has come to one of its dispatchers by then, if there is any.
MOST_ATTEMPTS = 7
LEAST_PAUSE, LONGEST_PAUSE = 0.01, 60.0

# The oldest, as a rule all that there is: then nobody has to take turns.
FIRST = """
SELECT tenant_id, count(*)::int FROM (
  SELECT tenant_id FROM due_step WHERE state = 'due' AND due_at <= now()
  ORDER BY due_at LIMIT %s) first
GROUP BY tenant_id
"""
# With a backlog: how much waits in each tenant, up to a few times its share. Each
# tenant costs some looks at the index, however much it has due. Rows are compared as
# the index `due_step_turn` has them, so that no plan walks through all that is due to
# find one tenant's.
WAITING = """
WITH RECURSIVE tenants AS (
  (SELECT tenant_id FROM due_step WHERE state = 'due' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.tenant_id FROM due_step d
          WHERE d.state = 'due' AND d.tenant_id > t.tenant_id
          ORDER BY d.tenant_id LIMIT 1)
  FROM tenants t WHERE t.tenant_id IS NOT NULL
), late AS (
  SELECT t.tenant_id, f.due_at FROM tenants t CROSS JOIN LATERAL (
    SELECT due_at FROM due_step d WHERE d.state = 'due'
      AND (d.tenant_id, d.due_at) >= (t.tenant_id, '-infinity')
      AND (d.tenant_id, d.due_at) <= (t.tenant_id, now())
    ORDER BY d.tenant_id, d.due_at LIMIT 1) f
  ORDER BY f.due_at LIMIT %(limit)s
)
SELECT l.tenant_id, w.count FROM late l CROSS JOIN LATERAL (
  SELECT count(*)::int FROM (
    SELECT FROM due_step d WHERE d.state = 'due'
      AND (d.tenant_id, d.due_at) >= (l.tenant_id, '-infinity')
      AND (d.tenant_id, d.due_at) <= (l.tenant_id, now())
    ORDER BY d.tenant_id, d.due_at
    LIMIT least(%(limit)s,
      greatest(20, 4 * %(limit)s / (SELECT count(*) FROM late)))) own) w
"""
# Groups in the order of their steps; whom somebody holds, a person or another
# dispatcher, is passed over, and the next one taken.
GROUPS = """
SELECT x.step, {columns}
FROM unnest(%s::uuid[], %s::int[]) AS t(id, share) CROSS JOIN LATERAL (
  SELECT d.id AS step, g.* FROM due_step d
  JOIN alert_group g ON g.tenant_id = d.tenant_id AND g.id = d.group_id
  WHERE d.state = 'due' AND (d.tenant_id, d.due_at) >= (t.id, '-infinity')
    AND (d.tenant_id, d.due_at) <= (t.id, now())
  ORDER BY d.tenant_id, d.due_at LIMIT t.share
  FOR UPDATE OF g SKIP LOCKED) x
"""
# A statement of its own: it sees what was committed before the groups were locked.
# OFFSET 0: each run is looked up by itself, however old the statistics are.
STEPS = """
SELECT extract(epoch FROM now() - d.due_at)::float8, {columns}
FROM due_step d CROSS JOIN LATERAL (
  SELECT * FROM run WHERE run.tenant_id = d.tenant_id AND run.id = d.run_id OFFSET 0) r
WHERE d.id = ANY (%s) AND d.state = 'due' AND d.due_at <= now()
ORDER BY d.due_at, d.id
FOR UPDATE OF d SKIP LOCKED
"""


# Shows screens the groups of tenants.
Show = Callable[[dict[UUID, set[UUID]]], None]


class Turns:
    """How many steps are claimed at once, so that no turn lasts too long?"""

    def __init__(self, show: Show | None = None) -> None:
        self.limit = BATCH
        self.show = show

    def work(self) -> int:
        """Carry out due steps; return how many were taken up."""
        begun = time.monotonic()
        done = do_due_steps(self.limit, self.show)
        spent = time.monotonic() - begun
        if done >= self.limit or spent > TURN_SECONDS:
            fitting = int(done * TURN_SECONDS / max(spent, 0.001))
            self.limit = max(LEAST_BATCH, min(MOST_BATCH, fitting, self.limit * 2))
        return done


NEXT = """
SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM due_step
WHERE state = 'due' AND due_at > now() ORDER BY due_at LIMIT 1
"""


def until_next() -> float:
    """Return after how many seconds the next step falls due."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT)
        row = cursor.fetchone()
    return max(LEAST_PAUSE, row[0]) if row else LONGEST_PAUSE


def do_due_steps(limit: int = BATCH, show: Show | None = None) -> int:
    """Carry out due steps, and `show` what they changed; return how many were taken
    up."""
    with transaction.atomic():
        shares = fair_shares(limit)
        if not shares:
            return 0
        tenants = sorted(shares)
        with tenant_context(*tenants):
            claimed = claim(shares)
            failpoints.hit("escalate.after_claim")
            by_tenant: dict[UUID, list[Claimed]] = defaultdict(list)
            for one in claimed:
                by_tenant[one.step.tenant_id].append(one)
            changed = {
                tenant_id: carry_out_safely(tenant_id, by_tenant[tenant_id])
                for tenant_id in sorted(by_tenant)
            }
            # At the end: who numbers a tenant's frames keeps others from it.
            if show is not None:
                show({tenant_id: ids for tenant_id, ids in changed.items() if ids})
            failpoints.hit("escalate.after_insert_outbox")
    failpoints.hit("escalate.after_commit")
    return len(claimed)


def fair_shares(limit: int) -> dict[UUID, int]:
    """Return how many steps of which tenants have their turn now; role engine.

    Everybody's first due step comes before anybody's second.
    """
    with connection.cursor() as cursor:
        cursor.execute(FIRST, [limit])
        waiting = dict(cursor.fetchall())
        if sum(waiting.values()) < limit:
            return waiting
        cursor.execute(WAITING, {"limit": limit})
        return divided(dict(cursor.fetchall()), limit)


def divided(waiting: Mapping[UUID, int], limit: int) -> dict[UUID, int]:
    """Give each the same share of `limit`, and what one cannot use to the others."""
    shares = {}
    left = limit
    for number, tenant_id in enumerate(sorted(waiting, key=lambda t: waiting[t])):
        even = -(-left // (len(waiting) - number))
        shares[tenant_id] = min(waiting[tenant_id], even)
        left -= shares[tenant_id]
    return {tenant_id: share for tenant_id, share in shares.items() if share > 0}


def claim(shares: Mapping[UUID, int]) -> list[Claimed]:
    """Lock the groups that nobody holds, then their due steps."""
    names = [str(tenant_id) for tenant_id in shares]
    with connection.cursor() as cursor:
        cursor.execute(
            GROUPS.format(columns=columns(Group, "x")), [names, [*shares.values()]]
        )
        found = cursor.fetchall()
        groups = {group.pk: group for group in (made(Group, row[1:]) for row in found)}
        cursor.execute(
            STEPS.format(columns=f"{columns(DueStep, 'd')}, {columns(Run, 'r')}"),
            [[row[0] for row in found]],
        )
        rows = cursor.fetchall()
    width = len(DueStep._meta.concrete_fields)
    claimed = []
    for late, *row in rows:
        telemetry.LATENESS.observe(late)
        step = made(DueStep, row[:width])
        step._state.fields_cache["run"] = made(Run, row[width:])
        claimed.append(Claimed(step, groups[step.group_id]))
    return claimed


def columns(model: type[models.Model], alias: str) -> str:
    """Return the columns of a table as `made` reads them."""
    return ", ".join(
        f"{alias}.{field.column}::text"
        if isinstance(field, models.JSONField)
        else f"{alias}.{field.column}"
        for field in model._meta.concrete_fields
    )


Row = TypeVar("Row", bound=models.Model)


def made(model: type[Row], values: Sequence[Any]) -> Row:
    """Return a row of the database as the object that Django would make of it, in a
    tenth of the time: no signals, no defaults.

    Runs of one policy have one snapshot: it is read once, and nobody changes it.
    """
    names, texts = _shape(model)
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, "default"
    row.__dict__.update(zip(names, values, strict=True))
    for name in texts:
        row.__dict__[name] = _json(row.__dict__[name])
    return row


@lru_cache(maxsize=10)
def _shape(model: type[models.Model]) -> tuple[list[str], list[str]]:
    """Return the names of all fields, and of those that hold JSON."""
    fields = model._meta.concrete_fields
    return [f.attname for f in fields], [
        f.attname for f in fields if isinstance(f, models.JSONField)
    ]


@lru_cache(maxsize=2_000)
def _json(text: str) -> Any:
    return json.loads(text)


def carry_out_safely(tenant_id: UUID, steps: Sequence[Claimed]) -> set[UUID]:
    """Carry out steps together; should that fail, one by one, so that a step which
    cannot be done delays no other. Returns what `carry_out` does."""
    if not steps:
        return set()
    try:
        with transaction.atomic():
            return carry_out(tenant_id, steps)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(steps) > 1:
            middle = len(steps) // 2
            first = carry_out_safely(tenant_id, steps[:middle])
            return first | carry_out_safely(tenant_id, steps[middle:])
        log.exception("step_failed", extra={"due_step": steps[0].step.pk})
        if steps[0].step.attempts + 1 >= MOST_ATTEMPTS:
            return pass_over_safely(tenant_id, steps[0], error)
        put_off(steps[0].step, error)
        return set()


def pass_over_safely(tenant_id: UUID, one: Claimed, error: Exception) -> set[UUID]:
    """Go on after a step that failed time and again; should that fail too, later."""
    try:
        with transaction.atomic():
            return pass_over(tenant_id, one, told(error))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("step_stuck", extra={"due_step": one.step.pk})
        put_off(one.step, error)
        return set()


def put_off(step: DueStep, error: Exception) -> None:
    """Try this step again later, ever more rarely."""
    wait = min(LONGEST_BACKOFF, 2 ** min(step.attempts, 10))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE due_step SET attempts = attempts + 1, error = %s, "
            "due_at = now() + %s * interval '1 second' WHERE id = %s",
            [told(error), wait, step.pk],
        )


def told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:2000]


def count_overdue() -> int:
    """Return how many steps are more than 30 seconds late, and export it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM due_step "
            "WHERE state = 'due' AND due_at < now() - interval '30 seconds'"
        )
        overdue: int = cursor.fetchone()[0]
    telemetry.OVERDUE.set(overdue)
    return overdue
