"""ThousandEyes: classic webhooks, and the custom ones' generic template."""

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_a_cleared_alert_has_its_times_and_what_saw_it():
    found = reading.read("thousandeyes", "bgp_clear")
    assert not found.firing
    assert found.title == "Reachability: Prefix 198.51.100.0/24"
    assert found.severity == CRITICAL
    assert found.labels["agents"] == "Oslo-1"
    assert found.annotations["value"] == "Reachability: 100%"
    assert found.ends_at is not None


def test_its_trigger_has_the_same_key():
    body = reading.payload("thousandeyes", "bgp_clear")
    body["eventType"] = "ALERT_NOTIFICATION_TRIGGER"
    body["alert"]["active"] = 1
    found = reading.event("thousandeyes", body)
    assert found.firing
    assert found.key == reading.read("thousandeyes", "bgp_clear").key


def test_the_generic_templates_type_says_whether_it_is_over():
    body = reading.payload("thousandeyes", "custom")
    begun = reading.event("thousandeyes", body)
    over = reading.event("thousandeyes", body | {"type": "1"})
    assert begun.title == "Slow: Checkout"
    assert begun.severity == ERROR
    assert begun.labels["tags"] == "shop, eu"
    assert begun.starts_at is not None
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key == over.key


def test_a_test_of_the_webhook_can_be_seen():
    found = reading.event("thousandeyes", {"eventId": "1", "eventType": "WEBHOOK_TEST"})
    assert found.title == "ThousandEyes tests its webhook"
