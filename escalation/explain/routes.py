"""Which route takes it, which group is it in, and is the route quiet at that hour?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from alertcenter.alerts import intervals, routing
from alertcenter.alerts.intervals import IntervalError
from alertcenter.alerts.models import TimeInterval
from alertcenter.alerts.routing import CompiledRoute, Trial
from escalation.explain.facts import Facts, labels_of
from escalation.explain.trace import Condition, Line, Link, Verdict
from escalation.models import Policy
from notifications.models import Channel

MOST_ROUTES = 300


class Names:
    """What the policies and channels of some routes are called."""

    def __init__(self, tenant_id: UUID, routes: Sequence[CompiledRoute]) -> None:
        policies = {route.policy_id for route in routes if route.policy_id}
        channels = {pk for route in routes for pk in route.channels}
        mine = {"tenant_id": tenant_id}
        self._policies: dict[UUID, str] = dict(
            Policy.objects.filter(**mine, pk__in=policies).values_list("pk", "name")
        )
        self._channels: dict[UUID, str] = dict(
            Channel.objects.filter(**mine, pk__in=channels).values_list("pk", "name")
        )

    def policy(self, route: CompiledRoute) -> str:
        """Return the name of the route's policy; "" without one."""
        return self._policies.get(route.policy_id, "") if route.policy_id else ""

    def channels(self, route: CompiledRoute) -> list[str]:
        """Return the names of the route's channels."""
        return [self._channels[pk] for pk in route.channels if pk in self._channels]


def link_to(route: CompiledRoute) -> Link | None:
    """Return the link to a route; None to the root that nobody made."""
    return Link("route", str(route.id), route.name) if route.id else None


def tried(
    tenant_id: UUID, tree: CompiledRoute, labels: Mapping[str, str], dedup_key: str
) -> list[Line]:
    """Say how each route judges the labels, and which takes them."""
    trials = routing.explain(tree, labels)
    taken = [trial for trial in trials if trial.taken]
    rest = [trial for trial in trials if not trial.taken]
    kept = {id(trial) for trial in (*taken, *rest[:MOST_ROUTES])}
    names = Names(tenant_id, [trial.route for trial in taken])
    groups = {
        id(placed.route): placed.labels
        for placed in routing.place(tree, labels, dedup_key)
    }
    return [
        _trial(trial, names, groups.get(id(trial.route), {}))
        for trial in trials
        if id(trial) in kept
    ]


def _trial(trial: Trial, names: Names, group_labels: Mapping[str, str]) -> Line:
    route = trial.route
    data = {
        "route": route.name,
        "policy": names.policy(route) if trial.taken else "",
        "channels": names.channels(route) if trial.taken else [],
        "labels": [f"{name}={value}" for name, value in group_labels.items()],
        "depth": trial.depth,
    }
    code, verdict = _code(trial)
    return Line(
        "route",
        code,
        verdict,
        data=data,
        link=link_to(route),
        conditions=tuple(Condition(*one) for one in trial.conditions),
        aside=not trial.taken,
    )


def _code(trial: Trial) -> tuple[str, Verdict]:
    route = trial.route
    if trial.taken and route.id is None:
        return "no_route", "no"
    if trial.taken and route.policy_id:
        return "route_takes_policy", "yes"
    if trial.taken and route.channels:
        return "route_takes_channels", "yes"
    if trial.taken:
        return "route_tells_nobody", "no"
    if not trial.tried:
        return "route_untried", "info"
    return "route_below" if trial.matched else "route_no_match", "info"


def of_group(facts: Facts) -> list[Line]:
    """Say which group it is, how its route judges it now, and what changed since.

    That a route tells nobody decides nothing here where the group went to another.
    """
    group = facts.group
    lines: list[Line] = []
    if facts.examples:
        alert = facts.examples[0].alert
        lines = tried(facts.tenant_id, facts.tree, labels_of(alert), alert.dedup_key)
    taken = {line.link.id for line in lines if line.link and not line.aside}
    moved = bool(lines) and str(group.route_id) not in taken
    if group.route_id is None:
        moved = bool(lines) and not any(line.code == "no_route" for line in lines)
    if moved:
        lines = [replace(line, verdict="info") for line in lines]
        data = {"route": str(group.route) if group.route_id else ""}
        code = "route_then" if group.route_id else "no_route_then"
        verdict: Verdict = "info" if group.route_id else "no"
        lines.append(Line("route", code, verdict, at=group.opened_at, data=data))
    link = Link("group", str(group.number), group.title)
    counted = {"group": group.number, "alerts": group.alert_count}
    if facts.only is None:
        lines.append(
            Line("route", "group", at=group.opened_at, data=counted, link=link)
        )
    else:
        joined = facts.only.joined_at
        lines.append(Line("route", "joined", at=joined, data=counted, link=link))
    return lines


# --- time intervals ---


def intervals_at(tenant_id: UUID, route: CompiledRoute, moment: datetime) -> list[Line]:
    """Say which intervals of the route hold at `moment`, and what follows."""
    wanted = [*route.mute_intervals, *route.active_intervals]
    if not wanted:
        return []
    rows = TimeInterval.objects.filter(tenant_id=tenant_id, name__in=wanted)
    known = {row.name: row for row in rows}
    holds = {name: _contains(known.get(name), moment) for name in wanted}
    lines = []
    for name in route.mute_intervals:
        inside = holds[name]
        code = "interval_mutes" if inside else "interval_not_now"
        lines.append(_interval(code, name, known, route, moment, against=inside))
    # A name that is gone mutes nothing: escalation.intervals.
    active = [name for name in route.active_intervals if name in known]
    heard = not active or any(holds[name] for name in active)
    for name in route.active_intervals:
        code = "interval_active" if holds[name] else "interval_outside"
        lines.append(_interval(code, name, known, route, moment, against=not heard))
    return lines


def _contains(row: TimeInterval | None, moment: datetime) -> bool:
    if row is None:
        return False
    try:
        return intervals.contains(intervals.parse(row.times), moment)
    except IntervalError:
        return False  # the admin refuses such an interval


def _interval(
    code: str,
    name: str,
    known: Mapping[str, TimeInterval],
    route: CompiledRoute,
    moment: datetime,
    *,
    against: bool,
) -> Line:
    row = known.get(name)
    return Line(
        "interval",
        code if row else "interval_gone",
        "no" if against and row else "info",
        at=moment,
        data={"interval": name, "route": route.name},
        link=Link("interval", str(row.pk), name) if row else None,
        aside=not against,
    )
