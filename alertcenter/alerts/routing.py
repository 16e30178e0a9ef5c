"""Which route takes an alert, and which group does it belong to?

The first active route whose matchers all hold wins; the default route takes the
rest. A group's identity is the route and the values of the labels it groups by.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alertcenter.alerts.matchers import Matcher, MatcherError, all_match, parse
from alertcenter.alerts.models import Route

FRESH_SECONDS = 2.0
EVERY_LABEL = "..."


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """One route, ready to be tried."""

    id: UUID | None
    name: str
    matchers: Sequence[Matcher]
    group_by: Sequence[str]
    wait_seconds: int
    policy_id: UUID | None
    is_default: bool


# Where no route matches and there is no default, an alert still is a group of its
# own, shown on the dashboard: nobody is paged, but nothing is hidden.
NOWHERE = CompiledRoute(None, "", (), (EVERY_LABEL,), 0, None, True)


@dataclass(frozen=True, slots=True)
class Trial:
    """How one route judged an alert: each condition with its verdict."""

    route: CompiledRoute
    conditions: Sequence[tuple[str, str, bool]]
    matched: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert goes."""

    route: CompiledRoute
    key: str
    labels: dict[str, str]


def compile_routes(routes: Sequence[Route]) -> list[CompiledRoute]:
    """Compile active routes in the order they are tried."""
    compiled = []
    for route in routes:
        try:
            matchers = [parse(str(text)) for text in route.matchers]
        except MatcherError:
            continue  # the admin refuses such a route
        compiled.append(
            CompiledRoute(
                route.pk,
                route.name,
                matchers,
                tuple(str(name) for name in route.group_by),
                route.group_wait_seconds,
                route.policy_id,
                route.is_default,
            )
        )
    return compiled


def choose(routes: Sequence[CompiledRoute], labels: Mapping[str, str]) -> CompiledRoute:
    """Return the route that takes an alert with these labels."""
    for route in routes:
        if route.is_default or all_match(route.matchers, labels):
            return route
    return NOWHERE


def explain(routes: Sequence[CompiledRoute], labels: Mapping[str, str]) -> list[Trial]:
    """Return how each route judges the labels: (condition, value seen, verdict)."""
    trials = []
    for route in routes:
        conditions = [
            (str(m), labels.get(m.name, ""), m.matches(labels)) for m in route.matchers
        ]
        matched = route.is_default or all(verdict for _, _, verdict in conditions)
        trials.append(Trial(route, conditions, matched))
    return trials


def place(
    routes: Sequence[CompiledRoute], labels: Mapping[str, str], dedup_key: str
) -> Placement:
    """Return the route and the group for an alert.

    Grouped by `...`, or keyed by its sender without any of the labels grouped by,
    an alert is a group of its own.
    """
    route = choose(routes, labels)
    shown = {name: labels[name] for name in route.group_by if labels.get(name)}
    keyed = dedup_key.startswith("k/")
    alone = EVERY_LABEL in route.group_by or (keyed and not shown)
    identity: object = dedup_key if alone else sorted(shown.items())
    text = json.dumps([str(route.id), identity], ensure_ascii=False)
    return Placement(route, hashlib.sha256(text.encode()).hexdigest(), shown)


class Book:
    """One tenant's routes, and where alerts went that look the same to them."""

    def __init__(self, routes: list[CompiledRoute]) -> None:
        self.routes = routes
        self.names = tuple(
            {m.name for route in routes for m in route.matchers}
            | {name for route in routes for name in route.group_by}
        )
        self._known: dict[tuple[str | None, ...], Placement] = {}

    def place(self, labels: Mapping[str, str], dedup_key: str) -> Placement:
        """Return what `place` returns, from memory where it can.

        Alerts that agree in every label the routes name go to one group, unless
        their keys make each a group of its own.
        """
        if dedup_key.startswith("k/"):
            return place(self.routes, labels, dedup_key)
        look = tuple([labels.get(name) for name in self.names])
        found = self._known.get(look)
        if found is None:
            found = place(self.routes, labels, dedup_key)
            if EVERY_LABEL not in found.route.group_by:
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


def load(tenant_id: UUID) -> list[CompiledRoute]:
    """Read the tenant's active routes in order (needs its context)."""
    rows = Route.objects.filter(tenant_id=tenant_id, active=True)
    return compile_routes(list(rows.order_by("is_default", "position", "name")))
