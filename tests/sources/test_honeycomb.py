"""Honeycomb: triggers with groups, and burn alerts."""

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_each_group_over_the_threshold_is_told():
    found = reading.read("honeycomb", "groups")
    assert found.title == "Errors by route"
    assert found.annotations["groups"] == "route=/pay: 31\nroute=/cart: 22"
    assert found.severity == ERROR


def test_a_single_group_is_labels():
    said = reading.payload("honeycomb", "groups")
    said["result_groups_triggered"] = said["result_groups_triggered"][:1]
    assert reading.event("honeycomb", said).labels["route"] == "/pay"


def test_the_shared_secret_is_kept_nowhere():
    assert "do not tell" not in str(reading.read("honeycomb", "groups"))


def test_a_burn_alert_that_is_ok_is_over():
    found = reading.read("honeycomb", "burn_resolved")
    assert not found.firing
    assert found.severity == CRITICAL
    assert found.link == "https://ui.honeycomb.io/example/slo/4"


def test_without_a_name_the_summary_is_the_title_and_has_no_state():
    said = reading.payload("honeycomb", "burn_resolved")
    del said["name"]
    assert reading.event("honeycomb", said).title == "Checkout SLO"
