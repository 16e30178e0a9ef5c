"""BugSnag: errors by their own id, and what is said of a whole project."""

from alertcenter.alerts.severity import ERROR, WARNING
from tests.sources import reading


def test_an_error_has_its_class_stage_and_page():
    found = reading.read("bugsnag", "frequent_error")
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "KeyError: cart"
    assert found.labels["environment"] == "production"
    assert found.link.endswith("/errors/6a1")


def test_another_event_of_the_error_is_the_same_alert_and_fixed_closes_it():
    said = reading.payload("bugsnag", "frequent_error")
    later = said["error"] | {"id": "event-10", "status": "fixed"}
    over = reading.event("bugsnag", said | {"error": later})
    assert not over.firing
    assert over.key == reading.event("bugsnag", said).key


def test_a_manual_change_of_state_goes_before_the_status():
    said = reading.payload("bugsnag", "frequent_error")
    trigger = {"type": "errorStateManualChange", "stateChange": "ignored"}
    assert not reading.event("bugsnag", said | {"trigger": trigger}).firing


def test_a_spiking_project_is_an_error():
    found = reading.read("bugsnag", "project_spiking")
    assert found.title == "shop: Spike in errors"
    assert found.severity == ERROR
