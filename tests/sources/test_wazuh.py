"""Wazuh: alerts, wrapped or not, and those that end."""

from alertcenter.alerts.severity import ERROR, INFO
from tests.sources import reading


def test_an_alert_inside_shuffles_fields_is_read():
    found = reading.read("wazuh", "shuffle")
    assert found.title == "Integrity checksum changed: db-1"
    assert found.severity == ERROR
    assert found.labels["groups"] == "ossec, syscheck"
    assert found.annotations["path"] == "/etc/passwd"


def test_a_line_by_syslog_is_its_senders_and_not_the_managers():
    found = reading.read("wazuh", "syslog")
    assert found.labels["host"] == "firewall-2"
    assert found.severity == INFO


def test_two_files_are_two_alerts():
    data = reading.payload("wazuh", "shuffle")["all_fields"]
    other = data | {"syscheck": {"path": "/etc/shadow"}}
    assert reading.event("wazuh", data).key != reading.event("wazuh", other).key


def test_an_agent_that_is_back_ends_that_it_was_gone():
    def said(rule):
        return {
            "rule": {"id": rule, "level": 3, "description": f"Agent, rule {rule}"},
            "agent": {"id": "3", "name": "web-3"},
        }

    gone, back = (
        reading.event("wazuh", said("504")),
        reading.event("wazuh", said("503")),
    )
    assert (gone.firing, back.firing) == (True, False)
    assert gone.key == back.key


def test_a_policy_check_that_passes_is_over():
    check = {"sca": {"policy_id": "cis", "check": {"id": "7", "result": "passed"}}}
    data = {"rule": {"id": "19008", "level": 3}, "agent": {"id": "1"}, "data": check}
    assert not reading.event("wazuh", data).firing
