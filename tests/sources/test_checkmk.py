"""Checkmk: the notification context, with its own names and without."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_an_acknowledgement_goes_on_firing():
    found = reading.read("checkmk", "flat")
    assert found.firing
    assert found.severity == WARNING
    assert found.annotations["comment"] == "looking"


def test_the_state_after_the_arrow_is_the_state():
    found = reading.read("checkmk", "small")
    assert found.title == "CPU load on db-2 is crit"
    assert found.severity == CRITICAL
    assert found.starts_at is not None


def test_both_spellings_have_one_key():
    assert reading.read("checkmk", "small").key == reading.read("checkmk", "flat").key


def test_another_site_is_another_alert():
    body = reading.payload("checkmk", "small")
    one = reading.event("checkmk", body)
    assert one.key != reading.event("checkmk", body | {"site": "branch"}).key


def test_a_host_that_is_up_again_is_over():
    body = {"what": "HOST", "host": "a", "event": "DOWN -> UP", "site": "main"}
    found = reading.event("checkmk", body)
    assert not found.firing
    assert found.labels["alertname"] == "HostDown"
