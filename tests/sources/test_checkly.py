"""Checkly: failing, degraded, recovered, and certificates."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_degraded_warns_and_failing_is_critical_and_both_are_one_alert():
    said = reading.payload("checkly", "degraded")
    degraded = reading.event("checkly", said)
    failing = reading.event("checkly", said | {"alert_type": "ALERT_DEGRADED_FAILURE"})
    assert degraded.title == "Booking page has degraded"
    assert (degraded.severity, failing.severity) == (WARNING, CRITICAL)
    assert degraded.key == failing.key


def test_a_failure_that_only_degrades_still_fires():
    said = reading.payload("checkly", "degraded")
    found = reading.event("checkly", said | {"alert_type": "ALERT_FAILURE_DEGRADED"})
    assert found.firing
    assert found.severity == WARNING


def test_each_kind_of_recovery_ends_it():
    said = reading.payload("checkly", "degraded")
    for kind in ("ALERT_RECOVERY", "ALERT_DEGRADED_RECOVERY"):
        over = reading.event("checkly", said | {"alert_type": kind})
        assert not over.firing
        assert over.key == reading.event("checkly", said).key


def test_tags_with_spaces_between_are_labels():
    found = reading.read("checkly", "degraded")
    assert found.labels["shop"] == "true"
    assert found.labels["production"] == "true"


def test_a_certificate_is_another_alert_than_its_check():
    found = reading.read("checkly", "certificate")
    assert found.severity == WARNING
    assert found.annotations["days_left"] == "9"
    assert found.key != reading.read("checkly", "degraded").key


def test_no_alert_is_none():
    said = reading.payload("checkly", "degraded") | {"alert_type": "NO_ALERT"}
    assert reading.events("checkly", said) == []
