"""Kapacitor: changes of level, with and without data."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL
from tests.sources import reading


def test_ok_is_over_and_began_as_long_ago_as_it_says():
    found = reading.read("kapacitor", "ok")
    assert not found.firing
    assert found.starts_at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert found.severity == CRITICAL


def test_the_default_message_is_not_repeated_in_the_title():
    found = reading.read("kapacitor", "ok")
    assert found.title == "disk:host=db-1,path=/var"
    assert found.labels["alertname"] == "disk"
    assert found.labels["path"] == "/var"
    assert found.annotations["value"] == "40.5"


def test_an_alert_without_data_is_read():
    found = reading.read("kapacitor", "no_data")
    assert (found.title, found.severity, found.firing) == (
        "node silent",
        CRITICAL,
        True,
    )


def test_without_an_id_the_series_and_its_tags_are_the_key():
    def data(host):
        series = {"name": "cpu", "tags": {"host": host}}
        return {"level": "WARNING", "message": "hot", "data": {"series": [series]}}

    one = reading.event("kapacitor", data("a"))
    assert one.key == reading.event("kapacitor", data("a") | {"level": "OK"}).key
    assert one.key != reading.event("kapacitor", data("b")).key
