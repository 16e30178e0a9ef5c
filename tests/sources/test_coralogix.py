"""Coralogix: the default body, groups, the Notification Center."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL
from tests.sources import reading


def test_a_group_that_resolves_is_over():
    found = reading.read("coralogix", "grouped_resolve")
    assert not found.firing
    assert found.title == "Pods restart: checkout-7"
    assert found.ends_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert found.severity == CRITICAL
    assert found.labels["pod"] == "checkout-7"
    assert found.labels["owner"] == "shop"


def test_what_nobody_filled_in_is_no_label():
    found = reading.read("coralogix", "grouped_resolve")
    assert not any("$" in value for value in found.labels.values())
    assert "host" not in found.labels


def test_trigger_and_resolve_have_the_same_key_and_another_group_another():
    over = reading.payload("coralogix", "grouped_resolve")
    begun = reading.event("coralogix", over | {"alert_action": "trigger"})
    assert begun.firing
    assert begun.key == reading.event("coralogix", over).key
    fields = [*over["fields"][:4], {"key": "Group-by Value1", "value": "checkout-8"}]
    assert reading.event("coralogix", over | {"fields": fields}).key != begun.key


def test_the_notification_centers_objects_are_read():
    found = reading.read("coralogix", "notification_center")
    assert found.title == "Mail is slow: mail"
    assert found.severity == CRITICAL
    assert found.firing
    assert found.starts_at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_a_body_without_fields_is_read():
    found = reading.event(
        "coralogix",
        {"name": "Down", "alert_id": 7, "alert_action": "trigger", "fields": None},
    )
    assert (found.title, found.firing) == ("Down", True)
