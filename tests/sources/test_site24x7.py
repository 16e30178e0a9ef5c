"""Site24x7: JSON and forms, in capitals or not."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_trouble_warns_and_down_is_critical():
    said = reading.payload("site24x7", "trouble")
    found = reading.event("site24x7", said)
    assert found.title == "Booking is in trouble"
    assert found.severity == WARNING
    assert found.starts_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert reading.event("site24x7", said | {"STATUS": "DOWN"}).severity == CRITICAL


def test_up_in_small_letters_ends_it():
    over = reading.read("site24x7", "form_up")
    assert not over.firing
    assert over.key == reading.read("site24x7", "trouble").key


def test_two_monitors_of_one_name_are_told_apart_by_their_page():
    said = reading.payload("site24x7", "trouble")
    page = said["MONITOR_DASHBOARD_LINK"].replace("100200", "100201")
    other = reading.event("site24x7", said | {"MONITOR_DASHBOARD_LINK": page})
    assert other.key != reading.event("site24x7", said).key


def test_the_outages_time_is_not_taken_for_the_recoverys():
    said = reading.payload("site24x7", "trouble") | {"STATUS": "UP"}
    found = reading.event("site24x7", said)
    assert found.starts_at is None
    assert found.ends_at is None
