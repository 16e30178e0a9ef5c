"""Rollbar: items from their first occurrence to their resolution."""

from alertcenter.alerts.severity import CRITICAL, ERROR, INFO
from tests.sources import reading


def test_an_occurrence_has_its_level_host_and_message():
    found = reading.read("rollbar", "occurrence")
    assert found.firing
    assert found.severity == CRITICAL
    assert found.title == "TypeError: cart is undefined"
    assert found.labels["host"] == "web-1"
    assert found.annotations["description"] == "cart is undefined"


def test_a_resolved_item_closes_what_its_occurrences_opened():
    said = reading.payload("rollbar", "occurrence")
    over = reading.event("rollbar", said | {"event_name": "resolved_item"})
    assert not over.firing
    assert over.key == reading.event("rollbar", said).key


def test_a_level_may_be_a_number():
    item = reading.payload("rollbar", "occurrence")["data"]["item"]
    said = {"event_name": "new_item", "data": {"item": item}}
    assert reading.event("rollbar", said).severity == ERROR


def test_a_deploy_and_a_test_are_readable_and_quiet():
    found = reading.read("rollbar", "deploy")
    assert found.title == "Deploy to production"
    assert found.severity == INFO
    test = reading.event("rollbar", {"event_name": "test", "data": {"message": "Hi"}})
    assert test.title == "Test: Hi"
