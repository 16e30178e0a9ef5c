"""What would alertmanager.yml say, to do what this tenant's routes do?

The text that /api/v2/status shows and that amtool reads. It is one that Alertmanager
0.25 and later loads: what it has no words for (policies, labels of routes) is told in
comments at the head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import yaml

from alertcenter.alerts.durations import written
from alertcenter.alerts.matchers import parse
from alertcenter.alerts.models import InhibitRule, Route, TimeInterval
from alertcenter.alerts.routing import CompiledRoute, walk

RESOLVE_TIMEOUT = "5m"
# The receiver where nobody wrote a default route.
NOBODY = "default"
TIMERS = (
    ("group_wait", "group_wait_seconds", "wait_seconds"),
    ("group_interval", "group_interval_seconds", "interval_seconds"),
    ("repeat_interval", "repeat_interval_seconds", "repeat_seconds"),
)


@dataclass(frozen=True)
class Integration:
    """What a channel is called in a receiver: `slack_configs` and one of its items."""

    section: str
    settings: Mapping[str, Any]


@dataclass
class Told:
    """What the configuration is made of, besides the tree."""

    rows: Mapping[UUID, Route] = field(default_factory=dict)
    intervals: Sequence[TimeInterval] = ()
    inhibitions: Sequence[InhibitRule] = ()
    integrations: Mapping[UUID, Integration] = field(default_factory=dict)
    with_channels: Set[UUID] = frozenset()  # routes that have some of their own
    policies: Mapping[UUID, str] = field(default_factory=dict)


def text_of(root: CompiledRoute, told: Told) -> str:
    """Return the configuration as YAML, comments first."""
    head = "".join(f"# {line}\n" for line in remarks(root, told))
    config = build(root, told)
    return head + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)


def build(root: CompiledRoute, told: Told) -> dict[str, Any]:
    """Return the configuration as plain values."""
    known = {interval.name for interval in told.intervals}
    config: dict[str, Any] = {"global": {"resolve_timeout": RESOLVE_TIMEOUT}}
    config["route"] = _node(root, told, known)
    config["receivers"] = _receivers(root, told.integrations)
    if told.inhibitions:
        config["inhibit_rules"] = [_inhibition(rule) for rule in told.inhibitions]
    if told.intervals:
        config["time_intervals"] = [
            {"name": one.name, "time_intervals": [_times(part) for part in one.times]}
            for one in told.intervals
        ]
    return config


def remarks(root: CompiledRoute, told: Told) -> list[str]:
    """Return what the configuration itself cannot say."""
    known = {interval.name for interval in told.intervals}
    found: dict[str, None] = {}
    for route in walk(root):
        name = _one_line(route.receiver or NOBODY)
        if route.policy_id and route.policy_id in told.policies:
            policy = _one_line(told.policies[route.policy_id])
            found[f"Receiver {name}: follows the policy {policy} of AlertCenter."] = (
                None
            )
        row = told.rows.get(route.id) if route.id else None
        if row and row.labels:
            pairs = ", ".join(f"{key}={value}" for key, value in row.labels.items())
            said = (
                f"{_one_line(route.name)} says with every message: {_one_line(pairs)}"
            )
            found[f"Route {said}."] = None
        named = {*route.mute_intervals, *route.active_intervals}
        if route.is_default and named:
            found["The default route's intervals are left out here."] = None
        for missing in sorted(named - known):
            said = f"{_one_line(route.name)} names the time interval {missing!r}"
            found[f"Route {said}, which is not there."] = None
    return list(found)


def _one_line(text: str) -> str:
    """Return `text` fit for a comment: no line of it may end the comment."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _node(route: CompiledRoute, told: Told, known: set[str]) -> dict[str, Any]:
    """Return one route with those below it; the root says all that it does."""
    row = None if route.is_default or route.id is None else told.rows.get(route.id)
    node: dict[str, Any] = {}
    if row is None or own_receiver(row, has_channels=row.pk in told.with_channels):
        node["receiver"] = route.receiver or NOBODY
    if row is None or row.group_by is not None:
        node["group_by"] = list(route.group_by)
    if route.matchers:
        node["matchers"] = [str(matcher) for matcher in route.matchers]
    for key, own, compiled in TIMERS:
        if row is None or getattr(row, own) is not None:
            node[key] = written(getattr(route, compiled))
    if not route.is_default:
        node |= _comings_and_goings(route, known)
    if route.children:
        node["routes"] = [_node(child, told, known) for child in route.children]
    return node


def _comings_and_goings(route: CompiledRoute, known: set[str]) -> dict[str, Any]:
    """Return what Alertmanager allows below the root only."""
    found: dict[str, Any] = {}
    if route.continue_matching:
        found["continue"] = True
    for key, names in (
        ("mute_time_intervals", route.mute_intervals),
        ("active_time_intervals", route.active_intervals),
    ):
        if there := [name for name in names if name in known]:
            found[key] = there
    return found


def own_receiver(row: Route, *, has_channels: bool) -> str:
    """Return the receiver that a route names itself; "" where it is the parent's.

    A route that tells somebody of its own, and has no name for it, is named itself
    (routing.compile_routes).
    """
    speaks = has_channels or row.policy_id or row.tells_nobody or row.is_default
    return row.receiver or (row.name if speaks else "")


def _receivers(
    root: CompiledRoute, integrations: Mapping[UUID, Integration]
) -> list[dict[str, Any]]:
    """Return every receiver once; routes that share a name share their channels."""
    told: dict[str, dict[UUID, None]] = {}
    for route in walk(root):
        channels = told.setdefault(route.receiver or NOBODY, {})
        channels.update(dict.fromkeys(route.channels))
    found = []
    for name, ids in told.items():
        receiver: dict[str, Any] = {"name": name}
        for pk in ids:
            if one := integrations.get(pk):
                receiver.setdefault(one.section, []).append(dict(one.settings))
        found.append(receiver)
    return found


def _inhibition(rule: InhibitRule) -> dict[str, Any]:
    return {
        "source_matchers": [str(parse(str(text))) for text in rule.source_matchers],
        "target_matchers": [str(parse(str(text))) for text in rule.target_matchers],
        "equal": list(map(str, rule.equal)),
    }


def _times(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value}
