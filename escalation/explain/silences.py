"""Which silences keep it quiet, did so, or would?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from alertcenter.alerts.matchers import MatcherError, all_match, parse
from alertcenter.alerts.models import Silence
from alertcenter.alerts.silences import standing_of
from alertcenter.alerts.windows import Standing
from escalation.explain.facts import Facts, labels_of
from escalation.explain.trace import Condition, Line, Link, Verdict, judged

# Beyond so many that may concern it, the rest is not looked at, and that is said.
MOST_SILENCES = 2_000
MOST_SHOWN = 20


def of_group(facts: Facts) -> list[Line]:
    """Say which silences mark it, and which match or matched while it was there."""
    rows = _between(facts.tenant_id, facts.since, facts.moment)
    marks = facts.marks.silences
    missing = set(marks) - {row.pk for row in rows}
    rows += Silence.objects.filter(
        tenant_id=facts.tenant_id, pk__in=missing
    ).select_related("owner")
    lines = []
    examples = [labels_of(member.alert) for member in facts.examples]
    for row in rows:
        matched = [found for one in examples if (found := _conditions(row, one))]
        marked = marks.get(row.pk, 0)
        if not marked and not (matched and _covers(row, facts)):
            continue
        conditions = matched[0] if matched else ()
        # What no mark tells of, few alerts can only tell of themselves.
        every = len(matched) == len(examples) >= facts.marks.firing
        lines.append(_line(facts, row, marked, conditions, every=every))
    lines.sort(key=lambda line: (line.aside, line.verdict != "no"))
    return _with_count(lines, len(rows))


def at(
    tenant_id: UUID,
    labels: Mapping[str, str],
    moment: datetime,
    *,
    route_id: UUID | None = None,
    group_id: UUID | None = None,
) -> list[Line]:
    """Say which silences are in force at `moment` for these labels."""
    lines = []
    rows = _between(tenant_id, moment, moment)
    for row in rows:
        narrowed = row.route_id not in (None, route_id) or (
            row.group_id not in (None, group_id)
        )
        conditions = _conditions(row, labels)
        if narrowed or not conditions:
            continue
        standing = standing_of(row, moment)
        code = "silence_matches" if standing.in_force else "silence_not_now"
        verdict: Verdict = "no" if standing.in_force else "info"
        lines.append(_said(row, code, verdict, conditions, standing))
    lines.sort(key=lambda line: line.verdict != "no")
    return _with_count(lines, len(rows))


def _between(tenant_id: UUID, begin: datetime, end: datetime) -> list[Silence]:
    """Return silences whose whole span meets the stretch, those that end last first."""
    rows = Silence.objects.filter(tenant_id=tenant_id).filter(
        Q(ends_at__gt=begin, starts_at__lte=end)
    )
    return list(rows.select_related("owner").order_by("-ends_at", "id")[:MOST_SILENCES])


def _conditions(row: Silence, labels: Mapping[str, str]) -> tuple[Condition, ...]:
    """Return the conditions of a silence that matches; none if it does not."""
    try:
        matchers = [parse(str(text)) for text in row.matchers]
    except MatcherError:
        return ()
    return judged(matchers, labels) if all_match(matchers, labels) else ()


def _covers(row: Silence, facts: Facts) -> bool:
    return row.route_id in (None, facts.group.route_id) and (
        row.group_id in (None, facts.group.pk)
    )


def _line(
    facts: Facts,
    row: Silence,
    marked: int,
    conditions: Sequence[Condition],
    *,
    every: bool,
) -> Line:
    marks, standing = facts.marks, standing_of(row, facts.moment)
    quiet: Verdict = "no" if marks.all_quiet else "info"
    if marked and facts.open:
        code = "silenced" if marked >= marks.firing else "silenced_some"
        counted = _said(row, code, quiet, conditions, standing)
        more = {"count": marked, "total": marks.firing}
        return replace(counted, data={**counted.data, **more})
    if marked:
        return _said(row, "silenced_then", quiet, conditions, standing)
    if standing.in_force:
        code = "silence_matches" if facts.open else "silenced_then"
        return _said(row, code, "no" if every else "info", conditions, standing)
    was = _said(row, "silence_was", "info", conditions, standing)
    return replace(was, aside=True)


def _said(
    row: Silence,
    code: str,
    verdict: Verdict,
    conditions: Sequence[Condition],
    standing: Standing,
) -> Line:
    """Return a line; until when is the end of this occurrence, if it recurs."""
    until = standing.changes_at if standing.in_force else None
    data = {
        "silence": str(row),
        "kind": row.kind,
        "who": str(row.owner) if row.owner else row.created_by,
        "since": row.starts_at,
        "until": until or row.ends_at,
        "recurs": bool(row.recurrence),
    }
    link = Link("silence", str(row.pk), str(row))
    return Line("silence", code, verdict, row.starts_at, data, link, tuple(conditions))


def _with_count(lines: list[Line], looked_at: int) -> list[Line]:
    """Keep the first ones, and say where not all were looked at, or none matched."""
    kept = lines[:MOST_SHOWN]
    if looked_at >= MOST_SILENCES:
        kept.append(Line("silence", "silences_many", data={"count": MOST_SILENCES}))
    if not kept:
        data = {"count": looked_at}
        kept.append(Line("silence", "silence_none", data=data))
    return kept
