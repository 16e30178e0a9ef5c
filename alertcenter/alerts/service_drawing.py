"""Where does each service stand in the picture? From left to right what it needs.

Pure: columns are the longest ways from services that nobody needs, so that every
arrow leads to the right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

MOST_DRAWN = 120
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


def draw(names: Mapping[UUID, str], needs: Mapping[UUID, Collection[UUID]]) -> Drawing:
    """Return the picture of the services with edges; needs a graph without cycles."""
    edges = {
        one: sorted(others, key=lambda pk: names[pk])
        for one, others in needs.items()
        if others
    }
    connected = {*edges, *(pk for others in edges.values() for pk in others)}
    columns = _columns(sorted(connected, key=lambda pk: names[pk]), edges)
    boxes = {
        pk: Box(pk, MARGIN + x * (WIDE + GAP_X), MARGIN + y * (HIGH + GAP_Y))
        for x, column in enumerate(columns)
        for y, pk in enumerate(column)
    }
    arrows = [
        Arrow(one, other, _path(boxes[one], boxes[other]))
        for one, others in edges.items()
        for other in others
    ]
    width = len(columns) * (WIDE + GAP_X) - GAP_X + 2 * MARGIN
    tallest = max(map(len, columns), default=0)
    height = tallest * (HIGH + GAP_Y) - GAP_Y + 2 * MARGIN
    return Drawing(list(boxes.values()), arrows, width, height)


def _columns(
    nodes: Sequence[UUID], edges: Mapping[UUID, Sequence[UUID]]
) -> list[list[UUID]]:
    """Return the columns, each ordered by where those that need its nodes stand."""
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
    columns: list[list[UUID]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in ready:
        columns[depth[node]].append(node)
    _untangle(columns, edges)
    return columns


def _untangle(columns: list[list[UUID]], edges: Mapping[UUID, Sequence[UUID]]) -> None:
    """Put each node near the middle of those that need it: fewer arrows cross."""
    needed_by: dict[UUID, list[UUID]] = {}
    for one, others in edges.items():
        for other in others:
            needed_by.setdefault(other, []).append(one)
    height: dict[UUID, float] = {}
    for column in columns:
        middle = {
            node: sum(height[one] for one in above) / len(above)
            for node in column
            if (above := needed_by.get(node))
        }
        column.sort(key=lambda node: middle.get(node, 0.0))
        height |= {node: float(y) for y, node in enumerate(column)}


def _path(start: Box, end: Box) -> str:
    x1, y1 = start.x + WIDE, start.y + HIGH // 2
    x2, y2 = end.x - 4, end.y + HIGH // 2
    bend = max((x2 - x1) // 2, GAP_X // 2)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
