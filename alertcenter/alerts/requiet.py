"""What changes when a silence or an inhibit rule begins, ends or is edited?

Looks at the alerts concerned alone: those that it marked, and those that it matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts import inhibition, quiet
from alertcenter.alerts.inhibition import as_array, firing_with, lookups_of
from alertcenter.alerts.matchers import MatcherError, parse
from alertcenter.alerts.models import InhibitRule, Silence
from alertcenter.alerts.severity import shown
from tenants.actors import THE_ENGINE, Actor

AT_ONCE = 5_000

MARKED = """
SELECT alert_id FROM group_alert
WHERE tenant_id = %s AND left_at IS NULL AND silenced_by && %s::uuid[]
"""
INHIBITED = """
SELECT alert_id FROM group_alert
WHERE tenant_id = %s AND left_at IS NULL AND inhibited_by <> '{}'
"""
SOURCES = "SELECT alert_id FROM inhibit_source WHERE tenant_id = %s AND rule_id = %s"
ALERTS = """
SELECT id, severity, labels::text FROM alert
WHERE tenant_id = %s AND state = 'firing' AND id = ANY (%s::uuid[])
"""


def refresh(
    tenant_id: UUID, silence_ids: Sequence[UUID], *, actor: Actor = THE_ENGINE
) -> set[UUID]:
    """Set or lift the marks of these silences as they stand now.

    Returns the groups that changed. Needs a transaction in the tenant's context.
    """
    quiet.lock(tenant_id)
    alerts = _ids(MARKED, [tenant_id, as_array(silence_ids)])
    for row in Silence.objects.filter(tenant_id=tenant_id, pk__in=list(silence_ids)):
        try:
            matchers = [parse(str(text)) for text in row.matchers]
        except MatcherError:
            continue
        alerts |= firing_with(tenant_id, lookups_of(matchers))
    return rejudge(tenant_id, alerts, actor=actor)


def refresh_rules(
    tenant_id: UUID, rule_ids: Sequence[UUID], *, actor: Actor = THE_ENGINE
) -> set[UUID]:
    """Bring sources and marks of these inhibit rules up to date, also of those that
    are switched off now; before one is deleted, switch it off and call this.

    Returns the groups that changed. Needs a transaction in the tenant's context.
    """
    quiet.lock(tenant_id)
    book = quiet.books.of(tenant_id)
    sources: set[UUID] = set()
    targets = _ids(INHIBITED, [tenant_id])
    for rule_id in rule_ids:
        sources |= _ids(SOURCES, [tenant_id, rule_id])
        rule = book.rules.by_id.get(rule_id)
        if rule is not None:
            sources |= firing_with(tenant_id, lookups_of(rule.source))
            targets |= firing_with(tenant_id, lookups_of(rule.target))
    for chunk in chunks(sources):
        fires = dict.fromkeys(chunk)
        labels = {
            pk: shown(quiet.decode(text), severity)
            for pk, severity, text in _rows(ALERTS, [tenant_id, as_array(chunk)])
        }
        inhibition.keep_sources(tenant_id, book.rules, fires | labels)
    return rejudge(tenant_id, targets, actor=actor)


def switch_off(tenant_id: UUID, rule_ids: Sequence[UUID], *, actor: Actor) -> None:
    """Lift what these rules keep quiet, so that they can be deleted."""
    rows = InhibitRule.objects.filter(tenant_id=tenant_id, pk__in=list(rule_ids))
    rows.update(active=False)
    refresh_rules(tenant_id, rule_ids, actor=actor)


def rejudge(tenant_id: UUID, alert_ids: Iterable[UUID], *, actor: Actor) -> set[UUID]:
    """Mark these alerts anew; the flow looks at the groups that changed."""
    book = quiet.books.of(tenant_id)
    changed: set[UUID] = set()
    for chunk in chunks(alert_ids):
        members = quiet.fetch(quiet.OF_ALERTS, [tenant_id, as_array(chunk)])
        judged = quiet.judge(tenant_id, book, members)
        changed |= quiet.write(tenant_id, judged, actor=actor, feed=True)
    return changed


def chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    ordered = sorted(set(ids))
    for begin in range(0, len(ordered), AT_ONCE):
        yield ordered[begin : begin + AT_ONCE]


def _ids(query: str, values: Sequence[Any]) -> set[UUID]:
    return {row[0] for row in _rows(query, values)}


def _rows(query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
