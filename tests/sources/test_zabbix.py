"""Zabbix: our webhook's fields, the official media types', and bare messages."""

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_the_fields_of_a_media_type_make_a_problem_with_its_tags():
    found = reading.read("zabbix", "media_type")
    assert found.title == "Memory is low on app-3"
    assert found.severity == ERROR
    assert found.labels["team"] == "shop"
    assert found.annotations["value"] == "97 %"
    assert found.link == (
        "https://zabbix.example/tr_events.php?triggerid=501&eventid=90210"
    )


def test_macros_that_say_nothing_are_no_values():
    found = reading.read("zabbix", "media_type")
    assert found.annotations["description"] == "Memory of app-3 is nearly used up"
    assert found.ends_at is None


def test_an_acknowledgement_goes_on_firing():
    body = reading.payload("zabbix", "media_type")
    body |= {"event_update_status": "1", "event_update_message": "on it"}
    found = reading.event("zabbix", body)
    assert found.firing
    assert found.annotations["update"] == "on it"


def test_the_default_messages_lines_are_read():
    over = reading.read("zabbix", "message_only")
    assert not over.firing
    assert over.title == "Link eth1 is down on sw-2"
    assert over.severity == CRITICAL
    begun = {
        "subject": "Problem: Link eth1 is down",
        "message": "Problem name: Link eth1 is down\nHost: sw-2\n"
        "Original problem ID: 777",
    }
    assert reading.event("zabbix", begun).key == over.key


def test_a_recovery_by_its_words_has_the_key_of_its_problem():
    body = {"EventID": 5, "EventName": "Disk", "TriggerStatus": "PROBLEM"}
    begun = reading.event("zabbix", body)
    over = reading.event("zabbix", body | {"TriggerStatus": "OK"})
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key == over.key == "5"
