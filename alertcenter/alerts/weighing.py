"""Which service does a group trouble, and how urgent does that make it?

A group has the most important service that any alert which joined it troubled (the
lowest tier, then the first by position). As with its title, only something more
important takes its place: a name that changes with every alert that leaves cannot be
recognised. `regroup` asks here for the groups it changed; `reweigh` looks again at
open groups after services were edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec
from django.db import connection

from alertcenter.alerts.lifecycle import WAKE, GroupChange, change_groups
from alertcenter.alerts.models import Group
from alertcenter.alerts.priority import Facts, Priority, decide
from alertcenter.alerts.services import Book, CompiledService, ServiceBook, load
from alertcenter.alerts.severity import shown
from alertcenter.alerts.upsert import SHARDS

MOST_REWEIGHED = 500
# Of each group reweighed, so many of its firing alerts are looked at, the worst first.
MOST_LOOKED_AT = 20

_services = ServiceBook()
_labels = msgspec.json.Decoder(dict[str, str]).decode


class Member(Protocol):
    """What is read of an alert; `labels` are JSON."""

    @property
    def severity(self) -> int: ...
    @property
    def labels(self) -> str: ...


class Changed(Protocol):
    """A group, and the alerts that joined it just now."""

    @property
    def group(self) -> Group: ...
    @property
    def joined(self) -> Sequence[Member]: ...


def weigh(tenant_id: UUID, items: Sequence[Changed]) -> None:
    """Set service, priority and reason of counted groups, which the caller stores."""
    book = _services.book(tenant_id)
    if book:
        for item in items:
            item.group.service_id = _service(book, item.group.service_id, item.joined)
    _prioritise(tenant_id, book, [item.group for item in items])


def columns(group: Group) -> dict[str, Any]:
    """Return what `weigh` set, for `change_groups`."""
    return {
        "service_id": group.service_id,
        "priority": group.priority,
        "priority_reason": group.priority_reason,
    }


def _service(
    book: Book, current: UUID | None, members: Iterable[Member]
) -> UUID | None:
    """Return the most important of the group's service and its members'."""
    best: CompiledService | None = book.by_id.get(current) if current else None
    for member in members:
        found = book.service_of(shown(_labels(member.labels), member.severity))
        if found and (best is None or found.rank < best.rank):
            best = found
    return best.id if best else current


def _prioritise(tenant_id: UUID, book: Book, groups: Sequence[Group]) -> None:
    troubled = _troubled(tenant_id, book, {g.service_id for g in groups})
    for group in groups:
        if group.firing_count == 0:
            continue  # how urgent it was stays on record
        service = book.by_id.get(group.service_id) if group.service_id else None
        found = decide(
            Facts(
                group.severity,
                group.firing_count,
                service.tier if service else None,
                troubled.get(service.id, 0) if service else 0,
            )
        )
        group.priority = found.level
        group.priority_reason = found.to_json()


def of_one(
    tenant_id: UUID, labels: Mapping[str, str], severity: int
) -> tuple[CompiledService | None, Priority]:
    """Return the service that one alert troubles now, and how urgent it is alone."""
    book = load(tenant_id)
    service = book.service_of(labels)
    if service is None:
        return None, decide(Facts(severity))
    troubled = _troubled(tenant_id, book, [service.id])
    facts = Facts(severity, 1, service.tier, troubled.get(service.id, 0))
    return service, decide(facts)


# One look into the index for each service; counting its groups would read them all.
TROUBLED = """
SELECT s FROM unnest(%s::uuid[]) AS s WHERE EXISTS (
  SELECT FROM alert_group WHERE tenant_id = %s AND service_id = s AND state = 'firing')
OR EXISTS (SELECT FROM alert_group
  WHERE tenant_id = %s AND service_id = s AND state = 'acknowledged')
"""


def _troubled(
    tenant_id: UUID, book: Book, service_ids: Iterable[UUID | None]
) -> dict[UUID, int]:
    """Return how many services in trouble need each of these."""
    needed = {
        pk: dependents
        for pk in service_ids
        if pk and (dependents := book.dependents(pk))
    }
    if not needed:
        return {}
    asked = sorted({str(other) for others in needed.values() for other in others})
    with connection.cursor() as cursor:
        cursor.execute(TROUBLED, [asked, tenant_id, tenant_id])
        in_trouble = {row[0] for row in cursor.fetchall()}
    return {pk: sum(one in in_trouble for one in o) for pk, o in needed.items()}


# --- after services were edited ---

LOOK = """
SELECT m.group_id, m.severity, m.labels::text FROM unnest(%s::uuid[]) AS g(id)
CROSS JOIN LATERAL (
  SELECT m.group_id, a.severity, a.labels FROM group_alert m CROSS JOIN LATERAL (
    SELECT * FROM alert WHERE tenant_id = m.tenant_id AND id = m.alert_id OFFSET 0) a
  WHERE m.tenant_id = %s AND m.group_id = g.id AND m.left_at IS NULL
  ORDER BY a.severity DESC, m.joined_at LIMIT %s) m
"""


class Looked:
    """A firing alert of a group."""

    def __init__(self, severity: int, labels: str) -> None:
        self.severity = severity
        self.labels = labels


def reweigh(tenant_id: UUID, most: int = MOST_REWEIGHED) -> int:
    """Look anew at the open groups; return how many changed. Screens follow.

    The most urgent `most` are looked at; the others have their service with their
    next change. A group that another transaction holds is left to it.
    """
    book = load(tenant_id)
    groups = list(
        Group.objects.select_for_update(skip_locked=True)
        .filter(tenant_id=tenant_id, state__in=("firing", "acknowledged", "snoozed"))
        .order_by("priority", "-severity", "-opened_at")[:most]
    )
    members = _members(tenant_id, groups)
    before = {group.pk: columns(group) for group in groups}
    for group in groups:
        known = group.service_id if group.service_id in book.by_id else None
        firing = members.get(group.pk)
        group.service_id = _service(book, None, firing) if firing else known
    _prioritise(tenant_id, book, groups)
    changed = [group for group in groups if columns(group) != before[group.pk]]
    change_groups(
        [GroupChange(tenant_id, group.pk, columns(group)) for group in changed]
    )
    _show(tenant_id, [group.pk for group in changed])
    return len(changed)


def _members(tenant_id: UUID, groups: Sequence[Group]) -> Mapping[UUID, list[Looked]]:
    found: dict[UUID, list[Looked]] = {}
    with connection.cursor() as cursor:
        ids = [str(group.pk) for group in groups]
        cursor.execute(LOOK, [ids, tenant_id, MOST_LOOKED_AT])
        for group_id, severity, labels in cursor.fetchall():
            found.setdefault(group_id, []).append(Looked(severity, labels))
    return found


SHOW = f"""
INSERT INTO feed (tenant_id, transition_id, group_id, shard, at)
SELECT %s, 0, g, abs(mod(hashtext(g::text), {SHARDS})), now() FROM unnest(%s::uuid[]) g
"""


def _show(tenant_id: UUID, group_ids: Sequence[UUID]) -> None:
    """Let the flow give screens these groups: nothing happened to them that a
    timeline would tell."""
    if not group_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(SHOW, [tenant_id, [str(pk) for pk in group_ids]])
        cursor.execute(WAKE)
