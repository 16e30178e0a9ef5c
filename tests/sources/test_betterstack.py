"""Better Stack: incidents by webhook and by the incident log."""

from datetime import UTC, datetime

from tests.sources import reading


def test_a_resolved_incident_is_over_since_the_time_it_says():
    found = reading.read("betterstack", "resolved")
    assert not found.firing
    assert found.title == "Booking API: Keyword not found"
    assert found.starts_at == datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 11, 20, 8, 31, tzinfo=UTC)
    assert found.annotations["image_url"] == "https://pictures.example/7310.png"


def test_an_acknowledged_incident_still_fires():
    said = reading.payload("betterstack", "resolved") | {"event": "acknowledged"}
    assert reading.event("betterstack", said).firing


def test_a_paused_monitor_is_no_alert():
    assert reading.events(
        "betterstack", reading.payload("betterstack", "monitor_paused")
    ) == []  # fmt: skip


def test_the_incident_log_speaks_of_the_same_incident():
    begun = reading.read("betterstack", "log_started")
    assert begun.firing
    assert begun.key == reading.read("betterstack", "resolved").key
