"""Splunk Observability Cloud: detectors' webhooks, EventBridge, the incident API."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import ERROR, WARNING
from tests.sources import reading

NAME = "splunk_observability"


def test_a_stopped_detector_is_over_and_its_dimensions_are_labels():
    found = reading.read(NAME, "stopped")
    assert not found.firing
    assert found.ends_at == datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    assert found.title == "Queue is long (Queues)"
    assert found.severity == ERROR
    assert found.labels["queue"] == "mail"
    assert "orgId" not in found.labels
    assert found.link.endswith("is=manually%20resolved")


def test_an_event_of_eventbridge_is_unwrapped():
    found = reading.read(NAME, "eventbridge")
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "Memory of Hosts is full: db-7"
    assert found.labels["host"] == "db-7"


def test_manually_resolved_is_over_and_anomalous_is_not():
    data = {"incidentId": "1", "detector": "D"}
    over = reading.event(NAME, data | {"statusExtended": "manually resolved"})
    assert not over.firing
    assert reading.event(NAME, data | {"status": "anomalous"}).firing
    assert over.key == "1"


def test_an_incident_of_the_api_is_read_as_well():
    found = reading.event(
        NAME,
        {
            "incidentId": "9",
            "detectorId": "D9",
            "detectorName": "Hosts",
            "detectLabel": "CPU",
            "anomalyState": "MANUALLY_RESOLVED",
            "severity": "Warning",
            "events": [{"timestamp": 1763715600000}],
        },
    )
    assert (found.title, found.firing) == ("CPU (Hosts)", False)
    assert found.ends_at is not None


def test_without_an_incident_detector_rule_and_dimensions_are_the_key():
    data = {"detectorId": "D", "rule": "r", "inputs": {"A": {"key": {"host": "a"}}}}
    other = data | {"inputs": {"A": {"key": {"host": "b"}}}}
    assert reading.event(NAME, data).key != reading.event(NAME, other).key
