"""What do a tenant's rules make of an event? Drop, set severity, set labels.

Rules run before identity is decided: labels they set count as the source's own.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from alertcenter.alerts.events import Event, severity_of
from alertcenter.alerts.matcher_index import MatcherIndex
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.severity import shown

# An edited rule is in force within this time, in every process.
FRESH_SECONDS = 1.0

LOAD = """
SELECT matchers, "drop", set_severity, set_labels FROM rule
WHERE active ORDER BY position, name
"""
LOAD_IN_TENANT = "SELECT set_config('app.tenants', %s, true); " + LOAD


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One rule, ready to be applied."""

    matchers: Sequence[Matcher]
    drop: bool
    severity: int | None
    labels: dict[str, str]


class Rules:
    """A tenant's rules in their order; empty ones are false."""

    def __init__(self, rules: Sequence[CompiledRule] = ()) -> None:
        self.rules = rules
        self._index = MatcherIndex(rule.matchers for rule in rules)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def apply(self, event: Event) -> Event | None:
        """Return the event as changed by the rules, or None when it is dropped."""
        matching = self._matching(event, -1)
        while matching:
            number = matching[0]
            rule = self.rules[number]
            if rule.drop:
                return None
            event = changed(event, rule)
            # What it changed decides which of the later ones match.
            matching = self._matching(event, number)
        return event

    def _matching(self, event: Event, after: int) -> list[int]:
        """Return which rules after that one match the event as it is now."""
        found = self._index.matching(shown(event.labels, event.severity))
        return [number for number in found if number > after]


def changed(event: Event, rule: CompiledRule) -> Event:
    """Return `event` with the severity and labels that `rule` sets."""
    severity = event.severity if rule.severity is None else rule.severity
    if not rule.labels:
        return replace(event, severity=severity)
    labels = event.labels | rule.labels
    # An empty value removes; an event must keep at least one label or its key.
    kept = {name: value for name, value in labels.items() if value != ""}
    if rule.severity is None and "severity" in rule.labels:
        severity = severity_of(kept)
    return replace(event, severity=severity, labels=kept or event.labels)


def compile_rules(rows: Sequence[tuple[Any, ...]]) -> Rules:
    """Compile (matchers, drop, set_severity, set_labels) rows."""
    compiled = []
    for matchers, drop, severity, labels in rows:
        try:
            parsed = [parse(str(text)) for text in matchers]
        except MatcherError:
            continue  # the admin refuses such rules; one from elsewhere is skipped
        texts = {str(k): str(v) for k, v in labels.items()}
        compiled.append(CompiledRule(parsed, drop, severity, texts))
    return Rules(compiled)


class RuleBook:
    """The rules of each tenant, read again when older than FRESH_SECONDS."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[float, Rules]] = {}

    def fresh(self, tenant_id: UUID) -> Rules | None:
        """Return the tenant's rules if they were read a moment ago."""
        entry = self._known.get(tenant_id)
        if entry is None or time.monotonic() - entry[0] > FRESH_SECONDS:
            return None
        return entry[1]

    def of(self, tenant_id: UUID, connection: Any) -> Rules:
        """Return the tenant's rules, through the writer's own connection."""
        known = self.fresh(tenant_id)
        if known is not None:
            return known
        with connection.cursor() as cursor:
            cursor.execute(LOAD_IN_TENANT, [f"{{{tenant_id}}}"])
            rules = compile_rules(cursor.fetchall())
        self._known[tenant_id] = (time.monotonic(), rules)
        return rules
