"""What was sent to whom, what did the other side say, and when does a channel hear
again?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from alertcenter.alerts.models import Flush, Notice
from alertcenter.alerts.models.transition import Kind
from escalation.explain.facts import Facts
from escalation.explain.steps import STOPS, by
from escalation.explain.trace import Line, Link, Verdict
from notifications.models import Attempt, Delivery

MOST_DELIVERIES = 30
MOST_ATTEMPTS = 200
LONGEST_ANSWER = 300
# What follows a page in its thread tells nobody anything that the page did not.
LESSER = ("update", "reply", "test", "answer")


def notices(facts: Facts) -> list[Line]:
    """Say what the route's channels were last told, and when they hear again."""
    mine = {"tenant_id": facts.tenant_id, "key": facts.group.key}
    lines = [
        _notice(row) for row in Notice.objects.filter(**mine).select_related("channel")
    ]
    for timer in Flush.objects.filter(tenant_id=facts.tenant_id, group=facts.group):
        route = facts.route
        data: dict[str, Any] = {
            "when": timer.due_at,
            "first": timer.due_at <= timer.anchor and not lines,
            "error": timer.error,
            "seconds": route.wait_seconds if route else 0,
            "repeat_seconds": route.repeat_seconds if route else 0,
        }
        code = "flush_failing" if timer.error else "flush_due"
        lines.append(Line("notice", code, "info", timer.due_at, data))
    return lines


def _notice(row: Notice) -> Line:
    data = {
        "who": str(row.channel),
        "reason": row.reason,
        "count": row.times,
        "firing": len(row.firing),
        "resolved": len(row.resolved),
    }
    link = Link("channel", str(row.channel_id), str(row.channel))
    return Line("notice", "notice", "yes", row.at, data, link)


def deliveries(facts: Facts) -> list[Line]:
    """Say what became of each page, with every attempt and its answer."""
    rows = list(
        Delivery.objects.filter(tenant_id=facts.tenant_id, group_id=facts.group.pk)
        .exclude(kind__in=LESSER)
        .select_related("channel", "member")
        .order_by("-created_at", "-id")[:MOST_DELIVERIES]
    )[::-1]
    tries = _attempts(facts.tenant_id, [row.pk for row in rows])
    lines = []
    for row in rows:
        lines.append(_delivery(facts, row, tries[row.pk]))
        lines += [_attempt(row, one) for one in tries[row.pk]]
    return lines


def _attempts(tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, list[Attempt]]:
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    rows = Attempt.objects.filter(tenant_id=tenant_id, delivery_id__in=list(ids))
    for row in rows.order_by("-at", "-id")[:MOST_ATTEMPTS]:
        found[row.delivery_id].insert(0, row)
    return found


def recipient(row: Delivery) -> str:
    """Return whom a delivery is for, by name; an address stays unsaid."""
    names: list[Any] = [row.member, row.channel]
    return next((str(name) for name in names if name), "")


def without_address(row: Delivery, said: str) -> str:
    """Return a provider's words with the recipient's own address left out."""
    if row.address and row.member_id:
        said = said.replace(row.address, "…")
    return said[:LONGEST_ANSWER]


def _delivery(facts: Facts, row: Delivery, tries: Sequence[Attempt]) -> Line:
    answer = row.error or (tries[-1].answer if tries else "")
    data: dict[str, Any] = {
        "who": recipient(row),
        "by_kind": row.channel_kind,
        "answer": without_address(row, answer),
        "count": len(tries),
        "when": row.next_at,
        "made": row.created_at,
    }
    code, verdict = _code(row, tries, facts)
    at = row.sent_at or (tries[-1].at if tries else row.created_at)
    if row.state == "cancelled":
        stop = next(
            (
                change
                for change in facts.changes
                if change.kind in STOPS and change.at >= row.created_at
            ),
            None,
        )
        data |= {"because": stop.kind if stop else "", "by": by(stop) if stop else ""}
        at = stop.at if stop else row.created_at
    return Line("delivery", code, verdict, at, data, Link("delivery", str(row.pk)))


def _code(row: Delivery, tries: Sequence[Attempt], facts: Facts) -> tuple[str, Verdict]:
    if row.state == "sent":
        return "sent", "yes"
    if row.state == "dead":
        return "dead", "no"
    if row.state == "cancelled":
        return "cancelled", "no"
    if row.state == "ambiguous":
        return ("in_doubt", "yes") if row.next_at is None else ("doubtful", "info")
    if tries and tries[-1].outcome == "ratelimited":
        return "asked_to_wait", "info"
    if tries:
        return "retrying", "info"
    if row.next_at is not None and row.next_at > facts.now:
        return "put_off", "info"
    return "sending", "info"


def _attempt(row: Delivery, one: Attempt) -> Line:
    data = {
        "number": one.number,
        "outcome": one.outcome,
        "milliseconds": one.milliseconds,
        "answer": without_address(row, one.answer),
        "who": recipient(row),
    }
    link = Link("delivery", str(row.pk))
    return Line("delivery", "attempt", "info", one.at, data, link, aside=True)


def held_changes(facts: Facts) -> list[Line]:
    """Say when the group fell quiet and was heard again, by the timeline."""
    codes = {
        Kind.SILENCED.value: "fell_silent",
        Kind.INHIBITED.value: "fell_inhibited",
        Kind.HEARD.value: "heard",
    }
    return [
        Line(
            "inhibition" if change.kind == Kind.INHIBITED else "silence",
            codes[change.kind],
            "info",
            change.at,
            {"who": by(change), **change.data},
            aside=True,
        )
        for change in facts.changes
        if change.kind in codes
    ]
