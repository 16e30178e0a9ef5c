"""What does ElastAlert post for a match?

With `http_post_all_values` the fields of the matched document, besides whatever fields
the rule adds: no name is certain, not even the rule's. It never says that it is over.
https://elastalert2.readthedocs.io/en/latest/alerts.html#http-post
"""

from __future__ import annotations

from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_objects,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, part, text

NAME = "elastalert"
NAMES = (
    "rule_name", "rule.name", "rulename", "alert_name", "alertname", "alert_subject",
    "alert_title", "subject", "title", "name", "summary", "posted_name",
)  # fmt: skip
RULES = ("rule_name", "rule.name", "rulename", "alert_name", "alertname")
HOSTS = (
    "host.name", "host.hostname", "hostname", "host_name", "beat.hostname",
    "agent.hostname", "agent.name", "instance", "server", "kubernetes.node.name",
)  # fmt: skip
OBJECTS = (
    "query_key_value", "kubernetes.pod.name", "container.name", "service.name",
    "service", "source.ip", "user.name", "username",
)  # fmt: skip
SEVERITIES = ("severity", "alert_severity", "log.level", "loglevel", "level", "urgency")
LINKS = (
    "kibana_discover_url", "opensearch_discover_url", "kibana_url", "kibana_link",
    "generate_kibana_link", "link",
)  # fmt: skip
TOLD = ("alert_text", "message", "text", "description", "body", "msg")
WORDS = {"1": "critical", "2": "error", "3": "warning", "4": "info", "5": "debug"}
MOST_FIELDS = 20
MOST_MATCHES = 500


def read(incoming: Incoming) -> list[Event]:
    """Return an event per match. Raises NotUnderstood."""
    matches = as_objects(incoming.data)[:MOST_MATCHES]
    if not matches:
        raise NotUnderstood("there is no match")
    return [match(one) for one in matches]


def match(data: Data) -> Event:
    """Return the event of one matched document. Raises NotUnderstood."""
    rule = first(data, *RULES)
    if not rule and type(data.get("rule")) is str:
        rule = first(data, "rule")
    title = first(data, *NAMES[5:]) or rule or first(data, *TOLD) or any_text(data)
    if not title:
        raise NotUnderstood("there is no text in the match")
    host = first(data, *HOSTS)
    if not host and type(data.get("host")) is str:
        host = first(data, "host")
    where = host or first(data, *OBJECTS)
    name = rule or title
    shown = title if rule in title else f"{rule}: {title}"
    fields = [one for one in data.items() if one[0][:1] not in "_@"]
    return event(
        NAME,
        title=f"{shown}: {where}" if where and where not in shown else shown,
        key=joined(name, where),
        severity=severity(data),
        labels={
            "alertname": name,
            "host": host,
            "service": first(data, "service.name")
            or ("" if part(data, "service") else first(data, "service")),
            "environment": first(data, "service.environment", "environment", "env"),
            "namespace": first(data, "kubernetes.namespace", "namespace"),
            "pod": first(data, "kubernetes.pod.name"),
            "team": first(data, "team", "owner"),
            "index": first(data, "_index"),
        },
        annotations={
            "description": first(data, *TOLD),
            "value": first(data, "num_hits", "num_matches", "spike_count", "value"),
            "runbook_url": first(data, "runbook_url", "runbook"),
            "field": dict(fields[:MOST_FIELDS]),
        },
        link=first(data, *LINKS),
        starts_at=moment(first(data, "@timestamp", "timestamp", "match_time")),
    )


def severity(data: Data) -> str:
    """Return the word; ElastAlert's own `priority` counts from 1, the worst."""
    word = first(data, *SEVERITIES, "rule.severity")
    return word or WORDS.get(first(data, "priority", "alert_priority"), "error")


def any_text(data: Data) -> str:
    """Return the first text, however its field is called."""
    values: list[Any] = list(data.values())[:MOST_FIELDS]
    return next((text(one) for one in values if type(one) is str and one.strip()), "")


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    return type(data) is dict and (
        ("num_hits" in data and "num_matches" in data)
        or ("_index" in data and "_id" in data and "@timestamp" in data)
    )


ADAPTER = Adapter(
    NAME,
    "ElastAlert",
    read,
    recognise,
    example={
        "rule_name": "Many errors in the log",
        "severity": "critical",
        "@timestamp": "2026-11-21T09:00:00Z",
        "_index": "logs-2026.11.21",
        "_id": "kQx1",
        "num_hits": 120,
        "num_matches": 1,
        "host": {"name": "web-1"},
        "message": "connection refused",
    },
    steps=(
        _("Add the lines below to the rule; the token stands in the URL."),
        _("Give each rule its own rule_name and severity."),
        _("ElastAlert never says that it is over: set a time-out in AlertCenter."),
    ),
    docs="https://elastalert2.readthedocs.io/en/latest/alerts.html#http-post",
    snippet="""alert: post
http_post_url: "{url}"
http_post_all_values: true
http_post_static_payload:
  rule_name: Many errors in the log
  severity: critical
""",
)
