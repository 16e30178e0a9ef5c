"""What does carrying out a step write?

Deliveries, a line of the timeline, the run's next due step. The caller has locked the
step and its group; a crash anywhere leaves the step due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts import lifecycle, weighing
from alertcenter.alerts.lifecycle import GroupChange
from alertcenter.alerts.models import Group
from escalation import holding, runs, telemetry, threads
from escalation.messages import Upcoming, messages_for
from escalation.models import DueStep
from escalation.steps.base import (
    GoOn,
    HandOver,
    Repeat,
    Resolved,
    Situation,
    WaitUntil,
)
from escalation.steps.books import Books
from escalation.steps.following import MOST_HANDED, Coming, following, next_who
from escalation.steps.registry import kind_of
from notifications import outbox
from notifications.message import Message
from tenants.actors import THE_ENGINE

IN_TURN = "round_robin"


@dataclass(frozen=True)
class Claimed:
    """A due step whose row and group this transaction has locked."""

    step: DueStep
    group: Group

    @property
    def plan(self) -> Mapping[str, Any]:
        """The step as the run's snapshot has it."""
        found: Mapping[str, Any] = self.step.run.snapshot["steps"][self.step.position]
        return found


def carry_out(tenant_id: UUID, claimed: Sequence[Claimed]) -> set[UUID]:
    """Write what the steps ask for: deliveries, timeline, the next due steps.

    Returns the groups that screens are to show anew: those of whose steps the flow
    need not hear, for the group itself stands as before.
    """
    over = [c for c in claimed if c.group.state != "firing"]
    live = [c for c in claimed if c.group.state == "firing"]
    held = holding.hold(tenant_id, live)
    now = lifecycle.database_time()
    live = _come(now, [c for c in live if c.step.pk not in held])
    orders = _orders(tenant_id, live, now)
    ended = [o for o in orders if not isinstance(o.found.then, WaitUntil)]
    _close([c.step for c in over], [o.step for o in ended])
    _put_off([o for o in orders if isinstance(o.found.then, WaitUntil)])
    upcoming = _go_on(tenant_id, ended, now)
    # Before the new pages are written: whoever was told earlier sees who is told now,
    # and what comes next.
    said = [o for o in orders if o.found.says]
    told = outbox.told_of(tenant_id, [o.group.pk for o in said])
    heard = [o for o in said if o.group.pk in told]
    spoken = {o.group.pk: o.group for o in orders if o.found.targets}
    spoken |= {o.group.pk: o.group for o in heard}
    messages = (
        messages_for(tenant_id, list(spoken.values()), upcoming=upcoming)
        if spoken
        else {}
    )
    threads.add(tenant_id, [order.line() for order in heard], messages)
    outbox.put(tenant_id, [e for o in orders for e in o.entries(messages)])
    # Whose step only told somebody is as it was: nothing waits for that.
    plain = [o for o in said if not o.found.values and not o.found.act]
    others = [o for o in said if o.found.values or o.found.act]
    for some, feed in ((plain, False), (others, True)):
        lifecycle.change_groups(
            [o.change(tenant_id) for o in some], actor=THE_ENGINE, feed=feed
        )
    for order in orders:
        if order.found.act:
            order.found.act()
    return {o.group.pk for o in plain}


def pass_over(tenant_id: UUID, item: Claimed, error: str) -> set[UUID]:
    """Go on at once after a step that cannot be carried out: whoever comes next must
    not wait for it. The timeline says so; returns the group as `carry_out` does."""
    who = str(item.plan.get("who") or "")
    found = Resolved(who=who, reason="failed", then=GoOn(at_once=True))
    order = Order(
        item, found, opened_by(tenant_id, [item.group.pk]).get(item.group.pk, "")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE due_step SET error = %s WHERE id = %s", [error, item.step.pk]
        )
    _close([], [item.step])
    _go_on(tenant_id, [order], lifecycle.database_time())
    lifecycle.change_groups([order.change(tenant_id)], actor=THE_ENGINE, feed=False)
    return {item.group.pk}


def _come(now: datetime, claimed: Sequence[Claimed]) -> list[Claimed]:
    """Return those whose time has come; what another process, of a former version,
    made due too early is put back."""
    early = [c for c in claimed if c.step.not_before and c.step.not_before > now]
    runs.put_back([c.step.pk for c in early])
    return [c for c in claimed if c not in early]


def _close(cancelled: Sequence[DueStep], done: Sequence[DueStep]) -> None:
    """Mark steps done; those of groups that no longer fire are cancelled."""
    if not cancelled and not done:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE due_step SET state = CASE WHEN id = ANY(%s) THEN 'done' "
            "ELSE 'cancelled' END, done_at = now() WHERE id = ANY(%s)",
            [[s.pk for s in done], [s.pk for s in (*cancelled, *done)]],
        )


