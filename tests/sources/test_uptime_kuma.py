"""Uptime Kuma: a monitor's heartbeats, and notices that name no monitor."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL, INFO, WARNING
from tests.sources import reading


def test_down_says_which_monitor_and_why():
    found = reading.read("uptime_kuma", "down")
    assert found.title == "Booking is down"
    assert found.severity == CRITICAL
    assert found.labels["team"] == "web"
    assert found.annotations["description"] == "Request failed with status code 502"
    assert found.starts_at == datetime(2026, 11, 20, 10, 0, 0, 512000, tzinfo=UTC)


def test_up_and_maintenance_end_it_and_pending_does_not():
    said = reading.payload("uptime_kuma", "down")
    begun = reading.event("uptime_kuma", said)
    for status, firing in ((1, False), ("1", False), (3, False), (2, True)):
        said["heartbeat"]["status"] = status
        found = reading.event("uptime_kuma", said)
        assert found.firing is firing
        assert found.key == begun.key


def test_without_a_heartbeat_the_message_tells_the_status():
    said = reading.payload("uptime_kuma", "down") | {"heartbeat": None}
    assert reading.event("uptime_kuma", said).firing
    up = reading.event("uptime_kuma", said | {"msg": "[Booking] [✅ Up] 200 - OK"})
    assert not up.firing


def test_a_certificates_notice_is_one_alert_while_its_days_go_by():
    said = reading.payload("uptime_kuma", "certificate")
    found = reading.event("uptime_kuma", said)
    later = reading.event(
        "uptime_kuma", said | {"msg": said["msg"].replace("14 days", "7 days")}
    )
    assert found.severity == WARNING
    assert found.key == later.key


def test_the_test_button_makes_an_alert_to_look_at():
    found = reading.event("uptime_kuma", {"msg": "My Webhook Testing"})
    assert found.title == "My Webhook Testing"
    assert found.severity == INFO
    assert found.ttl_seconds
