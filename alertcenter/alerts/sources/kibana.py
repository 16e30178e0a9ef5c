"""What do Kibana's webhook connector and Elasticsearch's Watcher send?

Bodies that the user writes of the rule's variables, usually named like those, nested or
with dots; alert documents, also in the lists of a summary; the `ctx` of a watch.
https://www.elastic.co/docs/explore-analyze/alerts-cases/alerts/rule-action-variables
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import (
    at,
    first,
    moment,
    number,
    objects,
    part,
    tags,
    text,
)

NAME = "kibana"
OVER = frozenset({"recovered", "resolved", "ok", "closed", "inactive", "untracked"})
# The last part of an action group, as in "metrics.inventory_threshold.warning".
GROUPS = {
    "warning": "warning", "high": "error", "medium": "warning", "low": "info",
    "critical": "critical", "alert": "critical", "fired": "error",
}  # fmt: skip
RULES = ("rule.name", "kibana.alert.rule.name", "ruleName", "rule_name", "alertName")
RULE_IDS = ("rule.id", "kibana.alert.rule.uuid", "ruleId", "rule_id", "alertId")
ALERTS = (
    "alert.id", "kibana.alert.instance.id", "alertInstanceId", "kibanaAlertId",
    "alert_id", "fingerprint",
)  # fmt: skip
STATES = (
    "alert.actionGroup", "kibana.alert.status", "alertActionGroup", "actionGroup",
    "alert.actionGroupName", "alertActionGroupName", "state", "status",
)  # fmt: skip
REASONS = (
    "context.reason", "kibana.alert.reason", "context.message", "context.conditions",
    "message", "reason",
)  # fmt: skip
LINKS = (
    "context.alertDetailsUrl", "kibana.alert.url", "context.viewInAppUrl",
    "context.link", "rule.url", "ruleUrl", "url", "kibanaBaseUrl",
)  # fmt: skip
HOSTS = ("context.host.name", "host.name", "context.host", "hostname", "host")
SERVICES = ("context.serviceName", "context.service.name", "service.name")
SEVERITIES = ("kibana.alert.severity", "context.severity", "severity", "rule.severity")
TAGS = ("rule.tags", "kibana.alert.rule.tags", "ruleTags", "tags")
STARTS = (
    "kibana.alert.start",
    "alert.start",
    "context.timestamp",
    "date",
    "@timestamp",
)
MOST = 500


def read(incoming: Incoming) -> list[Event]:
    """Return the events of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    for name in ("payload", "ctx"):
        if first(data, f"{name}.watch_id"):
            return [watch(part(data, name), data)]
    if first(data, "watch_id"):
        return [watch(data, data)]
    found = [
        alert(one, data, over=name == "recovered")
        for name in ("new", "ongoing", "recovered")
        for one in objects(data, f"alerts.{name}.data")[:MOST]
    ]
    found += [alert(one, data) for one in objects(data, "context.alerts")[:MOST]]
    return found or [alert(data, data)]


def alert(data: Data, outside: Data, *, over: bool = False) -> Event:
    """Return the event of one alert of a rule. Raises NotUnderstood."""
    rule = first(data, *RULES) or first(outside, *RULES)
    title = rule or first(data, "context.title", "name", "title")
    number_of = first(data, *RULE_IDS) or first(outside, *RULE_IDS)
    instance = first(data, *ALERTS)
    state = first(data, *STATES).lower()
    if not title or not (number_of or instance or state):
        raise NotUnderstood("rule.name and alert.id are missing")
    host = first(data, *HOSTS)
    group = first(data, "context.group", "kibana.alert.group.0.value")
    where = host if host[:1] != "{" else ""
    where = where or group or (instance if " " not in instance else "")
    firing = not (over or state.rpartition(".")[2] in OVER or is_done(data))
    # Of what recovers only a document says when it began: the date is the message's.
    began = moment(first(data, *(STARTS if firing else STARTS[:2])))
    shown = where if len(where) < 100 and where not in title else ""
    return event(
        NAME,
        title=f"{title}: {shown}" if shown else title,
        key=joined(
            first(data, "rule.spaceId", "spaceId"), number_of or title, instance
        ),
        firing=firing,
        severity=severity(data, state),
        labels={
            "host": where if host else "",
            "service": first(data, *SERVICES),
            "environment": first(data, "context.environment", "service.environment"),
            "group": group,
            "space": first(data, "rule.spaceId", "kibana.space_ids.0", "spaceId"),
            **(tags_of(data) or tags_of(outside)),
            "alertname": title,
        },
        annotations={
            "description": first(data, *REASONS),
            "value": first(data, "context.value", "kibana.alert.evaluation.value"),
            "threshold": first(data, "context.threshold"),
            "rule_url": first(data, "rule.url", "ruleUrl"),
        },
        link=first(data, *LINKS),
        starts_at=began,
        ends_at=moment(first(data, "kibana.alert.end", "date")),
    )


