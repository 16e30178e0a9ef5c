"""Icinga: scripts, the event stream, and Icinga Notifications."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_in_the_event_stream_a_hosts_one_is_down():
    found = reading.read("icinga", "stream")
    assert found.title == "db-2 is down"
    assert found.severity == CRITICAL
    assert found.annotations["description"] == "PING CRITICAL - 100 % lost"
    body = reading.payload("icinga", "stream") | {"state": 0}
    over = reading.event("icinga", body)
    assert (over.firing, over.key) == (False, found.key)


def test_a_services_one_is_a_warning():
    body = reading.payload("icinga", "stream") | {"service": "ping4"}
    found = reading.event("icinga", body)
    assert found.title == "ping4 on db-2 is warning"
    assert found.severity == WARNING


def test_icinga_notifications_name_the_object_by_its_tags():
    found = reading.read("icinga", "notifications")
    assert found.title == "disk on db-2 is crit"
    assert found.severity == CRITICAL
    assert found.link.endswith("incident?id=41")
    assert found.annotations["description"] == "DISK CRITICAL - 1 % free"


def test_an_event_for_icinga_notifications_ends_by_its_severity():
    body = {
        "name": "db-2!disk",
        "tags": {"host": "db-2", "service": "disk"},
        "extra_tags": {},
        "type": "state",
        "severity": "ok",
        "message": "DISK OK",
    }
    over = reading.event("icinga", body)
    assert not over.firing
    assert over.key == reading.read("icinga", "notifications").key


def test_nested_objects_of_a_script_are_read():
    found = reading.event(
        "icinga",
        {
            "host": {"name": "a", "address": "192.0.2.9"},
            "service": {"name": "b", "state": "CRITICAL", "output": "bad"},
            "notification": {"type": "PROBLEM"},
        },
    )
    assert found.title == "b on a is critical"
    assert found.labels["address"] == "192.0.2.9"


def test_the_standard_mail_is_read():
    words = (
        "***** Service Monitoring on icinga *****\n\ndisk on db-2 is CRITICAL!\n\n"
        "Info:    DISK CRITICAL\nWhen:    2026-11-20 10:00:00 +0000\n"
        "Service: disk\nHost:    db-2\n"
    )
    found = reading.event("icinga", {"text": words})
    assert found.title == "disk on db-2 is critical"
    assert found.starts_at is not None
