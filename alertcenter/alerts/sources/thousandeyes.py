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
from alertcenter.alerts.sources.shapes import first, moment, objects, part

NAME = "thousandeyes"


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    alert = part(data, "alert") or part(data, "agentAlert") or part(data, "data.alert")
    kind = first(data, "eventType", "type", "state").lower()
    if kind == "webhook_test" and not alert:
        return [
            event(
                NAME,
                title="ThousandEyes test",
                key="test",
                severity="info",
                ttl_seconds=3600,
            )
        ]
    if not alert:
        raise NotUnderstood("there is no alert")
    agents = [first(one, "agentName", "name") for one in objects(alert, "agents")[:5]]
    where = first(alert, "testName", "test.name", "agentName", "hostname")
    rule = first(alert, "ruleName", "rule.name")
    number = first(alert, "alertId", "id")
    status = first(alert, "status", "state", "details.state").lower()
    over = (
        "clear" in kind
        or status in ("cleared", "clear", "resolved")
        or alert.get("active") in (0, False)
    )
    return [
        event(
            NAME,
            title=f"{rule or 'Alert'}: {where}" if where else rule,
            key=number or joined(rule, where, first(data, "eventId").partition("-")[2]),
            firing=not over,
            severity=first(alert, "severity"),
            labels={
                "alertname": rule,
                "test": first(alert, "testName", "test.name"),
                "agent": first(alert, "agentName", "hostname"),
                "agents": ", ".join(filter(None, agents)),
                "type": first(alert, "type", "alertType"),
            },
            annotations={
                "description": first(alert, "ruleExpression", "rule.expression"),
                "targets": first(
                    alert, "testTargetsDescription.0", "test.server", "targets.0"
                ),
            },
            link=first(alert, "permalink", "permaLink", "apiLinks.0.href"),
            starts_at=moment(
                first(alert, "dateStartZoned", "dateStart", "startDate", "firstSeen")
            ),
            ends_at=moment(first(alert, "dateEndZoned", "dateEnd", "clearedAt")),
        )
    ]


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    alert = part(data, "alert") or part(data, "agentAlert")
    return "ruleExpression" in alert or (
        str(data.get("eventType", "")).startswith("ALERT_NOTIFICATION")
        and "eventId" in data
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
