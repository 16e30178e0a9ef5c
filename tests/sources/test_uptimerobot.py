"""UptimeRobot: JSON, a form or a query, in either spelling."""

from alertcenter.alerts.severity import WARNING
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.sources.registry import adapters
from tests.sources import reading


def test_down_says_why_and_nothing_that_was_not_filled_in():
    found = reading.read("uptimerobot", "down_unfilled")
    assert found.title == "Booking is down"
    assert found.annotations["description"] == "Keyword Does Not Exist"
    assert "duration" not in found.annotations
    assert found.link == "https://booking.example"


def test_a_query_says_the_same_as_a_body():
    said = reading.payload("uptimerobot", "certificate")
    (asked,) = adapters()["uptimerobot"].read(Incoming({}, {}, said))
    assert asked == reading.event("uptimerobot", said)


def test_up_ends_what_was_down():
    begun = reading.payload("uptimerobot", "down_unfilled")
    over = reading.event(
        "uptimerobot", begun | {"alert_type": 2, "alert_type_friendly_name": "Up"}
    )
    assert not over.firing
    assert over.key == reading.event("uptimerobot", begun).key


def test_a_certificate_is_another_alert_than_the_monitor():
    said = reading.payload("uptimerobot", "certificate")
    found = reading.event("uptimerobot", said)
    down = reading.event(
        "uptimerobot", said | {"alertType": "1"} | {"alertTypeFriendlyName": "Down"}
    )
    assert found.severity == WARNING
    assert found.annotations["days_left"] == "7"
    assert found.key != down.key
