"""Opsgenie: its webhooks, and what is posted to create its alerts."""

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_alertmanagers_alert_has_the_severity_of_its_details():
    found = reading.read("opsgenie", "alertmanager_create")
    assert found.severity == CRITICAL
    assert found.title == "DiskFull db-1 (production critical)"
    assert found.labels["instance"] == "db-1"
    assert found.link.startswith("http://am.example/")


def test_an_escalation_keeps_it_firing_with_its_priority_and_team():
    found = reading.read("opsgenie", "webhook_escalate")
    assert found.firing
    assert found.severity == ERROR
    assert found.labels["team"] == "storage"


def test_close_closes_what_has_the_alias():
    said = reading.payload("opsgenie", "webhook_escalate")
    over = reading.event("opsgenie", said | {"action": "Close"})
    assert not over.firing
    assert over.key == reading.event("opsgenie", said).key == "disk/db-1"


def test_an_alert_without_an_alias_is_known_by_its_message_and_entity():
    one = reading.event("opsgenie", {"message": "Full", "entity": "db-1"})
    two = reading.event("opsgenie", {"message": "Full", "entity": "db-2"})
    assert one.key != two.key
