"""What do Azure Monitor's action groups send? The common schema, and the classic ones.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
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
from alertcenter.alerts.sources.shapes import first, moment, objects, part, parts, text

NAME = "azure_monitor"
SEVERITIES = {
    "sev0": "critical", "sev1": "error", "sev2": "warning", "sev3": "info",
    "sev4": "debug", "0": "critical", "1": "error", "2": "warning", "3": "info",
    "4": "debug", "critical": "critical", "error": "error", "warning": "warning",
    "informational": "info", "verbose": "debug", "information": "info",
}  # fmt: skip
OVER = frozenset({"resolved", "deactivated", "inactive", "closed"})


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    data = as_object(incoming)
    inner = part(data, "data")
    if part(inner, "essentials"):
        return [common(part(inner, "essentials"), inner)]
    if part(data, "essentials"):
        return [common(part(data, "essentials"), data)]
    if part(inner, "context"):
        return [classic(part(inner, "context"), inner)]
    if part(data, "context"):
        return [classic(part(data, "context"), data)]
    if first(inner, "AlertRuleName") or first(data, "AlertRuleName"):
        return [log_search(inner or data)]
    if first(inner, "SubscriptionName", "BudgetName"):
        return [budget(inner)]
    raise NotUnderstood("there are neither essentials nor a context")


def common(essentials: Data, data: Data) -> Event:
    """Return an alert of the common schema."""
    context = part(data, "alertContext")
    targets = [text(one) for one in parts(essentials, "configurationItems")]
    targets = targets or [text(one) for one in parts(essentials, "alertTargetIDs")]
    names = [one.rstrip("/").rpartition("/")[2] for one in targets if one]
    rule = first(essentials, "alertRule")
    return event(
        NAME,
        title=f"{rule} on {names[0]}" if names and names[0] not in rule else rule,
        key=first(essentials, "alertId", "originAlertId") or joined(rule, *targets[:5]),
        firing=first(essentials, "monitorCondition").lower() not in OVER,
        severity=SEVERITIES.get(first(essentials, "severity").lower(), "warning"),
        labels={
            "alertname": rule,
            "resource": ", ".join(names[:5]),
            "resource_group": resource_group(first(essentials, "alertTargetIDs.0")),
            "signal": first(essentials, "signalType"),
            "service": first(essentials, "monitoringService"),
        },
        annotations={
            "description": first(essentials, "description")
            or first(context, "properties.title", "eventDescription"),
            "condition": condition(context),
            "investigation_url": first(essentials, "investigationLink"),
            **part(data, "customProperties"),
        },
        link=first(
            context, "condition.allOf.0.linkToSearchResultsUI", "LinkToSearchResults"
        )
        or portal(first(essentials, "alertId")),
        starts_at=moment(first(essentials, "firedDateTime")),
        ends_at=moment(first(essentials, "resolvedDateTime")),
    )


def condition(context: Data) -> str:
    """Return what was measured, in words."""
    return "; ".join(
        " ".join(
            filter(
                None,
                (
                    first(one, "timeAggregation"),
                    first(one, "metricName", "metricMeasureColumn", "searchQuery")[
                        :500
                    ],
                    first(one, "operator"),
                    first(one, "threshold"),
                    f"(was {first(one, 'metricValue')})"
                    if first(one, "metricValue")
                    else "",
                ),
            )
        )
        for one in objects(context, "condition.allOf")[:10]
    )


def resource_group(target: str) -> str:
    pieces = target.split("/")
    lower = [one.lower() for one in pieces]
    if "resourcegroups" not in lower[:-1]:
        return ""
    return pieces[lower.index("resourcegroups") + 1]


def portal(alert_id: str) -> str:
    """Return the page of an alert, or ""."""
    if not alert_id.startswith("/subscriptions/") or "<" in alert_id:
        return ""
    return "https://portal.azure.com/#resource" + alert_id


def classic(context: Data, data: Data) -> Event:
    """Return a metric or activity-log alert of before the common schema."""
    log = part(context, "activityLog")
    rule = first(context, "name") or first(log, "operationName", "properties.title")
    resource = (
        first(context, "resourceName")
        or first(log, "resourceId", "authorization.scope").rpartition("/")[2]
    )
    value = part(context, "condition") or part(context, "condition.allOf.0")
    status = first(data, "status") or first(log, "status")
    return event(
        NAME,
        title=f"{rule} on {resource}" if resource else rule,
        key=joined(
            first(context, "id") or first(log, "correlationId", "resourceId") or rule,
            first(context, "resourceId", "resourceName"),
        ),
        firing=status.lower() not in OVER,
        severity=SEVERITIES.get(
            (first(context, "severity") or first(log, "level")).lower(), "warning"
        ),
        labels={
            "alertname": rule,
            "resource": resource,
            "resource_group": first(context, "resourceGroupName")
            or first(log, "resourceGroupName"),
            "resource_type": first(context, "resourceType")
            or first(log, "resourceType"),
            "region": first(context, "resourceRegion"),
        },
        annotations={
            "description": first(context, "description")
            or first(log, "description", "properties.communication"),
            "condition": condition(context)
            or condition({"condition": {"allOf": [value]}}),
            **part(data, "properties"),
        },
        link=first(context, "portalLink"),
        starts_at=moment(first(context, "timestamp") or first(log, "eventTimestamp")),
        ends_at=moment(first(context, "timestamp")),
    )


def log_search(data: Data) -> Event:
    """Return a log search alert of before the common schema."""
    rule = first(data, "AlertRuleName")
    return event(
        NAME,
        title=rule,
        key=joined(first(data, "WorkspaceId", "ApplicationId"), rule),
        severity=SEVERITIES.get(first(data, "Severity").lower(), "warning"),
        labels={"alertname": rule, "alert_type": first(data, "AlertType")},
        annotations={
            "description": first(data, "Description"),
            "query": first(data, "SearchQuery"),
            "value": first(data, "ResultCount"),
        },
        link=first(data, "LinkToSearchResults", "LinkToFilteredSearchResultsUI"),
        starts_at=moment(first(data, "SearchIntervalEndtimeUtc")),
    )


def budget(data: Data) -> Event:
    """Return a cost alert."""
    name = first(data, "BudgetName", "SubscriptionName")
    return event(
        NAME,
        title=f"Budget {name}: {first(data, 'SpendingAmount')} spent",
        key=joined("budget", first(data, "SubscriptionId"), name),
        severity="warning",
        labels={"alertname": "Budget", "budget": name},
        annotations={"limit": first(data, "Budget"), "unit": first(data, "Unit")},
    )


def recognise(incoming: Incoming) -> bool:
    data = incoming.data
    if type(data) is not dict:
        return False
    schema = data.get("schemaId")
    if type(schema) is str:
        return schema.lower().startswith("azuremonitor") or schema.startswith(
            ("Microsoft.Insights", "AIP Budget")
        )
    return "portalLink" in part(data, "context") or bool(
        part(data, "essentials.monitorCondition")
    )


ADAPTER = Adapter(
    NAME,
    "Azure Monitor",
    read,
    recognise,
    example={
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": "/subscriptions/1/providers/Microsoft.AlertsManagement/alerts/a1",
                "alertRule": "Queue is long",
                "severity": "Sev2",
                "signalType": "Metric",
                "monitorCondition": "Fired",
                "monitoringService": "Platform",
                "alertTargetIDs": [
                    "/subscriptions/1/resourcegroups/shop/providers/microsoft.servicebus/namespaces/orders"
                ],
                "configurationItems": ["orders"],
                "firedDateTime": "2026-11-20T10:00:00Z",
            },
            "alertContext": {},
        },
    },
    steps=(
        _("In Azure Monitor, add an action of type Webhook to an action group."),
        _("Paste the URL and enable the common alert schema."),
    ),
    docs="https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups",
)
