"""Statuspage and its like: a supplier's incidents, maintenances and components."""

from alertcenter.alerts.severity import CRITICAL, INFO
from tests.sources import reading


def test_a_resolved_incident_closes_the_one_of_its_number():
    said = reading.payload("statuspage", "incident_resolved")
    over = reading.event("statuspage", said)
    assert not over.firing
    assert over.severity == CRITICAL
    assert over.annotations["description"] == "The queue is empty again."
    begun = said["incident"] | {"status": "investigating", "resolved_at": None}
    found = reading.event("statuspage", said | {"incident": begun})
    assert found.firing
    assert found.key == over.key
    assert found.labels["page"] == "status.supplier.example"


def test_words_without_underlines_are_understood():
    found = reading.read("statuspage", "component_of_instatus")
    assert found.severity == CRITICAL
    assert found.firing
    said = reading.payload("statuspage", "component_of_instatus")
    update = said["component_update"] | {"new_status": "OPERATIONAL"}
    assert not reading.event("statuspage", said | {"component_update": update}).firing


def test_a_maintenance_is_only_information():
    said = reading.payload("statuspage", "incident_resolved")
    planned = said["incident"] | {
        "status": "scheduled",
        "resolved_at": None,
        "scheduled_for": "2026-12-01T00:00:00Z",
    }
    found = reading.event("statuspage", said | {"incident": planned})
    assert found.severity == INFO
    assert found.firing


def test_a_flat_body_of_another_vendor_is_understood():
    said = {
        "id": "551edb",
        "title": "Database is slow",
        "datetime_start": "2026-11-20T10:00:00+00:00",
        "datetime_resolve": "",
        "current_status": "Service Disruption",
        "current_state": "Identified",
        "components": [{"name": "Chat"}],
        "status_page_url": "https://status.example/pages/1",
    }
    found = reading.event("statuspage", said)
    assert found.severity == CRITICAL
    assert found.labels["components"] == "Chat"
    over = said | {"current_status": "Operational", "current_state": "Resolved"}
    assert not reading.event("statuspage", over).firing
