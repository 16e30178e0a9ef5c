"""What came, how often, and what did the rules at the door make of it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from alertcenter.alerts.events import Event
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models import Alert, Episode, Rule, Transition
from alertcenter.alerts.models.transition import Kind
from alertcenter.alerts.rules import CompiledRule, changed
from alertcenter.alerts.severity import NAMES, shown
from escalation.explain.trace import Condition, Line, Link, judged

MOST_EPISODES = 5
MOST_RULES = 300


def dedup(tenant_id: UUID, alert: Alert) -> list[Line]:
    """Say what the alert is known by, how often it came, and when it was over."""
    link = Link("alert", str(alert.pk), alert.title)
    data = {"key": alert.dedup_key, "count": alert.count, "last": alert.last_at}
    named = "dedup_key" if alert.dedup_key.startswith("k/") else "dedup_labels"
    lines = [Line("dedup", named, at=alert.last_at, data=data, link=link)]
    episodes = list(
        Episode.objects.filter(tenant_id=tenant_id, alert_id=alert.pk)[:MOST_EPISODES]
    )
    closers = _closers(tenant_id, alert.pk)
    for number, episode in enumerate(episodes):
        lines.append(_episode(episode, closers, link, aside=number > 0))
    return lines


def _episode(
    episode: Episode, closers: Mapping[str, str], link: Link, *, aside: bool
) -> Line:
    data = {
        "number": episode.number,
        "since": episode.starts_at,
        "until": episode.ends_at,
        "closed_by": episode.closed_by,
        "who": closers.get(str(episode.pk), ""),
    }
    code = "episode_open"
    if episode.ends_at is not None:
        code = "episode_closed_person" if data["who"] else "episode_closed"
    return Line("dedup", code, at=episode.at, data=data, link=link, aside=aside)


def _closers(tenant_id: UUID, alert_id: UUID) -> dict[str, str]:
    """Return which person closed which episode."""
    rows = Transition.objects.filter(
        tenant_id=tenant_id, alert_id=alert_id, kind=Kind.RESOLVED, reason="person"
    ).order_by("-id")[:MOST_EPISODES]
    return {str(row.data.get("episode", "")): row.actor_label for row in rows}


def rules_of(tenant_id: UUID) -> list[tuple[Rule, CompiledRule]]:
    """Return the active rules that can be read, in their order."""
    rows = Rule.objects.filter(tenant_id=tenant_id, active=True)
    found = []
    for row in rows.order_by("position", "name")[:MOST_RULES]:
        try:
            matchers = [parse(str(text)) for text in row.matchers]
        except MatcherError:
            continue  # the admin refuses such a rule
        labels = {str(k): str(v) for k, v in row.set_labels.items()}
        compiled = CompiledRule(matchers, row.drop, row.set_severity, labels)
        found.append((row, compiled))
    return found


def rules_on_stored(tenant_id: UUID, alert: Alert) -> list[Line]:
    """Judge a stored alert by the present rules, which changed it on its way in."""
    labels = shown(alert.labels, alert.severity)
    lines = []
    for row, rule in rules_of(tenant_id):
        line = _line(row, rule, rule.matchers, labels)
        # It is here, so no rule dropped it when it came.
        if line.code == "rule_drops":
            line = replace(line, code="rule_would_drop", verdict="info")
        lines.append(line)
    if lines:
        lines.insert(0, Line("rule", "rules_now", data={"count": len(lines)}))
    return lines


def rules_on_event(tenant_id: UUID, event: Event) -> tuple[Event | None, list[Line]]:
    """Apply the rules as the door does; None when one drops the event."""
    lines = []
    for row, rule in rules_of(tenant_id):
        labels = shown(event.labels, event.severity)
        line = _line(row, rule, rule.matchers, labels)
        lines.append(line)
        if line.code == "rule_drops":
            return None, lines
        if line.code == "rule_changes":
            event = changed(event, rule)
    return event, lines


def _line(
    row: Rule,
    rule: CompiledRule,
    matchers: Sequence[Matcher],
    labels: Mapping[str, str],
) -> Line:
    conditions: tuple[Condition, ...] = judged(matchers, labels)
    matched = all(one.holds for one in conditions)
    sets = [f"{name}={value}" for name, value in rule.labels.items()]
    if rule.severity is not None:
        sets.insert(0, f"severity={NAMES.get(rule.severity, rule.severity)}")
    code = "rule_no_match"
    if matched:
        code = "rule_drops" if rule.drop else "rule_changes"
    return Line(
        "rule",
        code,
        "no" if code == "rule_drops" else "info",
        data={"rule": row.name, "sets": sets},
        link=Link("rule", str(row.pk), row.name),
        conditions=conditions,
        aside=not matched,
    )
