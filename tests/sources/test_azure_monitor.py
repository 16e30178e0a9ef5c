"""Azure Monitor: every kind of the common schema, and those before it."""

from typing import Any

from alertcenter.alerts.severity import CRITICAL, DEBUG, ERROR
from tests.sources import reading


def changed(case: str, **properties: Any) -> Any:
    """Return a case whose activity log has these properties, and another alert id."""
    said = reading.payload("azure_monitor", case)
    said["data"]["essentials"]["alertId"] += "-later"
    said["data"]["alertContext"]["properties"] |= properties
    return said


def test_a_log_alert_names_its_dimension_and_what_was_measured():
    found = reading.read("azure_monitor", "log_v2")
    assert found.title == "Failed logins on audit"
    assert found.severity == ERROR
    assert found.labels["Computer"] == "web-1"
    assert found.labels["resource_group"] == "security"
    assert found.annotations["condition"] == "Count SigninLogs GreaterThan 10 (was 14)"
    assert found.link == "https://portal.azure.com/#view/results"


def test_a_resolved_log_alert_is_the_same():
    said = reading.payload("azure_monitor", "log_v2")
    said["data"]["essentials"]["monitorCondition"] = "Resolved"
    over = reading.event("azure_monitor", said)
    assert not over.firing
    assert over.key == reading.read("azure_monitor", "log_v2").key


def test_a_service_incident_is_known_by_its_tracking_id_and_over_by_its_stage():
    begun = reading.read("azure_monitor", "service_health")
    over = reading.event("azure_monitor", changed("service_health", stage="Resolved"))
    assert begun.title == "Virtual machines in West Europe"
    assert begun.labels["service"] == "Virtual Machines"
    assert begun.severity == DEBUG
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key == over.key
    assert over.ends_at is not None


def test_a_resources_health_is_one_alert_until_it_is_available():
    begun = reading.read("azure_monitor", "resource_health")
    over = reading.event(
        "azure_monitor", changed("resource_health", currentHealthStatus="Available")
    )
    assert begun.title == "vm-1: Rebooted by user"
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key == over.key


def test_a_budget_is_named():
    found = reading.read("azure_monitor", "budget")
    assert found.title == "Budget november"
    assert found.annotations["description"] == "Your spend is over the limit."


def test_classic_metrics_are_told_apart_by_dimension_and_end():
    said = reading.payload("azure_monitor", "classic_metric")
    found = reading.event("azure_monitor", said)
    assert found.title == "Queue on bus"
    assert found.severity == CRITICAL
    said["data"]["status"] = "Deactivated"
    over = reading.event("azure_monitor", said)
    assert not over.firing
    assert over.key == found.key
    said["data"]["context"]["condition"]["allOf"][0]["dimensions"][0]["value"] = "mail"
    assert reading.event("azure_monitor", said).key != found.key


def test_a_classic_activity_succeeded_and_still_alerts():
    found = reading.read("azure_monitor", "classic_activity")
    assert found.firing
    assert found.title == "Microsoft.Compute/virtualMachines/delete on vm-1"
    assert found.severity == ERROR


def test_a_classic_log_search_has_its_query_and_count():
    found = reading.read("azure_monitor", "classic_log")
    assert found.title == "Errors in the shop"
    assert found.annotations["value"] == "7"


def test_a_prometheus_rules_labels_and_annotations_are_kept():
    said = reading.payload("azure_monitor", "log_v2")
    said["data"]["essentials"]["monitoringService"] = "Prometheus"
    said["data"]["alertContext"] = {
        "expression": "up == 0",
        "expressionValue": "0",
        "labels": {"alertname": "Down", "pod": "p1", "id": "/subscriptions/11/x"},
        "annotations": {"runbook_url": "https://wiki.example/down"},
    }
    found = reading.event("azure_monitor", said)
    assert found.labels["pod"] == "p1"
    assert "id" not in found.labels
    assert found.annotations["query"] == "up == 0"
    assert found.annotations["runbook_url"] == "https://wiki.example/down"
