"""Which rule and which firing alert keep it quiet, and in what do they agree?"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from alertcenter.alerts import inhibition
from alertcenter.alerts.inhibition import Inhibition, Inhibitions
from alertcenter.alerts.models import Alert
from escalation.explain.facts import Facts, labels_of
from escalation.explain.trace import Line, Link, Verdict, judged

MOST_SHOWN = 20
NOBODY = UUID(int=0)


def of_group(facts: Facts) -> list[Line]:
    """Say what inhibits it, or did when it was over, and which rules might."""
    rules = inhibition.load(facts.tenant_id)
    marks = facts.marks
    sources = Alert.objects.filter(
        tenant_id=facts.tenant_id, pk__in=list(marks.inhibitors)
    ).in_bulk()
    quiet: Verdict = "no" if marks.all_quiet else "info"
    lines: list[Line] = []
    for pk, count in marks.inhibitors.items():
        code = "inhibited" if count >= marks.firing else "inhibited_some"
        if not facts.open:
            code = "inhibited_then"
        counts = {"count": count, "total": marks.firing}
        source = sources.get(pk)
        if source is not None:
            lines += _between(facts, rules, source, code, quiet, counts)
    if not lines and facts.open:
        lines = _without_source(facts, rules)
    return lines[:MOST_SHOWN]


def _between(
    facts: Facts,
    rules: Inhibitions,
    source: Alert,
    code: str,
    verdict: Verdict,
    counts: Mapping[str, int],
) -> list[Line]:
    """Say by which rules `source` keeps quiet those it agrees with."""
    pairs = rules.as_source(labels_of(source))
    for member in facts.examples:
        if source.pk not in member.inhibited_by:
            continue
        labels = labels_of(member.alert)
        lines = [
            _line(rules.by_id[pair[0]], source, labels, code, verdict, counts)
            for pair in rules.as_target(labels)
            if pair in pairs
        ]
        if lines:
            return lines
    # The rule was edited or is gone, or none of the worst is kept quiet by it.
    data = {"source": source.title, "rule": "–", "equal": [], **counts}
    link = Link("alert", str(source.pk), source.title)
    return [Line("inhibition", code, verdict, source.starts_at, data, link)]


def _line(
    rule: Inhibition,
    source: Alert,
    labels: Mapping[str, str],
    code: str,
    verdict: Verdict,
    counts: Mapping[str, int],
) -> Line:
    data = {
        "rule": rule.name,
        "rule_id": str(rule.id),
        "source": source.title,
        "equal": equal(rule, labels),
        **counts,
    }
    link = Link("alert", str(source.pk), source.title)
    conditions = judged(rule.target, labels)
    at = source.starts_at
    return Line("inhibition", code, verdict, at, data, link, conditions)


def equal(rule: Inhibition, labels: Mapping[str, str]) -> list[str]:
    """Return the labels in which target and source agree, with their values."""
    return [f"{name}={labels.get(name, '')}" for name in rule.equal]


def _without_source(facts: Facts, rules: Inhibitions) -> list[Line]:
    """Say which rules would keep the worst of it quiet, had they a source."""
    if not facts.examples:
        return []
    labels = labels_of(facts.examples[0].alert)
    return [
        _no_source(rules.by_id[pair[0]], labels) for pair in rules.as_target(labels)
    ]


def _no_source(rule: Inhibition, labels: Mapping[str, str]) -> Line:
    data = {"rule": rule.name, "equal": equal(rule, labels)}
    link = Link("inhibit_rule", str(rule.id), rule.name)
    conditions = judged(rule.target, labels)
    return Line(
        "inhibition", "inhibit_no_source", "info", None, data, link, conditions, True
    )


def now(
    tenant_id: UUID, labels: Mapping[str, str], alert_id: UUID | None
) -> list[Line]:
    """Say what would inhibit an alert with these labels by what fires now."""
    rules = inhibition.load(tenant_id)
    targets = rules.as_target(labels)
    sources = inhibition.sources_of(tenant_id, targets)
    found = {
        pair: inhibition.inhibitors(alert_id or NOBODY, {pair: both}, sources)
        for pair, both in targets.items()
    }
    wanted = [pk for ids in found.values() for pk in ids[:1]]
    alerts = Alert.objects.filter(tenant_id=tenant_id).in_bulk(wanted)
    lines: list[Line] = []
    for pair, ids in found.items():
        rule = rules.by_id[pair[0]]
        if ids and ids[0] in alerts:
            source = alerts[ids[0]]
            lines.append(_line(rule, source, labels, "inhibited", "no", {}))
        else:
            lines.append(_no_source(rule, labels))
    lines.sort(key=lambda line: line.aside)
    return lines[:MOST_SHOWN]
