"""How does an inhibit rule begin, change and end, and what would one do?

Whoever changes one holds the tenant's lock on marks from before the rule is written
until the marks follow (alertcenter.alerts.quiet).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Func

from alertcenter.alerts import quiet, requiet
from alertcenter.alerts.inhibition import lookups_of
from alertcenter.alerts.matchers import Matcher, all_match, parse
from alertcenter.alerts.models import InhibitRule
from alertcenter.alerts.severity import shown
from tenants.actors import Actor

MOST_ROWS = 20_000
MOST_EXAMPLES = 10
# The book of rules is read anew when the newest is newer.
CLOCK: Any = Func(function="clock_timestamp")


def save(row: InhibitRule, *, actor: Actor) -> set[UUID]:
    """Write a rule and let the marks follow; return the groups that changed."""
    quiet.lock(row.tenant_id)
    row.updated_at = CLOCK
    row.save()
    row.refresh_from_db(fields=["updated_at"])
    return requiet.refresh_rules(row.tenant_id, [row.pk], actor=actor)


def remove(rows: Sequence[InhibitRule], *, actor: Actor) -> None:
    """Lift what these rules of one tenant keep quiet, and delete them."""
    if not rows:
        return
    tenant_id, ids = rows[0].tenant_id, [row.pk for row in rows]
    quiet.lock(tenant_id)
    requiet.switch_off(tenant_id, ids, actor=actor)
    InhibitRule.objects.filter(tenant_id=tenant_id, pk__in=ids).delete()


# --- what would one do? ---


@dataclass(frozen=True)
class Example:
    """One alert that would fall quiet, and one that would keep it so."""

    id: UUID
    title: str
    by: str


@dataclass(frozen=True)
class Preview:
    """How many firing alerts are sources, and how many they would keep quiet.

    `cut`: so many fire that not all were looked at.
    """

    sources: int
    muted: int
    cut: bool
    examples: Sequence[Example]


@dataclass(frozen=True)
class Seen:
    """One firing alert, and what it has in the labels that must be equal."""

    id: UUID
    title: str
    agreed: tuple[str, ...]
    other_side: bool


def preview(
    tenant_id: UUID, source: Sequence[str], target: Sequence[str], equal: Sequence[str]
) -> Preview:
    """Return what such a rule would do now. Raises MatcherError.

    An alert on both sides is kept quiet only by one that is not.
    """
    sides = [parse(text) for text in source], [parse(text) for text in target]
    sources, sources_cut = _firing(tenant_id, sides[0], sides[1], equal)
    targets, targets_cut = _firing(tenant_id, sides[1], sides[0], equal)
    anybody: dict[tuple[str, ...], Seen] = {}
    one_sided: dict[tuple[str, ...], Seen] = {}
    for one in sources:
        anybody.setdefault(one.agreed, one)
        if not one.other_side:
            one_sided.setdefault(one.agreed, one)
    muted = [
        Example(one.id, one.title, by.title)
        for one in targets
        if (by := (one_sided if one.other_side else anybody).get(one.agreed))
    ]
    cut = sources_cut or targets_cut
    return Preview(len(sources), len(muted), cut, muted[:MOST_EXAMPLES])


FIRING = """
SELECT id, title, severity, labels::text FROM alert
WHERE tenant_id = %s AND state = 'firing' AND labels @> %s::jsonb
LIMIT %s
"""


def _firing(
    tenant_id: UUID,
    wanted: Sequence[Matcher],
    other: Sequence[Matcher],
    equal: Sequence[str],
) -> tuple[list[Seen], bool]:
    """Return firing alerts that match `wanted`, and whether there may be more."""
    found: dict[UUID, Seen] = {}
    cut = False
    for lookup in lookups_of(wanted):
        rows = list(_rows(tenant_id, lookup))
        cut = cut or len(rows) > MOST_ROWS
        for pk, title, severity, text in rows[:MOST_ROWS]:
            labels = shown(json.loads(text), severity)
            if all_match(wanted, labels):
                agreed = tuple(labels.get(name, "") for name in equal)
                found[pk] = Seen(pk, title, agreed, all_match(other, labels))
    return list(found.values()), cut


def _rows(tenant_id: UUID, lookup: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(FIRING, [tenant_id, json.dumps(lookup), MOST_ROWS + 1])
        yield from cursor.fetchall()
