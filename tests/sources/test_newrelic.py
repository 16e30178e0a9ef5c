"""New Relic: workflows' issues, incidents of before, and the form of before that."""

import json
from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_a_closed_issue_is_over_when_it_says():
    found = reading.read("newrelic", "issue_closed")
    assert not found.firing
    assert found.severity == ERROR
    assert found.labels["entity"] == "billing, billing-worker"
    assert found.labels["policy"] == "Golden"
    assert found.ends_at == datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


def test_an_activated_issue_and_its_end_are_one():
    over = reading.payload("newrelic", "issue_closed")
    begun = reading.event(
        "newrelic", over | {"state": "ACTIVATED", "closedAt": None, "priority": "LOW"}
    )
    assert begun.firing
    assert begun.key == reading.event("newrelic", over).key


def test_an_incident_is_named_after_its_condition_and_target():
    found = reading.read("newrelic", "incident_open")
    assert found.title == "Memory on db-1"
    assert found.labels["team"] == "db"
    assert found.annotations["image_url"] == "https://pictures.example/55.png"
    assert found.annotations["runbook_url"] == "https://wiki.example/memory"


def test_an_acknowledged_incident_still_fires_and_a_closed_one_ends_at_its_time():
    begun = reading.payload("newrelic", "incident_open")
    assert reading.event("newrelic", begun | {"current_state": "acknowledged"}).firing
    over = reading.event("newrelic", begun | {"current_state": "closed"})
    assert not over.firing
    assert over.starts_at is None
    assert over.ends_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_the_oldest_form_is_an_alert_until_it_says_closed():
    begun = reading.payload("newrelic", "oldest_form")
    found = reading.event("newrelic", begun)
    assert found.title == "Apdex fell below 0.9"
    assert found.severity == CRITICAL
    inner = json.loads(begun["alert"]) | {"short_description": "[Shop] alert closed"}
    over = reading.event("newrelic", {"alert": json.dumps(inner)})
    assert not over.firing
    assert over.key == found.key


def test_a_deployment_is_no_alert():
    assert reading.events("newrelic", {"deployment": '{"revision": "1"}'}) == []


def test_without_a_state_the_events_type_tells_it():
    said = reading.payload("newrelic", "incident_open")
    del said["current_state"]
    assert reading.event("newrelic", said | {"event_type": "INCIDENT_OPEN"}).firing
    assert not reading.event(
        "newrelic", said | {"event_type": "INCIDENT_CLOSED"}
    ).firing
