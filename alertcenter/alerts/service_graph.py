"""What may a service need? No cycle, no more than can be looked at.

Writers of one tenant's services take turns, so that two of them cannot close a cycle
together that neither of them sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Service, ServiceDependency
from alertcenter.alerts.services import MOST_CONCERNED, reach

MOST_SERVICES = 2_000
MOST_NEEDS = 20
LOCK_CLASS = 4_244  # 4_243 are the marks of quiet, for which the flow waits
TAKE_TURN = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"

Edges = Mapping[UUID, Collection[UUID]]


class ServiceError(ValueError):
    """A service or a dependency that cannot be.

    `code` is too_many, itself, unknown or cycle; the message is in the reader's
    language.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Graph:
    """A tenant's services by id, and who needs whom."""

    names: dict[UUID, str] = field(default_factory=dict)
    needs: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    needed_by: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    def add(self, service_id: UUID, needs_id: UUID) -> None:
        self.needs[service_id].add(needs_id)
        self.needed_by[needs_id].add(service_id)

    def impact(self, service_id: UUID) -> list[tuple[UUID, int]]:
        """Return (service, steps) of all that depends on it, nearest first."""
        found = reach(self.needed_by, service_id, MOST_CONCERNED)
        return sorted(found, key=lambda one: (one[1], self.names[one[0]].casefold()))


def load(tenant_id: UUID) -> Graph:
    """Read the tenant's graph (needs its context)."""
    rows = Service.objects.filter(tenant_id=tenant_id)
    graph = Graph(dict(rows.values_list("pk", "name")))
    edges = ServiceDependency.objects.filter(tenant_id=tenant_id)
    for service_id, needs_id in edges.values_list("service_id", "needs_id"):
        graph.add(service_id, needs_id)
    return graph


def take_turn(tenant_id: UUID) -> None:
    """Wait until no other transaction writes this tenant's services."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TURN, [LOCK_CLASS, str(tenant_id)])


def make_room(tenant_id: UUID, more: int = 1) -> None:
    """Take a turn to add services. Raises ServiceError for more than may be."""
    take_turn(tenant_id)
    if Service.objects.filter(tenant_id=tenant_id).count() + more > MOST_SERVICES:
        message = _("A tenant may have %(most)s services.") % {"most": MOST_SERVICES}
        raise ServiceError("too_many", message)


def check_needs(graph: Graph, service_id: UUID, needs: Collection[UUID]) -> None:
    """Raise ServiceError unless the service may need exactly these."""
    if len(needs) > MOST_NEEDS:
        message = _("A service may need %(most)s others.") % {"most": MOST_NEEDS}
        raise ServiceError("too_many", message)
    if service_id in needs:
        raise ServiceError("itself", _("A service cannot need itself."))
    if not graph.names.keys() >= set(needs):
        raise ServiceError("unknown", _("There is no such service."))
    for wanted in needs:
        path = way(graph.needs, wanted, service_id)
        if path:
            names = " → ".join(graph.names[pk] for pk in (service_id, *path))
            message = _("That would be a circle: %(names)s.") % {"names": names}
            raise ServiceError("cycle", message)


def way(edges: Edges, start: UUID, end: UUID) -> list[UUID]:
    """Return the shortest way from `start` to `end`, both included; [] for none."""
    came_from: dict[UUID, UUID | None] = {start: None}
    frontier: list[UUID] = [start]
    while frontier and end not in came_from:
        following = []
        for node in frontier:
            for other in edges.get(node, ()):
                if other not in came_from:
                    came_from[other] = node
                    following.append(other)
        frontier = following
    if end not in came_from:
        return []
    path: list[UUID] = []
    at: UUID | None = end
    while at is not None:
        path.append(at)
        at = came_from[at]
    return path[::-1]


def set_needs(tenant_id: UUID, service_id: UUID, needs: Iterable[UUID]) -> bool:
    """Let the service need exactly these; return whether that is news.

    Takes a turn. Raises ServiceError, and then nothing was written.
    """
    take_turn(tenant_id)
    graph, wanted = load(tenant_id), set(needs)
    check_needs(graph, service_id, wanted)
    had = set(graph.needs.get(service_id, ()))
    rows = ServiceDependency.objects.filter(tenant_id=tenant_id, service_id=service_id)
    rows.filter(needs_id__in=had - wanted).delete()
    ServiceDependency.objects.bulk_create(
        ServiceDependency(tenant_id=tenant_id, service_id=service_id, needs_id=pk)
        for pk in sorted(wanted - had)
    )
    return had != wanted


# One look into the index `group_service` for each service and state.
TROUBLE = """
SELECT s.id, st.state, w.severity FROM unnest(%s::uuid[]) AS s(id)
CROSS JOIN (VALUES ('firing'), ('acknowledged'), ('snoozed')) AS st(state)
CROSS JOIN LATERAL (
  SELECT severity FROM alert_group
  WHERE tenant_id = %s AND service_id = s.id AND state = st.state
  ORDER BY severity DESC LIMIT 1) w
"""


@dataclass(frozen=True)
class Trouble:
    """The worst open group of a service; `taken` when somebody has all of them."""

    severity: int
    taken: bool


def troubles(tenant_id: UUID, service_ids: Iterable[UUID]) -> dict[UUID, Trouble]:
    """Return what is wrong with these services; those that are well are left out."""
    found: dict[UUID, Trouble] = {}
    with connection.cursor() as cursor:
        cursor.execute(TROUBLE, [[str(pk) for pk in service_ids], tenant_id])
        for pk, state, severity in cursor.fetchall():
            known = found.get(pk, Trouble(0, True))
            taken = known.taken and state != "firing"
            found[pk] = Trouble(max(severity, known.severity), taken)
    return found
