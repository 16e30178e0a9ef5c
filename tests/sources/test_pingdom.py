"""Pingdom: checks and transactions."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import WARNING
from tests.sources import reading


def test_a_failing_transaction_says_what_and_where():
    found = reading.read("pingdom", "transaction_failing")
    assert found.firing
    assert found.title == "Log in is failing"
    assert found.labels["instance"] == "booking.example"
    assert found.labels["tags"] == "web, eu"
    assert found.annotations["message"] == "Ask the web team"
    assert found.link == ""


def test_a_low_importance_warns():
    assert reading.read("pingdom", "transaction_failing").severity == WARNING


def test_success_ends_the_transactions_alert():
    said = reading.payload("pingdom", "transaction_failing")
    over = reading.event("pingdom", said | {"current_state": "SUCCESS"})
    assert not over.firing
    assert over.key == reading.event("pingdom", said).key


def test_up_is_the_end_at_the_time_it_says():
    found = reading.read("pingdom", "dns_up")
    assert not found.firing
    assert found.ends_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_what_is_not_confirmed_fires_and_warns():
    said = reading.payload("pingdom", "dns_up") | {"current_state": "UNCONFIRMED_DOWN"}
    found = reading.event("pingdom", said)
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "Names is unconfirmed down"
