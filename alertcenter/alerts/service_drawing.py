"""Where does each service stand in the picture? From left to right what it needs.

Pure: columns are the longest ways from services that nobody needs, so that every
arrow leads to the right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

MOST_DRAWN = 120
# Services, and the places where arrows pass a column.
MOST_PLACES = 800
WIDE, HIGH, GAP_X, GAP_Y, MARGIN = 170, 44, 70, 16, 12


@dataclass(frozen=True)
class Box:
    """One service; the upper left corner."""

    id: UUID
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """From a service to one that it needs, as the path of an SVG."""

    start: UUID
    end: UUID
    path: str


@dataclass(frozen=True)
class Drawing:
    """The picture of the services that are connected."""

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    width: int
    height: int


# A place in a column: a service, or where an arrow (from, to, column) passes.
Node = UUID | tuple[UUID, UUID, int]


def draw(
    names: Mapping[UUID, str], needs: Mapping[UUID, Collection[UUID]]
) -> Drawing | None:
    """Return the picture of the services with edges, None where it would be too large.

    Needs a graph without cycles.
    """
    edges = {
        one: sorted(others, key=lambda pk: names[pk])
        for one, others in needs.items()
        if others
    }
    connected = {*edges, *(pk for others in edges.values() for pk in others)}
    if len(connected) > MOST_DRAWN:
        return None
    depth = _depths(sorted(connected, key=lambda pk: names[pk]), edges)
    spans = (depth[b] - depth[a] - 1 for a, others in edges.items() for b in others)
    if len(connected) + sum(spans) > MOST_PLACES:
        return None
    columns = _columns(depth, edges)
    boxes = {
        node: Box(
            node if isinstance(node, UUID) else node[0],
            MARGIN + x * (WIDE + GAP_X),
            MARGIN + y * (HIGH + GAP_Y),
        )
        for x, column in enumerate(columns)
        for y, node in enumerate(column)
    }
    arrows = [
        Arrow(one, other, _path([boxes[node] for node in _way(one, other, depth)]))
        for one, others in edges.items()
        for other in others
    ]
    width = len(columns) * (WIDE + GAP_X) - GAP_X + 2 * MARGIN
    tallest = max(map(len, columns), default=0)
    height = tallest * (HIGH + GAP_Y) - GAP_Y + 2 * MARGIN
    shown = [box for node, box in boxes.items() if isinstance(node, UUID)]
    return Drawing(shown, arrows, width, height)


def _depths(
    nodes: Sequence[UUID], edges: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, int]:
    """Return the column of each node, in an order in which needs come later."""
    waiting = dict.fromkeys(nodes, 0)
    for others in edges.values():
        for other in others:
            waiting[other] += 1
    depth = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waiting[node]]
    for node in ready:  # grows as it goes
        for other in edges.get(node, ()):
            depth[other] = max(depth[other], depth[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return {node: depth[node] for node in ready}


def _way(start: UUID, end: UUID, depth: Mapping[UUID, int]) -> list[Node]:
    """Return the places of an arrow: it passes no column behind a box."""
    between = range(depth[start] + 1, depth[end])
    return [start, *((start, end, column) for column in between), end]


def _columns(
    depth: Mapping[UUID, int], edges: Mapping[UUID, Sequence[UUID]]
) -> list[list[Node]]:
    """Return the columns, each ordered by where what leads to its nodes stands."""
    columns: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node, column in depth.items():
        columns[column].append(node)
    above: dict[Node, list[Node]] = {}
    for one, others in edges.items():
        for other in others:
            way = _way(one, other, depth)
            for before, after in pairwise(way):
                above.setdefault(after, []).append(before)
            for column, passed in enumerate(way[1:-1], start=depth[one] + 1):
                columns[column].append(passed)
    height: dict[Node, float] = {}
    for places in columns:
        middle = {
            node: sum(height[one] for one in above[node]) / len(above[node])
            for node in places
            if node in above
        }
        places.sort(key=lambda node: middle.get(node, 0.0))
        height |= {node: float(y) for y, node in enumerate(places)}
    return columns


def _path(boxes: Sequence[Box]) -> str:
    """Return the path of an arrow from the first box to the last."""
    path = ""
    bend = GAP_X // 2
    for start, end in pairwise(boxes):
        x1, y1 = start.x + WIDE, start.y + HIGH // 2
        x2, y2 = end.x, end.y + HIGH // 2
        if end is boxes[-1]:
            x2 -= 4
        path += f"{'L' if path else 'M'}{x1} {y1}"
        path += f"C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return path
