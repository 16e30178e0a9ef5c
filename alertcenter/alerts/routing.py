"""Which routes take an alert, and which groups does it belong to?

The routes are a tree, walked as Alertmanager walks it (reference/wire-protocols.md
3.3): depth first, left to right; the first child that matches takes the alert unless
it goes on; a node none of whose children matched takes it itself. A group's identity
is the route and the values of the labels it groups by.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from alertcenter.alerts.matcher_index import MatcherIndex
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models import Route, RouteChannel

FRESH_SECONDS = 1.0
EVERY_LABEL = "..."
# What holds where neither a route nor those above it say anything.
WAIT_SECONDS, INTERVAL_SECONDS, REPEAT_SECONDS = 10, 300, 4 * 3600
STORM_PER_MINUTE = 30
DEEPEST = 30
MOST_KNOWN = 100_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """One route with all that it inherits, ready to be tried.

    `path` is the key that Alertmanager would give it, such as `{}/{team="db"}`.
    """

    id: UUID | None
    name: str
    matchers: Sequence[Matcher]
    group_by: Sequence[str]
    wait_seconds: int
    policy_id: UUID | None
    is_default: bool
    interval_seconds: int = INTERVAL_SECONDS
    repeat_seconds: int = REPEAT_SECONDS
    channels: Sequence[UUID] = ()
    receiver: str = ""
    mute_intervals: Sequence[str] = ()
    active_intervals: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    continue_matching: bool = False
    storm_per_minute: int = STORM_PER_MINUTE
    path: str = "{}"
    children: Sequence[CompiledRoute] = ()
    index: MatcherIndex | None = None


# Where no route matches and there is no default, an alert still is a group of its
# own, shown on the dashboard: nobody is paged, but nothing is hidden.
NOWHERE = CompiledRoute(None, "", (), (EVERY_LABEL,), 0, None, True)


@dataclass(frozen=True, slots=True)
class Trial:
    """How one route judged an alert: each condition with its verdict.

    `depth` in the tree; `tried` is false where the walk never came to it.
    """

    route: CompiledRoute
    conditions: Sequence[tuple[str, str, bool]]
    matched: bool
    depth: int = 0
    tried: bool = True
    taken: bool = False

    @property
    def rails(self) -> range:
        """One for each level above, for pages that draw the tree."""
        return range(self.depth)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert goes."""

    route: CompiledRoute
    key: str
    labels: dict[str, str]


def compile_routes(
    routes: Sequence[Route], channels: Mapping[UUID, Sequence[UUID]] | None = None
) -> CompiledRoute:
    """Return the root of the tree of these active routes, in their order."""
    below: dict[UUID | None, list[Route]] = defaultdict(list)
    root = next((route for route in routes if route.is_default), None)
    for route in routes:
        if not route.is_default:
            parent = route.parent_id
            below[None if root and parent == root.pk else parent].append(route)
    top = _compiled(root, NOWHERE, channels or {}) if root else NOWHERE
    if top is None:
        top = NOWHERE
    return _with_children(top, None, below, channels or {}, 1)


def _with_children(
    route: CompiledRoute,
    pk: UUID | None,
    below: Mapping[UUID | None, Sequence[Route]],
    channels: Mapping[UUID, Sequence[UUID]],
    depth: int,
) -> CompiledRoute:
    children = []
    for row in below.get(pk, ()):
        child = _compiled(row, route, channels)
        if child is not None and depth < DEEPEST:
            children.append(_with_children(child, row.pk, below, channels, depth + 1))
    if not children:
        return route
    index = MatcherIndex(child.matchers for child in children)
    return replace(route, children=tuple(children), index=index)


def _compiled(
    row: Route, above: CompiledRoute, channels: Mapping[UUID, Sequence[UUID]]
) -> CompiledRoute | None:
    """Return one route with what it inherits; None if it cannot be read."""
    try:
        matchers = [parse(str(text)) for text in row.matchers]
    except MatcherError:
        return None  # the admin refuses such a route
    own = tuple(channels.get(row.pk, ()))
    speaks = bool(own or row.policy_id or row.tells_nobody or row.is_default)
    if row.is_default:
        above = replace(NOWHERE, group_by=(), wait_seconds=WAIT_SECONDS)
        matchers = []
    path = ",".join(sorted(map(str, matchers)))
    return CompiledRoute(
        row.pk,
        row.name,
        matchers,
        _else(
            None if row.group_by is None else tuple(map(str, row.group_by)),
            above.group_by,
        ),
        _else(row.group_wait_seconds, above.wait_seconds),
        row.policy_id if speaks else above.policy_id,
        row.is_default,
        _else(row.group_interval_seconds, above.interval_seconds),
        _else(row.repeat_interval_seconds, above.repeat_seconds),
        own if speaks else above.channels,
        row.receiver or (row.name if speaks else above.receiver or row.name),
        tuple(map(str, row.mute_intervals)),
        tuple(map(str, row.active_intervals)),
        {**above.labels, **row.labels},
        row.continue_matching,
        _else(row.storm_per_minute, above.storm_per_minute),
        "{}" if row.is_default else f"{above.path}/{{{path}}}",
    )


