"""Google Cloud Monitoring: incidents, by webhook and Pub/Sub, and Error Reporting."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def pushed(data: Any) -> Any:
    """Return what a Pub/Sub subscription pushes for `data`."""
    packed = base64.b64encode(json.dumps(data).encode()).decode()
    return {
        "message": {"data": packed, "messageId": "1", "attributes": {}},
        "subscription": "projects/example/subscriptions/alerts",
    }


def test_a_closed_incident_is_over_when_it_says():
    found = reading.read("gcp_monitoring", "uptime_closed")
    assert not found.firing
    assert found.starts_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    assert found.labels["host"] == "shop.example"
    assert found.annotations["description"] == "Look at the load balancer."


def test_without_a_severity_of_the_policy_its_label_counts():
    assert reading.read("gcp_monitoring", "uptime_closed").severity == CRITICAL


def test_pub_sub_carries_the_same_incident():
    said = reading.payload("gcp_monitoring", "uptime_closed")
    direct = reading.event("gcp_monitoring", said)
    assert reading.event("gcp_monitoring", pushed(said)) == direct


def test_an_open_incident_and_its_end_are_one():
    said = reading.payload("gcp_monitoring", "uptime_closed")
    key = reading.event("gcp_monitoring", said).key
    said["incident"] |= {"state": "OPEN", "ended_at": 0}
    begun = reading.event("gcp_monitoring", said)
    assert begun.firing
    assert begun.key == key


def test_without_a_summary_the_title_is_policy_condition_and_resource():
    said = reading.payload("gcp_monitoring", "uptime_closed")
    said["incident"] |= {"summary": "", "documentation": None}
    said["incident"]["resource_name"] = "shop"
    assert reading.event("gcp_monitoring", said).title == "Shop: Shop answers: shop"


def test_error_reporting_names_the_exception():
    found = reading.read("gcp_monitoring", "error_group")
    assert found.title == "ZeroDivisionError: division by zero"
    assert found.severity == ERROR
    assert found.labels["service"] == "billing"
