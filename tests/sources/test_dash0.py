"""Dash0: issues in each state, and the test notification."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import WARNING
from tests.sources import reading


def test_a_degraded_issue_is_a_warning_with_its_typed_labels():
    found = reading.read("dash0", "degraded")
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "Queue: mail"
    assert found.labels["service.name"] == "mail"
    assert found.labels["environment"] == "live"
    assert found.labels["replicas"] == "3"
    assert found.annotations["runbook_url"] == "https://wiki.example.com/mail"


def test_a_closed_issue_is_over_whatever_its_status_was():
    found = reading.read("dash0", "closed")
    assert not found.firing
    assert found.ends_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert found.key == reading.read("dash0", "degraded").key


def test_the_next_issue_of_the_rule_and_resource_has_the_same_key():
    data = reading.payload("dash0", "closed")
    issue = data["data"]["issue"] | {"id": "i-2"}
    again = {"type": "alert.ongoing", "data": {"issue": issue}}
    assert reading.event("dash0", again).key == reading.event("dash0", data).key


def test_a_test_is_a_readable_alert():
    found = reading.event("dash0", {"type": "test", "data": {"message": "Hello"}})
    assert found.title == "Hello"
