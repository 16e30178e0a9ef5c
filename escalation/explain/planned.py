"""Whom would a route tell, when, and by what? By its policy, and its channels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from alertcenter.alerts.routing import CompiledRoute
from escalation import runs, sla
from escalation.explain.routes import Names
from escalation.explain.trace import Line, Link, Verdict
from escalation.steps import registry
from escalation.steps.base import Repeat, Supposed, WaitUntil
from escalation.steps.books import Books
from escalation.steps.walk import Course, Event, walk

TELLS = ("would_tell", "would_tell_oncall", "would_notice")
MOST_STEPS = 30
NOBODY = {
    "nobody_on_call": "would_nobody_on_call",
    "no_address": "would_no_address",
    "channel_gone": "would_channel_gone",
    "nobody": "would_nobody_left",
    "policy_gone": "would_nobody_left",
}
INSTEAD = {
    "if_skips": "would_skip",
    "if_stops": "would_stop",
    "if_waits": "would_wait",
    "handed_over": "would_hand_over",
    "raised": "would_raise",
    "resolves": "would_resolve",
}


def of_route(
    tenant_id: UUID,
    route: CompiledRoute,
    begin: datetime,
    severity: int,
    labels: Mapping[str, str] | None = None,
) -> list[Line]:
    """Return a line for each step, and one for the route's channels, by time.

    A person is told by the chain that he wrote for this severity.
    """
    lines = _channels(tenant_id, route, begin)
    if route.policy_id:
        group = Supposed(severity, labels or {})
        lines += _policy(tenant_id, route.policy_id, begin, group)
    return sorted(lines, key=lambda line: line.at or begin)


def course(
    tenant_id: UUID, policy_id: UUID, begin: datetime, group: Supposed
) -> Course | None:
    """Return what a policy would do; None without it."""
    known: dict[UUID, Any] = {}

    def load(pk: UUID) -> Any:
        if pk not in known:
            known[pk] = runs.snapshots(tenant_id, [pk]).get(pk)
        return known[pk]

    snapshot = load(policy_id)
    if snapshot is None:
        return None
    books, targets = Books(tenant_id, dry=True), sla.targets(tenant_id)
    return walk(books, snapshot, group, begin, load, targets)


def _channels(tenant_id: UUID, route: CompiledRoute, begin: datetime) -> list[Line]:
    if not route.channels:
        return []
    data = {
        "channels": Names(tenant_id, [route]).channels(route),
        "repeat_seconds": route.repeat_seconds,
    }
    link = Link("route", str(route.id), route.name)
    return [Line("notice", "would_notice", "yes", begin, data, link)]


def _policy(
    tenant_id: UUID, policy_id: UUID, begin: datetime, group: Supposed
) -> list[Line]:
    found = course(tenant_id, policy_id, begin, group)
    name = found.events[0].policy if found and found.events else ""
    link = Link("policy", str(policy_id), name)
    events = found.events if found else []
    lines = [line for event in events if (line := _line(event, link))]
    if not lines:
        data = {"policy": name}
        lines.append(Line("policy", "policy_empty", "no", begin, data, link))
    return lines[:MOST_STEPS]


def _line(event: Event, link: Link) -> Line | None:
    """Return what an event says; None for a condition that holds."""
    found, plan = event.found, event.plan
    kinds = sorted({target.kind for target in found.targets})
    data: dict[str, Any] = {
        "step": event.position + 1,
        "kind": plan["kind"],
        "who": found.who or said(plan),
        "schedule": registry.who(plan) if plan["kind"] == "oncall" else "",
        "kinds": kinds,
        "round": event.round,
    }
    if event.policy != link.name:
        data["policy"] = event.policy
    if isinstance(found.then, WaitUntil):
        data["when"] = found.then.moment
    code, verdict = _says(event)
    return Line("policy", code, verdict, event.at, data, link) if code else None


def _says(event: Event) -> tuple[str, Verdict]:
    """Return (what the line says, whether it speaks for somebody being told)."""
    found = event.found
    if found.targets:
        on_call = event.plan["kind"] == "oncall"
        return ("would_tell_oncall" if on_call else "would_tell"), "yes"
    if isinstance(found.then, Repeat):
        return "would_repeat", "info"
    if found.reason in INSTEAD:
        return INSTEAD[found.reason], "info"
    return NOBODY.get(found.reason, ""), "no"


def said(plan: Mapping[str, Any]) -> str:
    """Return whom a step tells, or what else it does."""
    return registry.who(plan) or registry.words(plan)
