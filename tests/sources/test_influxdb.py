"""InfluxDB: the statuses of checks."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import WARNING
from tests.sources import reading


def test_ok_is_over_at_the_time_of_the_status():
    found = reading.read("influxdb", "ok")
    assert not found.firing
    assert found.ends_at == datetime(2025, 11, 21, 10, 0, tzinfo=UTC)
    assert found.title == "Disk: db-1"
    assert found.labels["path"] == "/var"
    assert found.annotations["value"] == "used=40.5, free=3"


def test_the_key_holds_the_tags_and_not_the_values():
    data = reading.payload("influxdb", "ok")
    begun = data | {"_level": "crit", "used": 99.5}
    other = data | {"path": "/home"}
    key = reading.event("influxdb", data).key
    assert reading.event("influxdb", begun).key == key
    assert reading.event("influxdb", other).key != key


def test_a_deadman_of_unknown_level_is_a_warning():
    found = reading.read("influxdb", "deadman")
    assert (found.title, found.severity) == ("Silent: pump-2", WARNING)
    assert found.firing


def test_several_rows_are_several_events():
    data = reading.payload("influxdb", "ok")
    rows = [data, data | {"host": "db-2"}, {"host": "without a level"}]
    assert len(reading.events("influxdb", rows)) == 2
