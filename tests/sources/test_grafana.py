"""Grafana: unified alerting, legacy alerting, and what both leave out."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_each_alert_of_a_group_is_an_event_whose_labels_are_its_identity():
    begun, over = reading.events(
        "grafana", reading.payload("grafana", "two_with_values")
    )
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key is None
    assert begun.severity == CRITICAL
    assert begun.annotations["value"] == "A=4.02, C=1"
    assert begun.annotations["image_url"] == "https://pictures.example/disk.png"
    assert begun.annotations["panel_url"].endswith("viewPanel=2")
    assert "value=61" in over.annotations["value"]


def test_no_data_is_named_after_the_rule():
    found = reading.read("grafana", "no_data")
    assert found.title == "Replication lag: no data"
    assert found.labels["alertname"] == "DatasourceNoData"
    assert found.annotations["silence_url"].startswith("https://grafana.example/")
    assert found.ends_at is None


def test_an_alert_without_labels_is_known_by_its_fingerprint():
    said = reading.payload("grafana", "no_data")
    said["alerts"][0]["labels"] = {}
    found = reading.event("grafana", said)
    assert found.key == "0a1b2c3d4e5f6071"
    assert found.title == "[FIRING:1] DatasourceNoData (Replication lag)"


def test_a_group_whose_alerts_say_nothing_is_still_an_alert():
    said = reading.payload("grafana", "no_data") | {"alerts": [{"status": "firing"}]}
    found = reading.event("grafana", said)
    assert found.firing
    assert found.title == "[FIRING:1] DatasourceNoData (Replication lag)"
    assert found.key == said["groupKey"]


def test_an_alert_without_a_status_has_its_groups():
    said = reading.payload("grafana", "no_data") | {"status": "resolved"}
    del said["alerts"][0]["status"]
    assert not reading.event("grafana", said).firing


def test_a_legacy_rule_is_one_alert_with_all_its_series():
    found = reading.read("grafana", "legacy_two_series")
    assert found.title == "CPU of databases"
    assert found.annotations["value"] == "db-1=91.5, db-2=97"
    assert "instance" not in found.labels
    assert found.labels["team"] == "db"


def test_a_legacy_rule_is_over_when_it_is_ok_or_paused():
    begun = reading.payload("grafana", "legacy_two_series")
    for state in ("ok", "paused"):
        over = reading.event("grafana", begun | {"state": state, "evalMatches": None})
        assert not over.firing
        assert over.key == reading.event("grafana", begun).key


def test_a_legacy_rule_without_data_warns():
    begun = reading.payload("grafana", "legacy_two_series")
    found = reading.event("grafana", begun | {"state": "no_data", "evalMatches": []})
    assert found.firing
    assert found.severity == WARNING
