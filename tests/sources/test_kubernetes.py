"""Kubernetes: events of both APIs, objects, and what others make of them."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import ERROR, INFO, WARNING
from tests.sources import reading


def test_an_event_from_a_watch_is_unwrapped():
    found = reading.read("kubernetes", "events_v1")
    assert found.title == "FailedScheduling: Pod shop/mail-1"
    assert found.severity == ERROR
    assert found.annotations["count"] == "4"
    assert found.annotations["description"] == "0/3 nodes are available"
    assert found.starts_at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_that_an_event_is_removed_says_nothing():
    data = reading.payload("kubernetes", "events_v1")
    assert reading.events("kubernetes", data | {"type": "DELETED"}) == []


def test_the_same_event_again_has_the_same_key_and_another_pod_another():
    data = reading.payload("kubernetes", "back_off")
    again = data | {"count": 99, "lastTimestamp": "2026-11-21T10:00:00Z"}
    about = data["involvedObject"] | {"name": "mail-2"}
    key = reading.event("kubernetes", data).key
    assert reading.event("kubernetes", again).key == key
    assert reading.event("kubernetes", data | {"involvedObject": about}).key != key


def test_a_normal_event_is_information_and_a_list_is_several():
    data = reading.payload("kubernetes", "back_off")
    normal = data | {"type": "Normal", "reason": "Pulled"}
    listed = {"kind": "EventList", "items": [normal, data | {"reason": "Unhealthy"}]}
    found = reading.events("kubernetes", listed)
    assert [one.severity for one in found] == [INFO, WARNING]


def test_an_object_is_an_alert_while_a_condition_of_it_is_bad():
    data = reading.payload("kubernetes", "deployment")
    found = reading.event("kubernetes", data)
    assert found.title == "MinimumReplicasUnavailable: Deployment shop/mail"
    assert found.firing
    well = data | {"status": {"conditions": [{"type": "Available", "status": "True"}]}}
    over = reading.event("kubernetes", well)
    assert (over.firing, over.key) == (False, found.key)


def test_kubewatch_is_read():
    found = reading.read("kubernetes", "kubewatch")
    assert found.title == "deleted: pod shop/mail-1"
    assert found.labels["pod"] == "mail-1"


def test_botkube_is_read():
    found = reading.read("kubernetes", "botkube")
    assert found.title == "BackOff: Pod shop/mail-1"
    assert (found.labels["cluster"], found.severity) == ("live", ERROR)


def test_robusta_is_read_and_resolves():
    data = reading.payload("kubernetes", "robusta")
    found = reading.event("kubernetes", data)
    assert (found.title, found.severity) == ("Crashing pod mail-1", ERROR)
    over = reading.event("kubernetes", data | {"title": "[RESOLVED] Crashing pod"})
    assert (over.firing, over.key) == (False, found.key)
