"""Grafana OnCall: what is sent to it, and what it sends."""

from alertcenter.alerts.severity import CRITICAL
from tests.sources import reading


def test_a_formatted_webhook_has_picture_and_page():
    found = reading.read("oncall", "formatted")
    assert found.firing
    assert found.annotations["image_url"] == "https://graphs.example/shop.png"
    assert found.link == "https://monit.example/shop"


def test_the_state_ok_closes_what_has_its_uid():
    said = reading.payload("oncall", "formatted")
    over = reading.event("oncall", said | {"state": "ok", "title": "The shop is up"})
    assert not over.firing
    assert over.key == reading.event("oncall", said).key


def test_an_acknowledged_group_still_fires():
    found = reading.read("oncall", "outgoing")
    assert found.firing
    assert found.severity == CRITICAL
    assert found.title == "Checkout is slow"


def test_a_resolved_group_is_over():
    said = reading.payload("oncall", "outgoing")
    group = said["alert_group"] | {"state": "resolved"}
    over = reading.event("oncall", said | {"alert_group": group})
    assert not over.firing
    assert over.key == reading.event("oncall", said).key
