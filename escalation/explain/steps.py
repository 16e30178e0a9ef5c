"""How far is the policy, who was told by which step, and what stopped it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alertcenter.alerts.models import Transition
from alertcenter.alerts.models.transition import Kind
from escalation import oncall, rota
from escalation.explain.facts import Facts
from escalation.explain.planned import said
from escalation.explain.trace import Line, Link
from escalation.hours import Span
from escalation.models import DueStep, Run
from escalation.rota import Rota
from escalation.steps import registry
from tenants.actors import ENGINE
from tenants.models import Member

MOST_RUNS = 3
ACTS = (
    Kind.ACKNOWLEDGED,
    Kind.UNACKNOWLEDGED,
    Kind.SNOOZED,
    Kind.WOKEN,
    Kind.ASSIGNED,
    Kind.ESCALATED,
    Kind.RESOLVED,
)
# What ends a run, and cancels what it has due.
STOPS = (Kind.ACKNOWLEDGED, Kind.SNOOZED, Kind.RESOLVED)


def of_group(facts: Facts) -> list[Line]:
    """Say what each of the last runs did and will do, and what people did."""
    mine = {"tenant_id": facts.tenant_id, "group": facts.group}
    runs = list(Run.objects.filter(**mine).order_by("-created_at")[:MOST_RUNS])
    due: dict[UUID, dict[int, DueStep]] = {run.pk: {} for run in runs}
    rows = DueStep.objects.filter(tenant_id=facts.tenant_id, run_id__in=list(due))
    for row in rows.order_by("round", "id"):
        due[row.run_id][row.position] = row
    crew = Crew(facts.tenant_id)
    lines = [
        line
        for run in reversed(runs)
        for line in _of_run(RunFacts(facts, run, due[run.pk], crew))
    ]
    lines += [_act(change) for change in facts.changes if change.kind in ACTS]
    if not runs:
        lines += _without_run(facts)
    return sorted(lines, key=lambda line: line.at or facts.now)


class Crew:
    """Who is on call by which schedule at a moment; each schedule is read once for
    the time ahead of the first moment."""

    def __init__(self, tenant_id: UUID) -> None:
        self._tenant_id = tenant_id
        self._known: dict[str, tuple[Span, Rota | None]] = {}

    def at(self, schedule_id: str, moment: datetime) -> list[Member]:
        """Return the members who are."""
        within, found = self._known.get(schedule_id, (None, None))
        if within is None or not within.starts_at <= moment < within.ends_at:
            pk, within = UUID(schedule_id), Span(moment, moment + oncall.LONGEST_LOOK)
            found = oncall.load(self._tenant_id, [pk], within).get(pk)
            self._known[schedule_id] = within, found
        people = rota.people_at(found, moment) if found else ()
        return list(oncall.members_of(self._tenant_id, [people]).values())


@dataclass(frozen=True)
class RunFacts:
    """One run with its due steps by position."""

    facts: Facts
    run: Run
    due: Mapping[int, DueStep]
    crew: Crew

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.run.snapshot["steps"]
        return found

    @property
    def link(self) -> Link:
        policy = str(self.run.snapshot.get("policy", ""))
        return Link("policy", policy, self.run.policy_name)


def _of_run(run: RunFacts) -> list[Line]:
    data = {"policy": run.run.policy_name, "state": run.run.state}
    begun = run.run.created_at
    lines = [Line("policy", "run", "info", begun, data, run.link)]
    coming: datetime | None = None
    for position, step in enumerate(run.steps):
        if step["kind"] == "wait":
            if coming is not None:
                coming += timedelta(seconds=int(step["wait"]))
            continue
        row = run.due.get(position)
        lines.append(_step(run, position, row, coming))
        if row is not None:
            coming = row.due_at if row.state == "due" else None
    return [line for line in lines if line.code]


def _step(
    run: RunFacts, position: int, row: DueStep | None, coming: datetime | None
) -> Line:
    step = run.steps[position]
    data: dict[str, Any] = {
        "step": position + 1,
        "first": position == _first(run.steps),
        "kind": step["kind"],
        "who": said(step),
        "schedule": registry.who(step) if step["kind"] == "oncall" else "",
        "policy": run.run.policy_name,
    }
    if row is None:
        return _not_yet(run, step, data, coming)
    if row.state == "done":
        return _done(run, row, data)
    if row.state == "cancelled":
        return _cancelled(run, row, data)
    return _due(run, step, row, data)


def _first(steps: Sequence[Mapping[str, Any]]) -> int:
    kinds = (number for number, step in enumerate(steps) if step["kind"] != "wait")
    return next(kinds, -1)


def _not_yet(
    run: RunFacts,
    step: Mapping[str, Any],
    data: dict[str, Any],
    coming: datetime | None,
) -> Line:
    """A step that has no row yet: it comes after those before it, or never."""
    if run.run.state != "active" or coming is None:
        return Line("policy", "step_never", "info", None, data, run.link, aside=True)
    data |= _planned(run, step, coming)
    return Line("policy", "step_coming", "info", coming, data, run.link)


def _planned(
    run: RunFacts, step: Mapping[str, Any], moment: datetime
) -> dict[str, Any]:
    """Say who is on call at the moment of a step that asks for that."""
    planned: dict[str, Any] = {"when": moment}
    if step["kind"] == "oncall" and step.get("target"):
        names = oncall.names_of(run.crew.at(step["target"], moment))
        planned |= {"who": names or step["who"], "nobody": not names}
    return planned


def _done(run: RunFacts, row: DueStep, data: dict[str, Any]) -> Line:
    told = _told(run.facts.changes, row, data["step"])
    if told is None:
        return Line("policy", "step_done", "info", row.done_at, data, run.link)
    data |= {"who": told.data.get("who", data["who"]), "reason": told.reason}
    if told.kind == Kind.SEVERITY:
        return Line("policy", "step_raised", "info", told.at, data, run.link)
    if told.reason in INSTEAD:
        code = f"step_{told.reason}"
        return Line("policy", code, "info", told.at, data, run.link)
    if told.kind == Kind.PAGED:
        code = "step_told_oncall" if data["schedule"] else "step_told"
        return Line("policy", code, "yes", told.at, data, run.link)
    code = f"step_{told.reason}" if told.reason in NOBODY else "step_nobody"
    return Line("policy", code, "no", told.at, data, run.link)


NOBODY = ("nobody_on_call", "no_address", "channel_gone", "failed")
INSTEAD = ("if_skips", "if_stops", "if_waits", "handed_over")
# A step that waits by itself: for hours, for somebody, for a change of the group.
OWN = (
    "nobody",
    "repair",
    "everyone",
    "busy",
    "if_time",
    "if_hours",
    "if_severity",
    "if_size",
    "if_rate",
)


def _told(
    changes: Sequence[Transition], row: DueStep, number: int
) -> Transition | None:
    """Return the line of the timeline that this step wrote, in its transaction."""
    mine = [
        change
        for change in changes
        if change.kind in (Kind.PAGED, Kind.NOTED, Kind.SEVERITY)
        and change.data.get("step") == number
    ]
    if row.done_at is None or not mine:
        return None
    done_at = row.done_at
    nearest = min(mine, key=lambda change: abs(change.at - done_at))
    return nearest if abs(nearest.at - done_at) < timedelta(seconds=1) else None


def _cancelled(run: RunFacts, row: DueStep, data: dict[str, Any]) -> Line:
    ended = row.done_at or run.run.ended_at
    stop = stopped_by(run.facts.changes, ended)
    data |= {"reason": row.held, "because": "", "by": ""}
    if stop is not None:
        data |= {"because": stop.kind, "by": by(stop)}
    if row.held:
        return Line("policy", "step_was_held", "no", row.due_at, data, run.link)
    return Line("policy", "step_cancelled", "no", ended, data, run.link)


def stopped_by(
    changes: Iterable[Transition], moment: datetime | None
) -> Transition | None:
    """Return what people or the source did last, by `moment`, that stops runs."""
    stops = [
        change
        for change in changes
        if change.kind in STOPS and (moment is None or change.at <= moment)
    ]
    return stops[-1] if stops else None


def by(change: Transition) -> str:
    """Return the person who did it; "" for the engine."""
    return "" if change.actor_kind == ENGINE else change.actor_label


def _due(
    run: RunFacts, step: Mapping[str, Any], row: DueStep, data: dict[str, Any]
) -> Line:
    data |= _planned(run, step, row.due_at) | {"error": row.error}
    if row.held in OWN and row.not_before:
        data["reason"] = row.held
        return Line("policy", "step_waiting", "info", row.due_at, data, run.link)
    if row.held:
        data["reason"] = row.held
        return Line("policy", "step_held", "no", row.due_at, data, run.link)
    if row.error:
        return Line("policy", "step_failing", "no", row.due_at, data, run.link)
    return Line("policy", "step_due", "info", row.due_at, data, run.link)


def _act(change: Transition) -> Line:
    data = {
        "who": by(change),
        "name": change.data.get("name", ""),
        "seconds": change.data.get("seconds", 0),
        "reason": change.reason,
    }
    code = change.kind
    if change.kind == Kind.RESOLVED and change.reason == "policy":
        code = "resolved_policy"
    elif change.kind == Kind.RESOLVED and change.reason != "person":
        code = "resolved_source"
    if change.kind == Kind.UNACKNOWLEDGED and change.reason in ("worse", "ack_over"):
        code = change.reason
    verdict = "no" if change.kind in (Kind.ACKNOWLEDGED, Kind.SNOOZED) else "info"
    return Line("policy", code, "no" if verdict == "no" else "info", change.at, data)


def _without_run(facts: Facts) -> list[Line]:
    route = facts.route
    if route is None or not route.policy_id:
        return []  # said of the route
    link = Link("policy", str(route.policy_id))
    data = {"route": route.name}
    return [Line("policy", "no_run", "no", facts.group.opened_at, data, link)]
