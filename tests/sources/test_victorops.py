"""VictorOps: the REST endpoint's body, by hand and from Alertmanager."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_the_severity_of_alertmanagers_alerts_goes_before_its_critical():
    found = reading.read("victorops", "alertmanager_warning")
    assert found.severity == WARNING
    assert found.title == "DiskFull (production warning)"
    assert found.labels["alertname"] == "DiskFull"
    assert "instance" not in found.labels


def test_a_recovery_closes_what_has_its_entity():
    said = reading.payload("victorops", "plain")
    found = reading.event("victorops", said)
    over = reading.event("victorops", said | {"message_type": "RECOVERY"})
    assert found.firing
    assert not over.firing
    assert over.key == found.key == "disk/db-1"


def test_an_acknowledged_alert_still_fires():
    said = reading.payload("victorops", "plain") | {"message_type": "ACKNOWLEDGEMENT"}
    assert reading.event("victorops", said).firing


def test_a_link_among_the_fields_is_the_page_to_open():
    found = reading.read("victorops", "plain")
    assert found.link == "https://graphs.example/db-1"
    assert found.labels["host"] == "db-1"
    assert found.starts_at is not None


def test_a_problem_of_nagios_is_critical():
    said = reading.payload("victorops", "plain") | {"message_type": "PROBLEM"}
    assert reading.event("victorops", said).severity == CRITICAL
