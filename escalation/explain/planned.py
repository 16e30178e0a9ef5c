"""Whom would a route tell, when, and by what? By its policy, and its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alertcenter.alerts.routing import CompiledRoute
from escalation import oncall, runs
from escalation.explain.routes import Names
from escalation.explain.steps import Crew
from escalation.explain.trace import Line, Link, Verdict
from notifications import personal, recipients
from notifications.models import Channel

TELLS = ("would_tell", "would_tell_oncall", "would_notice")
MOST_STEPS = 30


def of_route(
    tenant_id: UUID, route: CompiledRoute, begin: datetime, severity: int
) -> list[Line]:
    """Return a line for each step, and one for the route's channels, by time.

    A person is told by the chain that he wrote for this severity.
    """
    lines = _channels(tenant_id, route, begin)
    if route.policy_id:
        lines += _policy(tenant_id, route.policy_id, begin, severity)
    return sorted(lines, key=lambda line: line.at or begin)


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
    tenant_id: UUID, policy_id: UUID, begin: datetime, severity: int
) -> list[Line]:
    plan = runs.snapshots(tenant_id, [policy_id]).get(policy_id)
    name = plan["name"] if plan else ""
    link = Link("policy", str(policy_id), name)
    crew, when = Crew(tenant_id), begin
    lines: list[Line] = []
    for number, step in enumerate(plan["steps"] if plan else (), 1):
        if step["kind"] == "wait":
            when += timedelta(seconds=int(step["wait"]))
        elif len(lines) < MOST_STEPS:
            lines.append(_step(tenant_id, crew, step, number, when, severity, link))
    if not lines:
        data = {"policy": name}
        lines.append(Line("policy", "policy_empty", "no", begin, data, link))
    return lines


def _step(
    tenant_id: UUID,
    crew: Crew,
    step: Mapping[str, Any],
    number: int,
    when: datetime,
    severity: int,
    link: Link,
) -> Line:
    kinds, who, code = _target(tenant_id, crew, step, when, severity)
    data = {
        "step": number,
        "kind": step["kind"],
        "who": who,
        "schedule": step["who"] if step["kind"] == "oncall" else "",
        "kinds": kinds,
    }
    verdict: Verdict = "yes" if kinds else "no"
    return Line("policy", code, verdict, when, data, link)


def _target(
    tenant_id: UUID,
    crew: Crew,
    step: Mapping[str, Any],
    when: datetime,
    severity: int,
) -> tuple[list[str], str, str]:
    """Return (kinds of channels, whom it tells, what the line says).

    Mirrors escalation.carrying.resolve_target, which asks for now.
    """
    who = str(step["who"])
    if step["kind"] == "channel":
        rows = Channel.objects.filter(tenant_id=tenant_id, pk=step["target"])
        channel = rows.filter(active=True).first()
        if channel is None:
            return [], who, "would_channel_gone"
        return _said(recipients.for_channel(channel), who, "would_tell")
    if step["kind"] == "member":
        member_id = UUID(step["target"])
        calls = personal.calls_for(tenant_id, member_id, severity=severity, at=when)
        return _said([call[:3] for call in calls], who, "would_tell")
    members = crew.at(step["target"], when)
    if not members:
        return [], who, "would_nobody_on_call"
    called = [
        call[:3]
        for member in members
        for call in personal.calls_for(tenant_id, member.pk, severity=severity, at=when)
    ]
    return _said(called, oncall.names_of(members), "would_tell_oncall")


def _said(
    found: Sequence[recipients.Address], who: str, code: str
) -> tuple[list[str], str, str]:
    kinds = sorted({kind for kind, _channel, _address in found})
    return kinds, who, code if kinds else "would_no_address"
