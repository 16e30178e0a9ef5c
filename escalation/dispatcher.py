"""Which steps are due, and what does carrying them out write?

One transaction claims, judges and does: groups first (skipping locked ones, so it
never waits for a person's act), then their due steps. A crash anywhere leaves the
step due. Any number of dispatchers may run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import lifecycle
from alertcenter.alerts.lifecycle import GroupChange
from alertcenter.alerts.models import Group
from alertcenter.common import failpoints, tracing
from escalation import holding, oncall, runs, telemetry, threads
from escalation.messages import messages_for
from escalation.models import DueStep
from escalation.models.policy import StepKind
from notifications import outbox, personal, recipients
from notifications.message import Message
from notifications.models import Channel
from tenants.actors import THE_ENGINE
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


@dataclass(frozen=True)
class Claimed:
    """A due step whose row and group this transaction has locked."""

    step: DueStep
    group: Group


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


def carry_out(tenant_id: UUID, claimed: Sequence[Claimed]) -> None:
    """Write what the steps ask for: deliveries, timeline, the next due steps."""
    live = [c for c in claimed if c.group.state == "firing"]
    held = holding.hold(tenant_id, live)
    claimed = [c for c in claimed if c.step.pk not in held]
    live = [c for c in live if c.step.pk not in held]
    _close([c.step for c in claimed], [c.step for c in live])
    _go_on(tenant_id, [c.step for c in live])
    messages = messages_for(tenant_id, [c.group for c in live])
    correlations = opened_by(tenant_id, [c.group.pk for c in live])
    orders = _orders(tenant_id, live, correlations)
    # Before the new pages are written: whoever was told earlier sees who is told now,
    # and what comes next.
    told = outbox.told_of(tenant_id, [o.group.pk for o in orders])
    for order in orders:
        if order.group.pk in told:
            _tell_earlier(tenant_id, order)
    outbox.put(tenant_id, [e for o in orders for e in o.entries(messages)])
    lifecycle.change_groups([o.change() for o in orders], actor=THE_ENGINE)


def _close(steps: Sequence[DueStep], live: Sequence[DueStep]) -> None:
    """Mark steps done; those of groups that no longer fire are cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE due_step SET state = CASE WHEN id = ANY(%s) THEN 'done' "
            "ELSE 'cancelled' END, done_at = now() WHERE id = ANY(%s)",
            [[s.pk for s in live], [s.pk for s in steps]],
        )


def _go_on(tenant_id: UUID, steps: Sequence[DueStep]) -> None:
    """Write each run's next due step, or finish it at the end of its policy."""
    following, finished = [], []
    for step in steps:
        coming = runs.next_step(step.run.snapshot["steps"], step.position)
        if coming is None:
            finished.append(step.run_id)
            continue
        position, seconds = coming
        following.append(
            (step.run_id, step.group_id, position, step.round, float(seconds))
        )
    runs.add_due_steps(tenant_id, following)
    if finished:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE run SET state = 'finished', ended_at = now() "
                "WHERE tenant_id = %s AND id = ANY(%s)",
                [tenant_id, finished],
            )


def _tell_earlier(tenant_id: UUID, order: Order) -> None:
    with tracing.bind(order.correlation_id):
        threads.refresh(
            tenant_id,
            [order.group],
            kind=order.kind,
            actor="",
            data={"who": order.who, "reason": order.reason},
        )


class Target(NamedTuple):
    """One delivery to be: where, to whom, and by which later step of his chain."""

    kind: str
    channel_id: UUID | None
    address: str
    member_id: UUID | None = None
    seconds: int = 0
    step: int = 0


def resolve_target(
    tenant_id: UUID, plan: dict[str, Any], severity: int
) -> tuple[list[Target], str, str]:
    """Return (deliveries' targets, who was meant, why nobody if nobody).

    A person is told by the chain that he wrote for this severity.
    """
    target = UUID(plan["target"])
    if plan["kind"] == StepKind.CHANNEL:
        channel = Channel.objects.filter(
            tenant_id=tenant_id, pk=target, active=True
        ).first()
        if channel is None:
            return [], plan["who"], "channel_gone"
        found = [Target(*address) for address in recipients.for_channel(channel)]
        return found, channel.name, "" if found else "no_address"
    members, now = [target], lifecycle.database_time()
    who = str(plan["who"])
    if plan["kind"] == StepKind.ONCALL:
        people = oncall.on_call_by(tenant_id, [target], now).get(target, [])
        if not people:
            return [], who, "nobody_on_call"
        members, who = [member.pk for member in people], oncall.names_of(people)
    found = [
        Target(*call[:3], member_id, call.seconds, call.step)
        for member_id in members
        for call in personal.calls_for(tenant_id, member_id, severity=severity, at=now)
    ]
    return found, who, "" if found else "no_address"


@dataclass(frozen=True)
class Order:
    """What one step asks for: whom it tells, and why nobody if nobody."""

    step: DueStep
    group: Group
    targets: Sequence[Target]
    who: str
    reason: str
    correlation_id: str

    @property
    def kind(self) -> str:
        """What a line of the thread says of it."""
        return "told" if self.targets else "noted"

    def entries(self, messages: Mapping[UUID, Message]) -> list[outbox.Entry]:
        """Return the step's deliveries."""
        step, message = self.step, messages[self.group.pk]
        return [
            outbox.Entry(
                idem=f"{step.run_id}/{step.position}/{step.round}/"
                f"{one.channel_id or one.kind}:{one.address}"
                + (f"/{one.step}" if one.seconds else ""),
                message=message,
                channel_id=one.channel_id,
                channel_kind=one.kind,
                member_id=one.member_id,
                address=one.address,
                group_id=step.group_id,
                severity=message.severity,
                delay_seconds=one.seconds,
                correlation_id=self.correlation_id,
            )
            for one in self.targets
        ]

    def change(self) -> GroupChange:
        """Return the step's line of the timeline."""
        position = self.step.position
        kind = self.step.run.snapshot["steps"][position]["kind"]
        return GroupChange(
            self.step.tenant_id,
            self.group.pk,
            {},
            kind="paged" if self.targets else "noted",
            from_state="firing",
            reason=self.reason,
            data={"who": self.who, "step": position + 1, "kind": kind},
            correlation_id=self.correlation_id,
        )


def _orders(
    tenant_id: UUID, claimed: Sequence[Claimed], correlations: Mapping[UUID, str]
) -> list[Order]:
    """Return what the steps ask for; each target is looked up once."""
    resolved: dict[tuple[str, str, int], tuple[list[Target], str, str]] = {}
    orders = []
    for item in claimed:
        plan = item.step.run.snapshot["steps"][item.step.position]
        telemetry.STEPS.labels(plan["kind"]).inc()
        severity = item.group.severity
        asked = (plan["kind"], plan["target"], severity)
        if asked not in resolved:
            resolved[asked] = resolve_target(tenant_id, plan, severity)
        request = correlations.get(item.group.pk, "")
        orders.append(Order(item.step, item.group, *resolved[asked], request))
    return orders


OPENED_BY = """
SELECT DISTINCT ON (group_id) group_id, correlation_id FROM transition
WHERE tenant_id = %s AND group_id = ANY(%s) AND kind = 'opened'
ORDER BY group_id, id
"""


def opened_by(tenant_id: UUID, group_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the correlation id of the request that opened each group."""
    with connection.cursor() as cursor:
        cursor.execute(OPENED_BY, [tenant_id, list(group_ids)])
        return dict(cursor.fetchall())


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
