"""Healthchecks: our template, the check as an object, and other people's templates."""

from datetime import UTC, datetime

from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.sources.registry import adapters
from tests.sources import reading


def test_down_names_the_check_and_its_tags():
    found = reading.read("healthchecks", "check_object")
    assert found.firing
    assert found.title == "Nightly export is down"
    assert found.labels["db"] == found.labels["prod"] == "true"
    assert found.annotations["description"] == "Writes the day's orders"


def test_a_template_and_the_object_speak_of_one_check():
    over = reading.read("healthchecks", "template")
    assert not over.firing
    assert over.ends_at == datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    assert over.key == reading.read("healthchecks", "check_object").key


def test_a_placeholder_that_was_left_is_not_shown():
    assert "exit_status" not in reading.read("healthchecks", "template").annotations


def test_a_query_is_enough():
    asked = Incoming({}, {}, {"name": "Nightly export", "status": "down"})
    (found,) = adapters()["healthchecks"].read(asked)
    assert found.title == "Nightly export is down"


def test_a_check_by_its_name_alone_has_one_key():
    down = reading.event("healthchecks", {"check": "Export", "status": "DOWN"})
    up = reading.event("healthchecks", {"check": "Export", "status": "UP"})
    assert down.key == up.key
    assert (down.firing, up.firing) == (True, False)
