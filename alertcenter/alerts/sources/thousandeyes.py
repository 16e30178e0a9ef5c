"""What does ThousandEyes send? Its classic notifications and its custom webhooks.

https://docs.thousandeyes.com/product-documentation/integration-guides/custom-webhooks
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import first, moment, objects, part, parts, text

NAME = "thousandeyes"
CLEARED = ("cleared", "clear", "resolved", "inactive")


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    alert = (
        part(data, "alert")
        or part(data, "agentAlert")
        or part(data, "deviceAlert")
        or part(data, "data.alert")
    )
    kind = first(data, "eventType", "type.id", "type", "state").lower()
    if "test" in kind and not alert:
        return [
            event(
                NAME,
                title="ThousandEyes tests its webhook",
                key="test",
                severity="info",
                ttl_seconds=3600,
            )
        ]
    if not alert and ("ruleName" in data or "alertId" in data):
        alert = data
    if not alert:
        raise NotUnderstood("there is no alert")
    agents = [
        one
        for name in ("agents", "monitors", "details")
        for one in objects(alert, name)
    ]
    seen_by = [
        first(one, "agentName", "monitorName", "name", "source.name") for one in agents
    ]
    where = first(
        alert, "testName", "test.name", "agentName", "agent.name", "hostname",
        "deviceName", "device.name", "targets.0",
    )  # fmt: skip
    rule = first(alert, "ruleName", "rule.name") or "Alert"
    status = first(alert, "status", "state", "alertState").lower()
    # In the template's variables 1 is a clear, 2 a trigger.
    over = (
        "clear" in kind
        or kind == "1"
        or status in CLEARED
        or first(alert, "active") in ("0", "false")
    )
    return [
        event(
            NAME,
            title=f"{rule}: {where}" if where else rule,
            key=first(alert, "alertId", "id")
            or joined(rule, where, first(data, "eventId").partition("-")[2]),
            firing=not over,
            severity=first(alert, "severity.id", "severity", "rule.severity"),
            labels={
                "alertname": rule,
                "test": first(alert, "testName", "test.name"),
                "agent": first(alert, "agentName", "agent.name", "hostname"),
                "agents": ", ".join(filter(None, seen_by[:5])),
                "type": first(
                    alert, "type", "alertType", "rule.alertType.id", "test.testType"
                ),
                "tags": ", ".join(
                    text(one) if type(one) is str else first(one, "name")
                    for one in parts(alert, "test.labels")[:10]
                ),
            },
            annotations={
                "description": first(
                    alert, "ruleExpression", "rule.expression", "rule.notes"
                ),
                "notes": first(alert, "rule.notes", "test.description"),
                "targets": ", ".join(
                    text(one) if type(one) is str else first(one, "description")
                    for one in (
                        parts(alert, "testTargetsDescription")
                        or parts(alert, "targets")
                    )[:5]
                )
                or first(alert, "test.server", "ipAddress"),
                "value": first(
                    agents[0] if agents else {}, "metricsAtEnd", "metricsAtStart"
                ),
            },
            link=first(
                alert, "permalink", "permaLink", "agents.0.permalink", "url",
                "apiLinks.0.href", "_links.self.href",
            )
            or first(data, "url"),
            starts_at=moment(
                first(
                    alert, "dateStartZoned", "dateStart", "startDate",
                    "firstSeen.epochSecond", "firstSeen.epochMilli", "firstSeen",
                )
            ),
            ends_at=moment(
                first(
                    alert, "dateEndZoned", "dateEnd", "endDate", "clearedAt",
                    "timeCleared.epochSecond", "timeCleared.epochMilli", "timeCleared",
                )
            ),
        )
    ]  # fmt: skip


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    alert = part(data, "alert") or part(data, "agentAlert")
    if "ruleExpression" in alert or "testTargetsDescription" in alert:
        return True
    kind = str(data.get("eventType", ""))
    return kind.startswith(("ALERT_NOTIFICATION", "WEBHOOK_TEST")) and (
        "eventId" in data
    )


ADAPTER = Adapter(
    NAME,
    "ThousandEyes",
    read,
    recognise,
    example={
        "eventId": "5-1",
        "eventType": "ALERT_NOTIFICATION_TRIGGER",
        "alert": {
            "alertId": 2783,
            "ruleName": "HTTP availability",
            "ruleExpression": "Availability < 100 %",
            "testName": "Shop",
            "severity": "Major",
            "type": "HTTP Server",
            "dateStart": "2026-11-20 10:00:00",
            "agents": [{"agentName": "Frankfurt", "active": 1}],
            "permalink": "https://app.thousandeyes.com/alerts/list/?__a=1",
        },
    },
    steps=(
        _(
            "In ThousandEyes, open Alerts, Notifications, and add a webhook with the URL."
        ),
        _("Choose the webhook in your alert rules."),
    ),
    docs="https://docs.thousandeyes.com/product-documentation/alerts/webhooks-for-alerts",
)
