"""PagerDuty's webhooks: incidents in three versions, notes and services."""

from alertcenter.alerts.severity import INFO, WARNING
from tests.sources import reading


def test_a_note_does_not_reopen_the_incident_that_it_is_of():
    found = reading.read("pagerduty_webhook", "note_v3")
    assert found.title == "Checkout is slow: annotated"
    assert found.severity == INFO
    assert found.annotations["description"] == "It was the cache"
    assert found.key != "PGR0VU2"


def test_version_two_says_several_things_at_once():
    said = reading.payload("pagerduty_webhook", "messages_v2")
    begun, over = reading.events("pagerduty_webhook", said)
    assert begun.firing
    assert begun.severity == WARNING
    assert begun.labels["service"] == "Billing"
    assert not over.firing
    assert over.key == begun.key


def test_an_update_of_a_resolved_incident_leaves_it_resolved():
    data = {"id": "P1", "title": "Slow", "status": "resolved", "type": "incident"}
    said = {"event": {"event_type": "incident.priority_updated", "data": data}}
    assert not reading.event("pagerduty_webhook", said).firing


def test_a_deleted_service_is_news():
    data = {"id": "PS1", "type": "service", "summary": "Billing"}
    said = {"event": {"event_type": "service.deleted", "data": data}}
    found = reading.event("pagerduty_webhook", said)
    assert found.title == "Billing: service deleted"
    assert found.severity == INFO


def test_a_ping_is_no_alert():
    said = {"event": {"event_type": "pagey.ping", "data": {"message": "Hello"}}}
    assert reading.events("pagerduty_webhook", said) == []
