"""How do routes stand to one another, and what does each inherit?

For the list of routes and for forms that choose one: depth first, siblings in the
order in which they are tried. What routing would never reach stands at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alertcenter.alerts import routing
from alertcenter.alerts.models import Route, RouteChannel


@dataclass(frozen=True)
class Node:
    """One route in its place.

    `whole` has all that it inherits, as if every route were active; None where
    routing does not come: below itself, too deep, or with unreadable conditions.
    """

    row: Route
    depth: int
    whole: routing.CompiledRoute | None
    above: str
    asleep: bool  # it, or one above it, is switched off

    @property
    def speaks(self) -> bool:
        """Whether it says itself who is told."""
        whole = self.whole
        if whole is None:
            return True
        return bool(self.row.policy_id or self.row.tells_nobody or self.row.is_default)


class Tree:
    """A tenant's routes, the switched-off ones too."""

    def __init__(
        self, rows: Sequence[Route], channels: Mapping[UUID, Sequence[UUID]]
    ) -> None:
        self.channels = channels
        self._below: dict[UUID | None, list[Route]] = defaultdict(list)
        self.root = next((row for row in rows if row.is_default), None)
        root_id = self.root.pk if self.root else None
        for row in rows:
            if not row.is_default:
                top = row.parent_id in (None, root_id)
                self._below[None if top else row.parent_id].append(row)
        compiled = routing.compile_routes(rows, channels)
        self._whole = {one.id: one for one in routing.walk(compiled)}
        self.nodes: dict[UUID, Node] = {}
        if self.root is not None:
            self._add(self.root, 0, "", asleep=not self.root.active)
        for row in self._below[None]:
            self._visit(row, 1, "", asleep=False)
        for row in rows:
            if row.pk not in self.nodes:
                self._add(row, 0, "", asleep=not row.active)

    def _visit(self, row: Route, depth: int, above: str, *, asleep: bool) -> None:
        if row.pk in self.nodes or depth > 4 * routing.DEEPEST:
            return
        asleep = asleep or not row.active
        self._add(row, depth, above, asleep=asleep)
        path = f"{above} › {row.name}" if above else row.name
        for child in self._below[row.pk]:
            self._visit(child, depth + 1, path, asleep=asleep)

    def _add(self, row: Route, depth: int, above: str, *, asleep: bool) -> None:
        whole = self._whole.get(row.pk)
        self.nodes[row.pk] = Node(row, depth, whole, above, asleep)

    def below(self, pk: UUID) -> set[UUID]:
        """Return the ids of all routes below this one, and its own."""
        found: set[UUID] = set()
        waiting = [pk]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += [child.pk for child in self._below[one]]
        return found

    def height(self, pk: UUID) -> int:
        """Return how many levels the tree has below this route, at most DEEPEST."""
        level, reached = 0, {pk}
        while level < routing.DEEPEST:
            reached = {child.pk for one in reached for child in self._below[one]}
            if not reached:
                break
            level += 1
        return level


def read(tenant_id: UUID) -> Tree:
    """Return the tenant's tree (needs its context)."""
    rows = Route.objects.filter(tenant_id=tenant_id).select_related("policy")
    ordered = list(rows.order_by("position", "name"))
    return Tree(ordered, channels_of(tenant_id))


def channels_of(tenant_id: UUID) -> dict[UUID, list[UUID]]:
    """Return the active channels of each route, as routing takes them."""
    told: dict[UUID, list[UUID]] = defaultdict(list)
    pairs = RouteChannel.objects.filter(tenant_id=tenant_id, channel__active=True)
    for route_id, channel_id in pairs.order_by("id").values_list(
        "route_id", "channel_id"
    ):
        told[route_id].append(channel_id)
    return told


def channel_names(tenant_id: UUID) -> dict[UUID, str]:
    """Return the names of the channels that routes tell."""
    rows = RouteChannel.objects.filter(tenant_id=tenant_id).select_related("channel")
    return {row.channel_id: str(row.channel) for row in rows}


def in_order(tree: Tree, rows: Iterable[Route]) -> list[Route]:
    """Return the rows in the order of the tree."""
    places = {pk: number for number, pk in enumerate(tree.nodes)}
    return sorted(rows, key=lambda row: places.get(row.pk, len(places)))
