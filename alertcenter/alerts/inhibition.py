"""Which firing alerts keep which others quiet? Alertmanager's rules, kept as rows.

Source: inhibit/inhibit.go; reference/wire-protocols.md 3.4. A rule's sources that fire
are rows of `inhibit_source`, filed under what they have in the rule's `equal` labels
(a missing label is the empty text), so that several sources of one target are known
and the target stays quiet until the last is over.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from alertcenter.alerts.matcher_index import MatcherIndex, literal_keys
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models import InhibitRule

# So many of its sources are named with a target; one alone would do.
MOST_SOURCES = 5
# `severity` is what screens show, which may not be stored (alerts.severity.shown).
NOT_STORED = "severity"


@dataclass(frozen=True, slots=True)
class Inhibition:
    """One rule, ready to be tried."""

    id: UUID
    name: str
    source: Sequence[Matcher]
    target: Sequence[Matcher]
    equal: Sequence[str]

    def agreed(self, labels: Mapping[str, str]) -> str:
        """Return what is equal in alerts that this rule may bring together."""
        values = json.dumps([labels.get(name, "") for name in self.equal])
        return hashlib.blake2b(values.encode(), digest_size=16).hexdigest()


Pair = tuple[UUID, str]  # a rule, and what its alerts have in common


class Inhibitions:
    """A tenant's active rules."""

    def __init__(self, rules: Sequence[Inhibition]) -> None:
        self.rules = rules
        self.by_id = {rule.id: rule for rule in rules}
        self._sources = MatcherIndex(rule.source for rule in rules)
        self._targets = MatcherIndex(rule.target for rule in rules)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def as_source(self, labels: Mapping[str, str]) -> dict[Pair, bool]:
        """Return where an alert is a source; True where it is a target as well."""
        return {
            (rule.id, rule.agreed(labels)): self._targets.holds(number, labels)
            for number in self._sources.matching(labels)
            for rule in (self.rules[number],)
        }

    def as_target(self, labels: Mapping[str, str]) -> dict[Pair, bool]:
        """Return where an alert is a target; True where it is a source as well."""
        return {
            (rule.id, rule.agreed(labels)): self._sources.holds(number, labels)
            for number in self._targets.matching(labels)
            for rule in (self.rules[number],)
        }


def load(tenant_id: UUID) -> Inhibitions:
    """Read the tenant's active rules (needs its context)."""
    rows = InhibitRule.objects.filter(tenant_id=tenant_id, active=True)
    rules = []
    for row in rows.order_by("name"):
        try:
            source = [parse(str(text)) for text in row.source_matchers]
            target = [parse(str(text)) for text in row.target_matchers]
        except MatcherError:
            continue  # the admin refuses such a rule
        equal = tuple(str(name) for name in row.equal)
        rules.append(Inhibition(row.pk, row.name, source, target, equal))
    return Inhibitions(rules)


@dataclass(frozen=True, slots=True)
class Source:
    """One firing alert that keeps others quiet."""

    alert_id: UUID
    two_sided: bool


KNOWN = """
SELECT rule_id, agreed, alert_id, two_sided FROM inhibit_source
WHERE tenant_id = %s AND alert_id = ANY (%s::uuid[])
"""
FORGET = """
DELETE FROM inhibit_source WHERE tenant_id = %s AND (rule_id, alert_id) IN (
  SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""
REMEMBER = """
INSERT INTO inhibit_source (tenant_id, rule_id, alert_id, agreed, two_sided)
SELECT %s, r, a, g, t
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bool[]) AS x(r, a, g, t)
ON CONFLICT (tenant_id, rule_id, alert_id)
  DO UPDATE SET agreed = excluded.agreed, two_sided = excluded.two_sided
"""
SOURCES = """
SELECT s.rule_id, s.agreed, s.alert_id, s.two_sided
FROM unnest(%s::uuid[], %s::text[]) AS x(r, g) CROSS JOIN LATERAL (
  SELECT * FROM inhibit_source
  WHERE tenant_id = %s AND rule_id = x.r AND agreed = x.g ORDER BY id LIMIT %s) s