def _put_off(orders: Sequence[Order]) -> None:
    """Look at these steps again at the moments that they name."""
    runs.wait(
        [
            (o.step.pk, o.found.then.held, o.found.then.moment)
            for o in orders
            if isinstance(o.found.then, WaitUntil)
        ]
    )


def _go_on(
    tenant_id: UUID, orders: Sequence[Order], now: datetime
) -> dict[UUID, Upcoming]:
    """Write each run's next due step, or finish it at the end of its policy; return
    what comes next of those groups whose run goes on."""
    rows, finished, handed, who = [], [], [], {}
    for order in orders:
        step = order.step
        coming = _coming(tenant_id, order, now)
        if coming is None:
            finished.append(step.run_id)
            if isinstance(order.found.then, HandOver):
                handed.append(order)
            continue
        rows.append((step.run_id, step.group_id, *coming))
        who[step.group_id] = next_who(step.run.snapshot["steps"], coming.position)
    moments = runs.add_due_steps(tenant_id, rows)
    runs.finish(tenant_id, finished)
    _hand_over(tenant_id, handed)
    return {pk: (moment, who[pk]) for pk, moment in moments.items()}


def _coming(tenant_id: UUID, order: Order, now: datetime) -> Coming | None:
    """Return what follows a step; None for the end."""
    step, then = order.step, order.found.then
    age = 0.0
    if isinstance(then, Repeat):
        begun = runs.round_began(tenant_id, step.run_id, step.round) or now
        age = (now - begun).total_seconds()
    steps = step.run.snapshot["steps"]
    return following(steps, step.position, then, step.round, age)


def _hand_over(tenant_id: UUID, orders: Sequence[Order]) -> None:
    """Let other policies go to work; a circle of policies ends after a few."""
    starts = []
    for order in orders:
        handed = int(order.step.run.snapshot.get("handed", 0)) + 1
        if isinstance(order.found.then, HandOver) and handed <= MOST_HANDED:
            policy_id = order.found.then.policy_id
            starts.append(runs.Start(order.group, policy_id, handed=handed))
    runs.start(tenant_id, starts)


@dataclass(frozen=True)
class Order:
    """What one step asks for."""

    claimed: Claimed
    found: Resolved
    correlation_id: str

    @property
    def step(self) -> DueStep:
        return self.claimed.step

    @property
    def group(self) -> Group:
        return self.claimed.group

    def line(self) -> threads.Line:
        """Return what those hear who were told earlier."""
        found = self.found
        return threads.Line(
            self.group,
            "told" if found.targets else "noted",
            data={"who": found.who, "reason": found.reason},
            correlation_id=self.correlation_id,
        )

    def entries(self, messages: Mapping[UUID, Message]) -> list[outbox.Entry]:
        """Return the step's deliveries."""
        if not self.found.targets:
            return []
        step, message = self.step, messages[self.group.pk]
        turn = f"/t{step.turn}" if step.turn else ""
        return [
            outbox.Entry(
                idem=f"{step.run_id}/{step.position}/{step.round}/"
                f"{one.channel_id or one.kind}:{one.address}{turn}"
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
            for one in self.found.targets
        ]

    def change(self, tenant_id: UUID) -> GroupChange:
        """Return the step's line of the timeline, and what it changes."""
        found, group = self.found, self.group
        values = dict(found.values)
        if "severity" in values:
            group.severity = values["severity"]
            weighing.weigh(tenant_id, [Raised(group)])
            values |= weighing.columns(group)
        return GroupChange(
            tenant_id,
            group.pk,
            values,
            kind=found.kind or ("paged" if found.targets else "noted"),
            from_state="firing",
            reason=found.reason,
            data={
                "who": found.who,
                "step": self.step.position + 1,
                "kind": self.claimed.plan["kind"],
                **found.data,
            },
            correlation_id=self.correlation_id,
        )


@dataclass(frozen=True)
class Raised:
    """A group that is weighed anew, although nothing joined it."""

    group: Group
    joined: Sequence[Any] = ()


def _orders(tenant_id: UUID, live: Sequence[Claimed], now: datetime) -> list[Order]:
    """Return what the steps ask for; what several look up is looked up once."""
    if not live:
        return []
    books = Books(tenant_id)
    turns = [c.plan["step"] for c in live if c.plan["kind"] == IN_TURN]
    books.take_turns(UUID(step) for step in turns if step)
    correlations = opened_by(tenant_id, [c.group.pk for c in live])
    orders = []
    for item in live:
        telemetry.STEPS.labels(item.plan["kind"]).inc()
        request = correlations.get(item.group.pk, "")
        orders.append(Order(item, resolve(books, item, now), request))
    return orders


def resolve(books: Books, item: Claimed, now: datetime) -> Resolved:
    """Return what a claimed step comes to."""
    step = item.step
    return kind_of(item.plan["kind"]).resolve(
        Situation(
            books=books,
            plan=item.plan,
            group=item.group,
            now=now,
            round=step.round,
            turn=step.turn,
            forced=step.forced,
            run_id=step.run_id,
        )
    )


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