def is_done(data: Data) -> bool:
    """Whether a summary without documents counts recovered alerts only."""
    counts = part(data, "alerts")
    if not counts or first(data, *ALERTS):
        return False
    new, ongoing, done = (
        number(at(counts, f"{name}.count")) or 0
        for name in ("new", "ongoing", "recovered")
    )
    return done > 0 and not new and not ongoing


def severity(data: Data, state: str) -> str:
    """Return the word of the alert, or of its action group."""
    return first(data, *SEVERITIES) or GROUPS.get(state.rpartition(".")[2], "error")


def tags_of(data: Data) -> dict[str, str]:
    """Return the rule's tags, a list or a text with commas."""
    for path in TAGS:
        if found := tags(at(data, path)):
            return found
    return {}


def watch(ctx: Data, outside: Data) -> Event:
    """Return the event of a watch: its `ctx`, or some of its variables."""
    named = first(ctx, "watch_id")
    name = first(ctx, "metadata.name", "metadata.title") or named
    firing = first(outside, "status", "state").lower() not in OVER
    hits = at(ctx, "payload.hits.total")
    when = moment(
        first(ctx, "trigger.triggered_time", "execution_time", "trigger.scheduled_time")
    )
    return event(
        NAME,
        title=name,
        key=joined("watch", named),
        firing=firing,
        severity=first(ctx, "metadata.severity")
        or first(outside, "severity")
        or "error",
        labels={
            "watch_id": named,
            "team": first(ctx, "metadata.team"),
            "environment": first(ctx, "metadata.environment"),
            "alertname": name,
        },
        annotations={
            "description": first(outside, "message", "text")
            or first(ctx, "metadata.description"),
            "value": first(hits, "value") if type(hits) is dict else text(hits),
            "runbook_url": first(ctx, "metadata.runbook_url", "metadata.runbook"),
        },
        starts_at=when if firing else None,
        ends_at=when,
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        "kibanaBaseUrl" in data
        or "kibana.alert.rule.name" in data
        or "alertActionGroup" in data
        or "kibanaAlertId" in data
        or "actionGroup" in part(data, "alert")
        or "watch_id" in data
        or "watch_id" in part(data, "ctx")
        or "watch_id" in part(data, "payload")
    )


ADAPTER = Adapter(
    NAME,
    "Kibana",
    read,
    recognise,
    example={
        "rule": {
            "id": "6d3f",
            "name": "Many errors",
            "tags": "team:web",
            "url": "https://kibana.example.com/app/rules/6d3f",
            "spaceId": "default",
        },
        "alert": {
            "id": "web-1",
            "actionGroup": "threshold met",
            "actionGroupName": "Threshold met",
        },
        "context": {"reason": "120 errors in five minutes", "value": "120"},
        "date": "2026-11-21T09:00:00.000Z",
        "kibanaBaseUrl": "https://kibana.example.com",
    },
    steps=(
        _("In Kibana, add a Webhook connector with the URL, method POST."),
        _("Add it as an action to the rule, for each alert, with the body below."),
        _("Add it once more to the rule, to run when recovered, with the same body."),
    ),
    docs="https://www.elastic.co/docs/explore-analyze/alerts-cases/alerts"
    "/rule-action-variables",
    snippet="""{
  "rule": {"id": "{{rule.id}}", "name": "{{rule.name}}", "tags": "{{rule.tags}}",
    "url": "{{rule.url}}", "spaceId": "{{rule.spaceId}}"},
  "alert": {"id": "{{alert.id}}", "actionGroup": "{{alert.actionGroup}}"},
  "context": {"reason": "{{context.reason}}", "message": "{{context.message}}",
    "value": "{{context.value}}", "alertDetailsUrl": "{{context.alertDetailsUrl}}"},
  "date": "{{date}}",
  "kibanaBaseUrl": "{{kibanaBaseUrl}}"
}""",
)
