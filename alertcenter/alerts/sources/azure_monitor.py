"""What do Azure Monitor's action groups send? The common schema, and the classic ones.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
"""

from __future__ import annotations

from collections.abc import Mapping
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
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    objects,
    pairs,
    part,
    parts,
    text,
)

NAME = "azure_monitor"
SEVERITIES = {
    "sev0": "critical", "sev1": "error", "sev2": "warning", "sev3": "info",
    "sev4": "debug", "0": "critical", "1": "error", "2": "warning", "3": "info",
    "4": "debug", "critical": "critical", "error": "error", "warning": "warning",
    "informational": "info", "verbose": "debug", "information": "info",
}  # fmt: skip
OVER = frozenset({"resolved", "deactivated", "inactive", "closed"})
STAGES_OVER = frozenset({"resolved", "complete", "completed", "canceled", "rca"})
HEALTHY = frozenset({"available"})
MACHINE_NAMES = frozenset({"ResourceId", "_ResourceId", "AccountResourceId"})


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
    for one in (inner, data):
        if first(one, "AlertRuleName"):
            return [log_search(one)]
    if first(inner, "SubscriptionName", "BudgetName"):
        return [budget(inner)]
    raise NotUnderstood("there are neither essentials nor a context")


def common(essentials: Data, data: Data) -> Event:
    """Return an alert of the common schema."""
    context = part(data, "alertContext")
    more = part(context, "properties")
    targets = [text(one) for one in parts(essentials, "configurationItems")[:10]]
    targets = targets or [text(one) for one in parts(essentials, "alertTargetIDs")[:10]]
    names = [one.rstrip("/").rpartition("/")[2] for one in targets if one]
    rule = first(essentials, "alertRule") or first(
        context, "SmartDetectorName", "operationName"
    )
    if not rule and first(context, "AlertData.BudgetName"):
        rule = f"Budget {first(context, 'AlertData.BudgetName')}"
    over = first(essentials, "monitorCondition").lower() in OVER
    fired = moment(first(essentials, "firedDateTime"))
    ended = moment(first(essentials, "resolvedDateTime"))
    if log_over(context):  # a new event, fired to say that another is over
        over, ended, fired = True, ended or fired, None
    title = first(more, "title")
    if title and health(context) and names:
        title = f"{names[0]}: {title}"
    return event(
        NAME,
        title=title
        or (f"{rule} on {names[0]}" if names and names[0] not in rule else rule)
        or first(essentials, "description"),
        key=log_key(rule, context, targets)
        or first(essentials, "alertId", "originAlertId")
        or joined(rule, *targets),
        firing=not over,
        severity=SEVERITIES.get(first(essentials, "severity").lower(), "warning"),
        labels={
            "alertname": rule,
            "resource": ", ".join(names[:5]),
            "resource_group": resource_group(first(essentials, "alertTargetIDs.0"))
            or first(essentials, "targetResourceGroup"),
            "resource_type": first(essentials, "targetResourceType"),
            "signal": first(essentials, "signalType"),
            "service": first(more, "service")
            or first(essentials, "monitoringService"),
            "region": first(more, "region"),
            **dimensions(context),
            **readable(part(context, "labels")),
        },
        annotations={
            "description": first(essentials, "description")
            or first(
                context, "DetectionSummary", "eventDescription",
                "properties.communication", "properties.title", "properties.cause",
            ),
            "condition": condition(context),
            "query": first(context, "SearchQuery", "expression"),
            "value": first(
                context, "ResultCount", "expressionValue", "AlertData.SpentAmount",
                "DetectedFailureRate",
            ),
            "status": first(more, "currentHealthStatus", "stage")
            or first(context, "status"),
            "by": first(context, "caller"),
            "investigation_url": first(essentials, "investigationLink"),
            **part(context, "annotations"),
            **part(data, "customProperties"),
        },
        link=first(
            context, "condition.allOf.0.linkToSearchResultsUI", "LinkToSearchResults",
            "LinkToSearchResultsUI",
        )
        or portal(first(essentials, "alertId")),
        starts_at=fired,
        ends_at=ended,
    )  # fmt: skip


def log_key(rule: str, log: Data, targets: list[str]) -> str:
    """Return the key of an activity log's alert, "" for all else.

    Each of its events is an alert of its own to Azure, always fired; what belongs
    together is an incident's tracking id, or the resource whose health changes.
    """
    tracked = first(log, "properties.trackingId")
    if tracked:
        return joined(rule, tracked)
    if "operationName" not in log and "eventSource" not in log:
        return ""
    resource = first(log, "resourceId", "authorization.scope") or ",".join(targets)
    operation = "" if health(log) else first(log, "operationName")
    return joined(rule, resource.lower(), operation)


def health(log: Data) -> str:
    """Return the health of a resource that a ResourceHealth event tells, or ""."""
    return first(log, "properties.currentHealthStatus").lower()


def log_over(log: Data) -> bool:
    """Whether an activity log's event says that something is over."""
    if health(log):
        return health(log) in HEALTHY or first(log, "status").lower() in OVER
    return bool(first(log, "properties.trackingId")) and (
        first(log, "properties.stage").lower() in STAGES_OVER
        or first(log, "status").lower() in OVER
    )


def dimensions(context: Data) -> dict[str, str]:
    """Return what tells one time series of a rule from its others."""
    found: dict[str, str] = {}
    for one in objects(context, "condition.allOf")[:5]:
        found |= pairs(parts(one, "dimensions")[:10], "name")
    found |= pairs(parts(context, "Dimensions")[:10], "name")
    return readable(found)


def readable(labels: Mapping[str, Any]) -> dict[str, str]:
    """Return labels without those that name a resource by its whole path."""
    return {
        name: text(value)
        for name, value in list(labels.items())[:50]
        if name not in MACHINE_NAMES and not text(value).startswith("/subscriptions/")
    }


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
    more = part(log, "properties")
    rule = first(context, "name") or first(more, "title") or first(log, "operationName")
    resource = (
        first(context, "resourceName")
        or first(log, "resourceId", "authorization.scope").rpartition("/")[2]
    )
    value = part(context, "condition") or part(context, "condition.allOf.0")
    over = first(data, "status").lower() in OVER or log_over(log)
    at = moment(first(context, "timestamp") or first(log, "eventTimestamp"))
    return event(
        NAME,
        title=first(more, "title")
        or (f"{rule} on {resource}" if resource else rule)
        or first(context, "description"),
        key=log_key("", log, [])
        or joined(
            first(context, "id") or rule,
            first(context, "resourceId", "resourceName"),
            *dimensions(context).values(),
        ),
        firing=not over,
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
            "region": first(context, "resourceRegion") or first(more, "region"),
            **dimensions(context),
        },
        annotations={
            "description": first(context, "description")
            or first(context, "details")
            or first(log, "description", "properties.communication"),
            "condition": condition(context)
            or condition({"condition": {"allOf": [value]}}),
            **part(data, "properties"),
        },
        link=first(context, "portalLink"),
        starts_at=None if over else at,
        ends_at=at,
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
