"""PRTG: sensors that go down, warn, and are up again."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_down_ended_is_over():
    found = reading.read("prtg", "ended")
    assert not found.firing
    assert found.title == "Disk Free: db-1"
    assert found.severity == CRITICAL
    assert found.annotations["description"] == "OK"
    assert found.labels["wmi"] == "true"


def test_a_placeholder_that_is_not_filled_in_is_no_label():
    assert "location" not in reading.read("prtg", "ended").labels


def test_a_warning_is_a_warning_with_the_key_of_its_sensor():
    found = reading.read("prtg", "warning")
    assert (found.firing, found.severity) == (True, WARNING)
    assert found.key == reading.read("prtg", "ended").key


def test_without_a_number_device_and_name_are_the_key():
    one = {"sensor": "Ping", "device": "a", "status": "Down"}
    assert (
        reading.event("prtg", one).key
        != reading.event("prtg", one | {"device": "b"}).key
    )
    assert not reading.event("prtg", one | {"status": "Up"}).firing
