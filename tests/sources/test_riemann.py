"""Riemann: events alone, in lists, and those whose sender fell silent."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_an_event_that_expired_is_not_over():
    silent, good = reading.events("riemann", reading.payload("riemann", "expired"))
    assert silent.firing
    assert silent.severity == WARNING
    assert silent.labels["database"] == "true"
    assert not good.firing


def test_an_events_ttl_is_not_the_alerts():
    silent, _good = reading.events("riemann", reading.payload("riemann", "expired"))
    assert silent.ttl_seconds is None


def test_events_in_an_envelope_are_found():
    found = reading.read("riemann", "enveloped")
    assert found.title == "disk / on web-1 is critical"
    assert found.severity == CRITICAL
    assert found.annotations["value"] == "0.97"


def test_an_ok_ends_the_hosts_service_alone():
    one = {"host": "a", "service": "x", "state": "critical"}
    begun = reading.event("riemann", one)
    over = reading.event("riemann", one | {"state": "ok"})
    other = reading.event("riemann", one | {"host": "b"})
    assert (over.firing, over.key) == (False, begun.key)
    assert other.key != begun.key
