"""What does carrying out a step write?

Deliveries, a line of the timeline, the run's next due step. The caller has locked the
step and its group; a crash anywhere leaves the step due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from alertcenter.alerts import lifecycle
from alertcenter.alerts.lifecycle import GroupChange
from alertcenter.alerts.models import Group
from escalation import holding, oncall, runs, telemetry, threads
from escalation.messages import messages_for
from escalation.models import DueStep
from escalation.models.policy import StepKind
from notifications import outbox, personal, recipients
from notifications.message import Message
from notifications.models import Channel
from tenants.actors import THE_ENGINE


class UnknownStepError(Exception):
    """A step of a kind that this release does not know."""


@dataclass(frozen=True)
class Claimed:
    """A due step whose row and group this transaction has locked."""

    step: DueStep
    group: Group


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
    lines = [order.line() for order in orders if order.group.pk in told]
    threads.add(tenant_id, lines, messages)
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

    def line(self) -> threads.Line:
        """Return what those hear who were told earlier."""
        data = {"who": self.who, "reason": self.reason}
        return threads.Line(
            self.group, self.kind, data=data, correlation_id=self.correlation_id
        )

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
        if plan["kind"] not in StepKind.values:
            # A newer release wrote it, and knows what to do: it is put off till then.
            raise UnknownStepError(plan["kind"])
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
