"""Alerta: its severities close and correlate."""

from alertcenter.alerts.severity import ERROR
from tests.sources import reading


def test_an_alert_has_its_resource_tags_and_severity():
    found = reading.read("alerta", "node_down")
    assert found.firing
    assert found.severity == ERROR
    assert found.title == "NodeDown on web-1: The node does not answer"
    assert found.labels["service"] == "shop, network"
    assert found.labels["rack"] == "12"
    assert found.ttl_seconds == 600


def test_what_is_normal_ends_what_it_is_correlated_with():
    down = reading.read("alerta", "node_down")
    found = reading.events(
        "alerta", reading.payload("alerta", "node_up_ends_node_down")
    )
    assert [one.firing for one in found] == [False, False]
    assert down.key in [one.key for one in found]


def test_another_environment_is_another_alert():
    said = reading.payload("alerta", "node_down")
    other = reading.event("alerta", said | {"environment": "Development"})
    assert other.key != reading.event("alerta", said).key


def test_a_closed_alert_is_over_and_an_acknowledged_one_is_not():
    said = reading.payload("alerta", "node_down")
    assert not reading.event("alerta", said | {"status": "closed"}).firing
    assert reading.event("alerta", said | {"status": "ack"}).firing