def _else(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value


def choose(root: CompiledRoute, labels: Mapping[str, str]) -> list[CompiledRoute]:
    """Return the routes that take an alert with these labels: at least one."""
    found: list[CompiledRoute] = []
    if root.index is not None:
        for number in root.index.matching(labels):
            child = root.children[number]
            found += choose(child, labels)
            if not child.continue_matching:
                break
    return found or [root]


def explain(root: CompiledRoute, labels: Mapping[str, str]) -> list[Trial]:
    """Return how each route of the tree judges the labels, in the order of the walk."""
    takers = {id(route) for route in choose(root, labels)}
    trials: list[Trial] = []

    def visit(route: CompiledRoute, depth: int, tried: bool) -> None:
        conditions = [
            (str(m), labels.get(m.name, ""), m.matches(labels)) for m in route.matchers
        ]
        matched = all(verdict for _, _, verdict in conditions)
        taken = tried and id(route) in takers
        trials.append(Trial(route, conditions, matched, depth, tried, taken))
        inside = tried and matched
        for child in route.children:
            visit(child, depth + 1, inside)
            if inside and _holds(child, labels) and not child.continue_matching:
                inside = False

    visit(root, 0, True)
    return trials


def _holds(route: CompiledRoute, labels: Mapping[str, str]) -> bool:
    return all(m.matches(labels) for m in route.matchers)


def walk(root: CompiledRoute) -> list[CompiledRoute]:
    """Return all routes of the tree, parents first."""
    found = [root]
    for child in root.children:
        found += walk(child)
    return found


def place(
    root: CompiledRoute, labels: Mapping[str, str], dedup_key: str
) -> list[Placement]:
    """Return the routes and the groups for an alert.

    Grouped by `...`, or keyed by its sender without any of the labels grouped by,
    an alert is a group of its own.
    """
    return [_placed(route, labels, dedup_key) for route in choose(root, labels)]


def _placed(
    route: CompiledRoute, labels: Mapping[str, str], dedup_key: str
) -> Placement:
    if EVERY_LABEL in route.group_by:
        shown = dict(labels)
        alone = True
    else:
        shown = {name: labels[name] for name in route.group_by if labels.get(name)}
        alone = dedup_key.startswith("k/") and not shown
    identity: object = dedup_key if alone else sorted(shown.items())
    text = json.dumps([str(route.id), identity], ensure_ascii=False)
    return Placement(route, hashlib.sha256(text.encode()).hexdigest(), shown)


class Book:
    """One tenant's routes, and where alerts went that look the same to them."""

    def __init__(self, root: CompiledRoute) -> None:
        self.root = root
        routes = walk(root)
        self.by_id = {route.id: route for route in routes}
        self.names = tuple(
            {m.name for route in routes for m in route.matchers}
            | {name for route in routes for name in route.group_by}
        )
        self._known: dict[tuple[str | None, ...], list[Placement]] = {}

    def place(self, labels: Mapping[str, str], dedup_key: str) -> list[Placement]:
        """Return what `place` returns, from memory where it can.

        Alerts that agree in every label the routes name go to the same groups, unless
        their keys make each a group of its own.
        """
        if dedup_key.startswith("k/"):
            return place(self.root, labels, dedup_key)
        look = tuple([labels.get(name) for name in self.names])
        found = self._known.get(look)
        if found is None:
            found = place(self.root, labels, dedup_key)
            if not any(EVERY_LABEL in p.route.group_by for p in found):
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[look] = found
        return found


class RouteBook:
    """The routes of each tenant, read again when older than FRESH_SECONDS."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[float, Book]] = {}

    def book(self, tenant_id: UUID) -> Book:
        """Return the tenant's routes (needs its context)."""
        now = time.monotonic()
        entry = self._known.get(tenant_id)
        if entry and now - entry[0] < FRESH_SECONDS:
            return entry[1]
        book = Book(load(tenant_id))
        self._known[tenant_id] = (now, book)
        return book


def load(tenant_id: UUID) -> CompiledRoute:
    """Read the tenant's active routes (needs its context)."""
    rows = Route.objects.filter(tenant_id=tenant_id, active=True)
    told: dict[UUID, list[UUID]] = defaultdict(list)
    pairs = RouteChannel.objects.filter(tenant_id=tenant_id, channel__active=True)
    for route_id, channel_id in pairs.order_by("id").values_list(
        "route_id", "channel_id"
    ):
        told[route_id].append(channel_id)
    return compile_routes(list(rows.order_by("position", "name")), told)
