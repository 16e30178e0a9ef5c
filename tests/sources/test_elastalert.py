"""ElastAlert: the fields of a match, whatever they are called."""

from datetime import UTC, datetime

import pytest

from alertcenter.alerts.severity import ERROR, WARNING
from alertcenter.alerts.sources.adapter import NotUnderstood
from tests.sources import reading


def test_a_match_is_titled_by_its_rule_and_host():
    found = reading.read("elastalert", "all_values")
    assert found.title == "Failed logins: bastion-1"
    assert found.severity == ERROR
    assert found.labels["service"] == "sshd"
    assert found.labels["environment"] == "production"
    assert found.annotations["value"] == "7"
    assert found.link == "https://kibana.example.com/app/discover#/x"
    assert found.starts_at == datetime(2026, 11, 21, 9, 0, 0, 123000, tzinfo=UTC)


def test_a_payload_without_a_rule_is_known_by_its_summary():
    found = reading.read("elastalert", "static_only")
    assert found.title == "Night job failed"
    assert found.severity == WARNING
    assert found.labels["environment"] == "staging"


def test_the_next_match_on_the_host_has_the_same_key():
    data = reading.payload("elastalert", "all_values")
    again = data | {"@timestamp": "2026-11-21T10:00:00Z", "_id": "b2", "num_hits": 9}
    other = data | {"host.name": "bastion-2"}
    key = reading.event("elastalert", data).key
    assert reading.event("elastalert", again).key == key
    assert reading.event("elastalert", other).key != key


def test_the_rules_name_stands_before_a_subject_that_lacks_it():
    found = reading.event(
        "elastalert", {"rule_name": "Disk", "alert_subject": "90 % on db-1"}
    )
    assert found.title == "Disk: 90 % on db-1"
    assert found.labels["alertname"] == "Disk"


def test_fields_nobody_knows_still_make_an_alert():
    found = reading.event("elastalert", {"posted_as": "toto", "n": 1})
    assert found.title == "toto"
    with pytest.raises(NotUnderstood):
        reading.events("elastalert", {"n": {}})
