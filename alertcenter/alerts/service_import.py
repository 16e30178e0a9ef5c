"""Which services do the last alerts speak of that nobody has written down yet?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from alertcenter.alerts import service_graph, services
from alertcenter.alerts.matchers import NOTATION, Matcher
from alertcenter.alerts.models import Alert, Service
from alertcenter.alerts.models.service import LONGEST_SLUG, validate_slug
from alertcenter.alerts.severity import shown
from tenants import audit
from tenants.actors import Actor

# An alert speaks of a service by the first of these that it carries.
LABELS = (services.LABEL, "job", "app")
LOOKED_AT = 5_000
MOST_PROPOSED = 200
LONGEST_NAME = 100

Pick = tuple[str, str]  # label, value


@dataclass(frozen=True)
class Proposal:
    """A value of a label that no service has, and the service it would become."""

    label: str
    value: str
    alerts: int
    firing: int
    slug: str
    name: str
    matchers: list[str]


def proposals(tenant_id: UUID) -> list[Proposal]:
    """Return what could be a service, the most frequent first (needs the context)."""
    book = services.load(tenant_id)
    rows = Alert.objects.filter(tenant_id=tenant_id).order_by("-starts_at", "id")
    seen: Counter[Pick] = Counter()
    firing: Counter[Pick] = Counter()
    values = rows.values_list("labels", "severity", "state")[:LOOKED_AT]
    for labels, severity, state in values:
        pick = spoken_of(labels)
        if pick and book.service_of(shown(labels, severity)) is None:
            seen[pick] += 1
            firing[pick] += state == "firing"
    # By name where they are as frequent: the same page each time it is asked for.
    ordered = sorted(seen, key=lambda pick: (-seen[pick], pick))[:MOST_PROPOSED]
    taken = set(
        Service.objects.filter(tenant_id=tenant_id).values_list("slug", flat=True)
    )
    return list(_named(ordered, seen, firing, taken))


def spoken_of(labels: Mapping[str, str]) -> Pick | None:
    """Return the label and value by which an alert speaks of a service."""
    for name in LABELS:
        value = str(labels.get(name) or "")
        if value and len(value) <= LONGEST_NAME:
            return name, value
    return None


def _named(
    picks: Iterable[Pick],
    seen: Mapping[Pick, int],
    firing: Mapping[Pick, int],
    taken: set[str],
) -> Iterator[Proposal]:
    for label, value in picks:
        slug = free_slug(value, taken)
        taken.add(slug)
        own = label == services.LABEL and slug == value
        matchers = [] if own else [condition(label, value)]
        counts = seen[label, value], firing[label, value]
        yield Proposal(label, value, *counts, slug, value, matchers)


def condition(label: str, value: str) -> str:
    """Return `label="value"` as the matchers read it."""
    text = str(Matcher(label, "=", value, lambda _seen: True)).replace("\n", "\\n")
    assert NOTATION.match(text)
    return text


def free_slug(value: str, taken: Collection[str]) -> str:
    """Return a short name for `value` that nobody has; the value itself if it can."""
    try:
        validate_slug(value)
        wanted = value[:LONGEST_SLUG]
    except ValidationError:
        wanted = slugify(value)[: LONGEST_SLUG - 5].strip("-_") or "service"
    slug, number = wanted, 2
    while slug in taken:
        slug, number = f"{wanted[: LONGEST_SLUG - 5]}-{number}", number + 1
    return slug


def create(tenant_id: UUID, picks: Collection[Pick], *, actor: Actor) -> list[Service]:
    """Make services of the picked proposals; what is none by now is left out.

    Raises ServiceError where there would be too many.
    """
    service_graph.take_turn(tenant_id)
    wanted = [p for p in proposals(tenant_id) if (p.label, p.value) in set(picks)]
    service_graph.make_room(tenant_id, len(wanted))
    made = Service.objects.bulk_create(
        Service(
            tenant_id=tenant_id,
            slug=proposal.slug,
            name=proposal.name,
            matchers=proposal.matchers,
        )
        for proposal in wanted
    )
    for row in made:
        note(row, "create", actor, name=row.name, imported=True)
    return made


def note(row: Service, verb: str, actor: Actor, **data: object) -> None:
    """Write into the audit log what somebody did to a service."""
    audit.record(
        row.tenant_id,
        actor,
        f"service.{verb}",
        kind="service",
        object_id=row.pk,
        **data,
    )
