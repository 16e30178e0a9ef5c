"""Datadog: the default payload, and ours with the transition."""

from alertcenter.alerts.severity import ERROR, WARNING
from tests.sources import reading


def test_the_default_payloads_title_says_that_it_is_over():
    found = reading.read("datadog", "default_recovered")
    assert not found.firing
    assert found.title == "Queue of billing is long"
    assert found.annotations["description"] == "The queue of billing is empty again."


def test_the_same_title_triggered_has_the_key_of_its_recovery():
    over = reading.payload("datadog", "default_recovered")
    begun = over | {"title": "[Triggered] Queue of billing is long", "id": "880001"}
    assert reading.event("datadog", begun).key == reading.event("datadog", over).key


def test_tags_become_labels_and_the_priority_the_severity():
    found = reading.event(
        "datadog",
        {
            "title": "Slow",
            "monitor_id": "7",
            "scopes": [],
            "priority": 3,
            "tags": "team:web, canary",
        },
    )
    assert found.labels["team"] == "web"
    assert found.labels["canary"] == "true"
    assert found.severity == WARNING


def test_without_any_severity_it_is_an_error():
    found = reading.event("datadog", {"title": "Slow", "alert_id": "7"})
    assert found.severity == ERROR
