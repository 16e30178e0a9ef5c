"""What does Dash0's webhook send?

The issue of a check rule at each change of its state. `issueIdentifier` stands for the
rule and the resource, and outlives the single issue.
https://www.dash0.com/hub/integrations/int_alerting_webhook/overview
"""

from __future__ import annotations

from typing import Any

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
from alertcenter.alerts.sources.shapes import first, moment, objects, part, text

NAME = "dash0"
# A superseded issue is done with: its successor tells of itself.
OVER = frozenset({"resolved", "closed", "superseded", "ok", "healthy", "passed"})
SEVERITIES = {
    "critical": "critical", "failed": "critical", "failing": "critical",
    "degraded": "warning", "warning": "warning",
}  # fmt: skip
OBJECTS = (
    "dash0.resource.name", "service.name", "k8s.pod.name", "host.name", "service",
    "instance",
)  # fmt: skip


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    kind = first(data, "type")
    issue = part(data, "data.issue") or part(data, "issue")
    if not issue:
        if "test" in kind.lower():
            return [tested(data)]
        raise NotUnderstood("data.issue is missing")
    rules = [part(issue, "checkrule"), part(issue, "check"), part(issue, "checkRule")]
    rule = next(filter(None, [*objects(issue, "checkrules"), *rules]), {})
    labels = pairs_of(issue.get("labels")) | pairs_of(rule.get("labels"))
    notes = pairs_of(rule.get("annotations")) | pairs_of(issue.get("annotations"))
    name = first(rule, "name")
    summary = first(issue, "summary") or first(rule, "summary")
    where = first(labels, *OBJECTS)
    shown = name or summary or "Dash0 issue"
    identifier = first(issue, "issueIdentifier", "id")
    state = first(issue, "status").lower()
    return [
        event(
            NAME,
            title=f"{shown}: {where}" if where and where not in shown else shown,
            key=identifier or joined(first(rule, "id") or name, where),
            firing=kind.lower().rpartition(".")[2] not in OVER and state not in OVER,
            severity=SEVERITIES.get(state)
            or labels.get("severity")
            or first(issue, "severity")
            or "error",
            labels={
                "service": first(labels, "service.name"),
                "host": first(labels, "host.name"),
                "environment": first(labels, "deployment.environment.name"),
                "dataset": first(issue, "dataset"),
                **labels,
                "alertname": name or summary,
            },
            annotations={
                "summary": summary,
                "description": first(issue, "description")
                or first(rule, "description"),
                "query": first(rule, "expression"),
                "thresholds": part(rule, "thresholds"),
                "check_rule_url": first(rule, "url"),
                **notes,
            },
            link=first(issue, "url") or first(rule, "url"),
            starts_at=moment(first(issue, "start", "startTime")),
            ends_at=moment(first(issue, "end", "endTime")),
        )
    ]


def tested(data: Data) -> Event:
    """Return the event of a test that a person sends from Dash0's settings."""
    told = first(data, "data.message", "message", "data.summary")
    return event(
        NAME, title=told or "Test notification of Dash0", key="test", severity="info"
    )


def pairs_of(listed: Any) -> dict[str, str]:
    """Return OpenTelemetry's list of keys and typed values, or a plain object."""
    if type(listed) is dict:
        return {name: text(value) for name, value in list(listed.items())[:50]}
    found = {}
    for one in objects({"all": listed}, "all")[:50]:
        value = one.get("value")
        if type(value) is dict:
            value = next(iter(value.values()), "")
        found[first(one, "key")] = text(value)
    return found


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    issue = part(data, "data.issue")
    return "issueIdentifier" in issue or "checkrules" in issue


ADAPTER = Adapter(
    NAME,
    "Dash0",
    read,
    recognise,
    example={
        "type": "alert.ongoing",
        "data": {
            "issue": {
                "id": "7e57",
                "issueIdentifier": "6820705",
                "dataset": "default",
                "start": "2026-11-21T09:00:00Z",
                "status": "critical",
                "summary": "Checkout is slow",
                "description": "p95 is above two seconds",
                "labels": [
                    {"key": "service.name", "value": {"stringValue": "checkout"}}
                ],
                "annotations": [],
                "checkrules": [
                    {
                        "id": "97da",
                        "name": "Latency",
                        "expression": "latency > 2",
                        "thresholds": {"degraded": 1, "failed": 2},
                        "url": "https://app.dash0.com/alerting/check-rules",
                    }
                ],
                "url": "https://app.dash0.com/alerting/failed-checks",
            }
        },
    },
    steps=(
        _("In Dash0, open Settings, Notification channels, and add a webhook."),
        _("Paste the URL."),
        _("Choose the channel in your check rules."),
    ),
    docs="https://www.dash0.com/hub/integrations/int_alerting_webhook/overview",
)