"""


def keep_sources(
    tenant_id: UUID, rules: Inhibitions, alerts: Mapping[UUID, Mapping[str, str] | None]
) -> set[Pair]:
    """Write down which of these alerts are sources now: labels, None when resolved.

    Returns the pairs that gained or lost one.
    """
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [tenant_id, as_array(alerts)])
        known = {(r, g, a): t for r, g, a, t in cursor.fetchall()}
    wanted = {
        (rule_id, agreed, alert_id): two_sided
        for alert_id, labels in alerts.items()
        if labels is not None
        for (rule_id, agreed), two_sided in rules.as_source(labels).items()
    }
    gone = [key for key in known if key not in wanted]
    fresh = [key for key, two_sided in wanted.items() if known.get(key) != two_sided]
    with connection.cursor() as cursor:
        if gone:
            ids, alert_ids = [k[0] for k in gone], [k[2] for k in gone]
            cursor.execute(FORGET, [tenant_id, ids, alert_ids])
        if fresh:
            rows = sorted((k[0], k[2], k[1], wanted[k]) for k in fresh)
            cursor.execute(REMEMBER, [tenant_id, *map(list, zip(*rows, strict=True))])
    return {(k[0], k[1]) for k in (*gone, *fresh)}


def sources_of(tenant_id: UUID, pairs: Iterable[Pair]) -> dict[Pair, list[Source]]:
    """Return the first sources of each pair."""
    found: dict[Pair, list[Source]] = defaultdict(list)
    asked = sorted(set(pairs))
    if not asked:
        return found
    rules, agreed = [p[0] for p in asked], [p[1] for p in asked]
    with connection.cursor() as cursor:
        # Two more, as an alert is not its own source.
        cursor.execute(SOURCES, [rules, agreed, tenant_id, MOST_SOURCES + 2])
        for rule_id, same, alert_id, two_sided in cursor.fetchall():
            found[(rule_id, same)].append(Source(alert_id, two_sided))
    return found


def inhibitors(
    alert_id: UUID, targets: Mapping[Pair, bool], sources: Mapping[Pair, list[Source]]
) -> list[UUID]:
    """Return who keeps this alert quiet.

    An alert that is on both sides of a rule is kept quiet by none that is too: alerts
    cannot inhibit themselves, nor each other.
    """
    found = dict.fromkeys(
        source.alert_id
        for pair, both in targets.items()
        for source in sources.get(pair, ())
        if source.alert_id != alert_id and not (both and source.two_sided)
    )
    return list(found)[:MOST_SOURCES]


CONCERNED = """
SELECT id FROM alert
WHERE tenant_id = %s AND state = 'firing' AND labels @> %s::jsonb
"""


def concerned(
    tenant_id: UUID, rules: Inhibitions, pairs: Mapping[Pair, Mapping[str, str]]
) -> set[UUID]:
    """Return firing alerts that these pairs may keep quiet, and some more.

    `pairs` come with the labels of one source each. Whole labels are looked up by
    their index: those that must be equal, or else what the rule asks of targets.
    """
    found: set[UUID] = set()
    for (rule_id, _agreed), labels in pairs.items():
        rule = rules.by_id.get(rule_id)
        if rule is None:
            continue
        equal = {
            name: labels[name]
            for name in rule.equal
            if labels.get(name) and name != NOT_STORED
        }
        lookups = [equal] if equal else lookups_of(rule.target)
        found |= firing_with(tenant_id, lookups)
    return found


def lookups_of(matchers: Sequence[Matcher]) -> list[dict[str, str]]:
    """Return whole labels of which an alert that matches has one; {} is any alert."""
    for matcher in matchers:
        keys = literal_keys(matcher)
        if keys and matcher.name != NOT_STORED:
            return [dict([key]) for key in keys]
    return [{}]


def firing_with(tenant_id: UUID, lookups: Iterable[Mapping[str, str]]) -> set[UUID]:
    """Return the firing alerts that have one of these sets of labels."""
    found: set[UUID] = set()
    for wanted in lookups:
        with connection.cursor() as cursor:
            cursor.execute(CONCERNED, [tenant_id, json.dumps(wanted)])
            found |= {row[0] for row in cursor.fetchall()}
    return found


def as_array(ids: Iterable[UUID]) -> str:
    """Return a PostgreSQL array as one text."""
    return "{" + ",".join(map(str, ids)) + "}"
