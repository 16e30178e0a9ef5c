"""Axiom: threshold monitors, match monitors, other templates."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL
from tests.sources import reading


def test_closed_is_over_and_its_state_is_not_in_the_title():
    found = reading.read("axiom", "closed")
    assert not found.firing
    assert found.title == "Queue is long: mail"
    assert found.ends_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert found.labels["queue"] == "mail"


def test_open_has_the_key_of_closed_and_another_group_another():
    data = reading.payload("axiom", "closed")
    about = data["event"] | {"title": "Triggered: Queue is long", "value": 900}
    begun = reading.event("axiom", {"action": "Open", "event": about})
    assert begun.firing
    assert begun.key == reading.event("axiom", data).key
    other = {"action": "Open", "event": about | {"groupValues": ["print"]}}
    assert reading.event("axiom", other).key != begun.key


def test_a_matched_event_tells_its_host_and_level():
    found = reading.read("axiom", "match")
    assert found.title == "Panic in the log: web-1"
    assert found.severity == CRITICAL
    assert found.starts_at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_a_template_with_axioms_own_names_is_read():
    found = reading.event(
        "axiom", {"Action": "Closed", "MonitorID": "M3", "Title": "Resolved: Slow"}
    )
    assert (found.title, found.firing, found.key) == ("Slow", False, "M3")
