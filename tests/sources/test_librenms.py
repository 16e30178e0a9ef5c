"""LibreNMS: the API transport's fields, its faults, the form of OnCall's transport."""

from alertcenter.alerts.severity import WARNING
from tests.sources import reading


def test_each_fault_is_a_line():
    found = reading.read("librenms", "sensor")
    assert found.title == "Alert for device core-1 - Sensor over limit"
    assert found.severity == WARNING
    assert found.annotations["faults"] == "Temperature 71 C\nFan 0 rpm"
    assert found.labels["alertname"] == "Sensor over limit"


def test_a_recovery_has_the_alerts_key_and_is_no_beginning():
    begun = reading.read("librenms", "sensor")
    body = reading.payload("librenms", "sensor") | {"state": "0", "severity": "ok"}
    over = reading.event("librenms", body)
    assert not over.firing
    assert over.key == begun.key
    assert over.starts_at is None
    assert over.ends_at == begun.starts_at


def test_oncalls_fields_are_read():
    over = reading.read("librenms", "oncall_form")
    assert not over.firing
    assert over.labels["alertname"] == "Sensor over limit"
    assert over.link == "https://nms.example/device/7"


def test_an_acknowledgement_and_a_change_go_on_firing():
    body = reading.payload("librenms", "sensor")
    for state in (2, 3, 4, 5):
        assert reading.event("librenms", body | {"state": state}).firing


def test_without_an_alert_id_the_device_and_the_rule_are_the_key():
    body = reading.payload("librenms", "sensor")
    del body["alert_id"]
    again = body | {"id": "4411", "uid": "4411", "title": "core-1 recovered"}
    assert reading.event("librenms", body).key == reading.event("librenms", again).key
