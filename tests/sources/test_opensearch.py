"""OpenSearch: the default message, variables, buckets."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import ERROR, WARNING
from tests.sources import reading


def test_the_default_message_is_taken_apart():
    found = reading.read("opensearch", "default_text")
    assert found.title == "Logins: Too many"
    assert found.severity == ERROR
    assert found.starts_at == datetime(2026, 11, 21, 8, 59, tzinfo=UTC)


def test_the_default_message_in_one_line_is_taken_apart_too():
    words = reading.payload("opensearch", "default_text")["text"]
    one_line = " ".join(words.split())
    found = reading.event("opensearch", {"text": one_line})
    assert found.title == "Logins: Too many"


def test_each_bucket_is_an_alert_and_completed_ones_are_over():
    data = reading.payload("opensearch", "buckets")
    new, done = reading.events("opensearch", data)
    assert (new.title, new.firing) == ("Errors by service: many: mail", True)
    assert new.severity == WARNING
    assert done.firing is False
    assert new.key != done.key


def test_a_state_that_is_told_ends_it():
    data = {"monitor_name": "Disk", "trigger_name": "full", "state": "COMPLETED"}
    found = reading.event("opensearch", data)
    assert not found.firing
    assert found.key == reading.event("opensearch", data | {"state": "ACTIVE"}).key
