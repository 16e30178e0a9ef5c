"""OpenNMS: alarms of its REST API, and the events that clear them."""

from alertcenter.alerts.severity import ERROR
from tests.sources import reading


def test_each_alarm_of_a_list_is_an_event():
    down, cleared = reading.events("opennms", reading.payload("opennms", "rest"))
    assert down.title == "Node sw-3 is down."
    assert down.severity == ERROR
    assert down.annotations["description"] == "All interfaces are down."
    assert down.annotations["eventReason"] == "ping"
    assert not cleared.firing


def test_what_clears_an_alarm_has_the_alarms_key():
    down, _other = reading.events("opennms", reading.payload("opennms", "rest"))
    up = reading.read("opennms", "up")
    assert (up.firing, up.key) == (False, down.key)


def test_without_a_reduction_key_the_event_and_the_node_are_the_key():
    body = {"uei": "uei.opennms.org/a/b", "nodeLabel": "x", "severity": "MINOR"}
    one = reading.event("opennms", body)
    assert one.title == "b on x"
    assert one.key != reading.event("opennms", body | {"nodeLabel": "y"}).key


def test_an_acknowledged_alarm_goes_on_firing():
    body = reading.payload("opennms", "up") | {
        "uei": "uei.opennms.org/nodes/nodeDown",
        "severity": "MAJOR",
        "ackUser": "alice",
    }
    found = reading.event("opennms", body)
    assert found.firing
    assert found.annotations["acknowledged_by"] == "alice"
