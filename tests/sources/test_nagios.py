"""Nagios: macros by any spelling, and the mail commands' text."""

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_a_host_that_is_down_is_no_service():
    found = reading.read("nagios", "host_down")
    assert found.title == "gw-1 is down"
    assert found.severity == CRITICAL
    assert found.labels["alertname"] == "HostDown"
    assert "service" not in found.labels
    assert found.annotations["description"] == "CRITICAL - host unreachable (gw-1)"


def test_the_mail_commands_text_has_what_follows_its_headings():
    found = reading.read("nagios", "mail")
    assert not found.firing
    assert found.title == "Swap on app-1 is ok"
    assert found.annotations["description"] == "SWAP OK - 80% free"
    assert found.ends_at is not None


def test_a_subject_alone_is_enough():
    body = {"subject": "** PROBLEM Service Alert: app-1/Swap is CRITICAL **"}
    begun = reading.event("nagios", body)
    assert begun.title == "Swap on app-1 is critical"
    assert begun.key == reading.read("nagios", "mail").key


def test_flapping_that_stops_in_a_bad_state_is_not_over():
    body = {"HOSTNAME": "a", "SERVICEDESC": "b", "SERVICESTATE": "CRITICAL"}
    found = reading.event("nagios", body | {"NOTIFICATIONTYPE": "FLAPPINGSTOP"})
    assert found.firing


def test_states_may_be_numbers():
    body = {"HOSTNAME": "a", "HOSTSTATEID": 2, "NOTIFICATIONTYPE": "PROBLEM"}
    assert reading.event("nagios", body).severity == ERROR
    body = {"HOSTNAME": "a", "SERVICEDESC": "b", "SERVICESTATEID": 0}
    assert not reading.event("nagios", body).firing
