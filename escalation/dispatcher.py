"""Which steps are due, and who may carry them out?

One transaction claims, judges and does: groups first (skipping locked ones, so it
never waits for a person's act), then their due steps. A crash anywhere leaves the
step due. Any number of dispatchers may run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import lifecycle
from alertcenter.alerts.models import Group
from alertcenter.common import failpoints
from escalation import telemetry
from escalation.carrying import Claimed, carry_out
from escalation.models import DueStep
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

BATCH = 200
LONGEST_BACKOFF = 300

# Fair between tenants: everybody's first due step comes before anybody's second.
DUE = """
SELECT tenant_id, group_id FROM (
  SELECT tenant_id, group_id, due_at,
         row_number() OVER (PARTITION BY tenant_id ORDER BY due_at) AS turn
  FROM due_step WHERE state = 'due' AND due_at <= now()) waiting
ORDER BY turn, due_at LIMIT %s
"""


def do_due_steps(limit: int = BATCH) -> int:
    """Carry out due steps; return how many were taken up."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(DUE, [limit])
            waiting = cursor.fetchall()
        if not waiting:
            return 0
        tenants = sorted({row[0] for row in waiting})
        with tenant_context(*tenants):
            steps = claim([row[1] for row in waiting])
            failpoints.hit("escalate.after_claim")
            for tenant_id in tenants:
                mine = [s for s in steps if s.step.tenant_id == tenant_id]
                carry_out_safely(tenant_id, mine)
            failpoints.hit("escalate.after_insert_outbox")
    failpoints.hit("escalate.after_commit")
    return len(steps)


def claim(group_ids: Sequence[UUID]) -> list[Claimed]:
    """Lock the groups that nobody holds, then their due steps."""
    groups = {
        g.pk: g
        for g in Group.objects.select_for_update(skip_locked=True)
        .filter(pk__in=list(group_ids))
        .order_by("pk")
    }
    rows = list(
        DueStep.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(group_id__in=list(groups), state="due")
        .filter(due_at__lte=Now())
        .select_related("run")
        .order_by("due_at", "id")
    )
    now = lifecycle.database_time()
    for row in rows:
        telemetry.LATENESS.observe((now - row.due_at).total_seconds())
    return [Claimed(row, groups[row.group_id]) for row in rows]


def carry_out_safely(tenant_id: UUID, steps: Sequence[Claimed]) -> None:
    """Carry out steps together; should that fail, one by one, so that a step which
    cannot be done delays no other."""
    if not steps:
        return
    try:
        with transaction.atomic():
            carry_out(tenant_id, steps)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(steps) > 1:
            for step in steps:
                carry_out_safely(tenant_id, [step])
            return
        log.exception("step_failed", extra={"due_step": steps[0].step.pk})
        put_off(steps[0].step, error)


def put_off(step: DueStep, error: Exception) -> None:
    """Try this step again later, ever more rarely."""
    wait = min(LONGEST_BACKOFF, 2 ** min(step.attempts, 10))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE due_step SET attempts = attempts + 1, error = %s, "
            "due_at = now() + %s * interval '1 second' WHERE id = %s",
            [f"{type(error).__name__}: {error}"[:2000], wait, step.pk],
        )


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
