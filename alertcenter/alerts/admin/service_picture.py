"""What does the page of the graph show? Boxes with states, arrows, and who is hit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from alertcenter.alerts import service_graph
from alertcenter.alerts.models import Service
from alertcenter.alerts.service_drawing import HIGH, WIDE, draw
from alertcenter.alerts.service_graph import Graph

LONGEST_NAME = 22
MOST_LISTED = 500


def picture(tenant_id: UUID, chosen: UUID | None) -> dict[str, Any]:
    """Return the values of the template; `chosen` is a service, or none of ours."""
    graph = service_graph.load(tenant_id)
    known = chosen if chosen in graph.names else None
    hit = {} if known is None else dict(graph.impact(known))
    states = service_graph.troubles(tenant_id, list(graph.names)[:MOST_LISTED])
    slugs = dict(Service.objects.filter(tenant_id=tenant_id).values_list("pk", "slug"))

    def shown(pk: UUID) -> dict[str, Any]:
        trouble = states.get(pk)
        return {
            "id": pk,
            "name": graph.names[pk],
            "short": cut(graph.names[pk]),
            "slug": slugs.get(pk, ""),
            "css": css_of(trouble),
            "severity": trouble.severity if trouble else 0,
            "steps": hit.get(pk, 0),
            "chosen": pk == chosen,
            "needs": names(graph, graph.needs.get(pk, ())),
        }

    listed = sorted(graph.names, key=lambda pk: graph.names[pk].casefold())
    found: dict[str, Any] = {
        "services": [shown(pk) for pk in listed[:MOST_LISTED]],
        "more": max(0, len(listed) - MOST_LISTED),
        "chosen": None if known is None else shown(known),
        "hit": [shown(pk) for pk in hit],
        "drawing": None,
    }
    drawing = draw(graph.names, graph.needs)
    found["too_large"] = drawing is None
    if drawing and drawing.boxes:
        concerned = {known, *hit}
        found |= {
            "drawing": drawing,
            "arrows": [
                {"path": arrow.path, "hit": {arrow.start, arrow.end} <= concerned}
                for arrow in drawing.arrows
            ],
            "boxes": [
                shown(box.id)
                | {
                    "x": box.x,
                    "y": box.y,
                    "text_x": box.x + 14,
                    "text_y": box.y + HIGH // 2 + 4,
                }
                for box in drawing.boxes
            ],
            "wide": WIDE,
            "high": HIGH,
        }
    return found


def names(graph: Graph, ids: Any) -> list[str]:
    return sorted((graph.names[pk] for pk in ids), key=str.casefold)


def css_of(trouble: service_graph.Trouble | None) -> str:
    """Return the class of a state: its colour; the words say it too."""
    if trouble is None:
        return "well"
    return "taken" if trouble.taken else f"sev-{trouble.severity}"


def cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
