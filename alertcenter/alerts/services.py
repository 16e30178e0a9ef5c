"""Which service do these labels trouble?

The first active service by position whose conditions all hold. One without conditions
takes the alerts whose label `service` is its short name.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alertcenter.alerts.matcher_index import MatcherIndex
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models import Service, ServiceDependency

FRESH_SECONDS = 1.0
MOST_KNOWN = 100_000
LABEL = "service"
# Walks over dependencies end here, however wide the graph is.
MOST_CONCERNED = 500


@dataclass(frozen=True, slots=True)
class CompiledService:
    """One service, ready to be tried; `rank` orders services, the vital first."""

    id: UUID
    slug: str
    name: str
    tier: int
    rank: tuple[int, int]
    matchers: Sequence[Matcher]


class Book:
    """One tenant's services, what they need, and what alerts were told apart by."""

    def __init__(
        self, services: Sequence[CompiledService], edges: Iterable[tuple[UUID, UUID]]
    ) -> None:
        self.services = services
        self.by_id = {service.id: service for service in services}
        self.names = tuple({m.name for one in services for m in one.matchers})
        self._index = MatcherIndex(service.matchers for service in services)
        self._known: dict[tuple[str | None, ...], CompiledService | None] = {}
        self._needed_by: dict[UUID, list[UUID]] = defaultdict(list)
        for service_id, needs_id in edges:
            self._needed_by[needs_id].append(service_id)

    def __bool__(self) -> bool:
        return bool(self.services)

    def service_of(self, labels: Mapping[str, str]) -> CompiledService | None:
        """Return the service that an alert with these labels troubles."""
        look = tuple([labels.get(name) for name in self.names])
        try:
            return self._known[look]
        except KeyError:
            pass
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        numbers = self._index.matching(labels)
        found = self._known[look] = self.services[numbers[0]] if numbers else None
        return found

    def dependents(self, service_id: UUID) -> list[UUID]:
        """Return what needs the service, nearest first: MOST_CONCERNED at most."""
        return [pk for pk, _ in reach(self._needed_by, service_id)]


def reach(
    edges: Mapping[UUID, Iterable[UUID]], start: UUID, most: int = MOST_CONCERNED
) -> list[tuple[UUID, int]]:
    """Return (node, steps) of what can be reached from `start`, nearest first."""
    found: list[tuple[UUID, int]] = []
    seen, frontier, steps = {start}, [start], 0
    while frontier:
        steps += 1
        following: list[UUID] = []
        for node in frontier:
            for other in edges.get(node, ()):
                if other in seen:
                    continue
                seen.add(other)
                found.append((other, steps))
                if len(found) >= most:
                    return found
                following.append(other)
        frontier = following
    return found


def compile_services(rows: Iterable[Service]) -> list[CompiledService]:
    """Return services in their order; those that cannot be read are left out."""
    found: list[CompiledService] = []
    for row in rows:
        texts = [str(text) for text in row.matchers] or [f'{LABEL}="{row.slug}"']
        try:
            matchers = [parse(text) for text in texts]
        except MatcherError:
            continue  # the admin and the API refuse such a service
        rank = (row.tier, len(found))
        found.append(
            CompiledService(row.pk, row.slug, row.name, row.tier, rank, matchers)
        )
    return found


def load(tenant_id: UUID) -> Book:
    """Read the tenant's active services (needs its context)."""
    rows = Service.objects.filter(tenant_id=tenant_id, active=True)
    services = compile_services(rows.order_by("position", "slug"))
    edges = (
        ServiceDependency.objects.filter(tenant_id=tenant_id).values_list(
            "service_id", "needs_id"
        )
        if services
        else ()
    )
    return Book(services, edges)


class ServiceBook:
    """The services of each tenant, read again when older than FRESH_SECONDS."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[float, Book]] = {}

    def book(self, tenant_id: UUID) -> Book:
        """Return the tenant's services (needs its context)."""
        now = time.monotonic()
        entry = self._known.get(tenant_id)
        if entry and now - entry[0] < FRESH_SECONDS:
            return entry[1]
        book = load(tenant_id)
        self._known[tenant_id] = (now, book)
        return book
