"""Graylog: events, and the check results of version 2."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import INFO, WARNING
from tests.sources import reading


def test_an_event_is_titled_by_its_definition_and_key():
    found = reading.read("graylog", "event")
    assert found.title == "Logins fail: root"
    assert found.severity == WARNING
    assert found.labels["user"] == "root"
    assert found.labels["host"] == "bastion-1"
    assert found.labels["environment"] == "production"
    assert found.annotations["value"] == "31"
    assert found.starts_at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert "Failed password" in found.annotations["backlog"]


def test_the_next_event_of_the_definition_has_the_same_key():
    data = reading.payload("graylog", "event")
    again = data | {"event": data["event"] | {"id": "01OTHER", "message": "count()=40"}}
    other = data | {"event": data["event"] | {"key_tuple": ["admin"]}}
    key = reading.event("graylog", data).key
    assert reading.event("graylog", again).key == key
    assert reading.event("graylog", other).key != key


def test_a_check_result_of_version_two_is_read():
    found = reading.read("graylog", "check_result")
    assert found.title == "Many errors"
    assert found.labels["stream"] == "Errors"
    assert found.labels["host"] == "web-4"
    assert found.firing


def test_a_check_result_that_is_not_triggered_is_over():
    data = reading.payload("graylog", "check_result")
    over = data | {"check_result": data["check_result"] | {"triggered": False}}
    found = reading.event("graylog", over)
    assert not found.firing
    assert found.key == reading.event("graylog", data).key


def test_the_priority_may_be_a_text_and_the_event_nearly_empty():
    found = reading.event(
        "graylog",
        {
            "event_definition_title": "Test",
            "event": {"priority": "1", "key_tuple": None, "group_by_fields": []},
            "backlog": None,
        },
    )
    assert (found.title, found.severity) == ("Test", INFO)
