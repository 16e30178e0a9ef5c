"""Sentry: issue alerts, issues, metric alerts, and the old plugin."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_an_issue_alert_is_resolved_by_its_issue():
    begun = reading.read("sentry", "issue_alert", sentry_hook_resource="event_alert")
    over = reading.read("sentry", "issue_resolved", sentry_hook_resource="issue")
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key == over.key
    assert begun.labels["project"] == over.labels["project"] == "billing"


def test_an_issue_alert_says_what_where_and_how_bad():
    found = reading.read("sentry", "issue_alert")
    assert found.title == "KeyError: 'amount'"
    assert found.severity == CRITICAL
    assert found.labels["environment"] == "staging"
    assert found.annotations["location"] == "billing.charge in pay"


def test_the_old_plugins_issue_is_the_same_alert():
    found = reading.read("sentry", "plugin")
    assert found.key == reading.read("sentry", "issue_alert").key
    assert found.title == "retrying a payment"
    assert found.severity == WARNING


def test_an_event_that_names_its_issue_only_in_its_page_is_that_issues():
    said = reading.payload("sentry", "issue_alert")
    del said["data"]["event"]["issue_url"]
    found = reading.event("sentry", said)
    assert found.key == reading.read("sentry", "issue_resolved").key


def test_an_assigned_issue_still_fires_and_an_ignored_one_does_not():
    said = reading.payload("sentry", "issue_resolved")
    said["data"]["issue"]["status"] = "unresolved"
    assert reading.event("sentry", said | {"action": "assigned"}).firing
    assert not reading.event("sentry", said | {"action": "ignored"}).firing


def test_an_issue_that_comes_back_is_younger_than_its_end():
    said = reading.payload("sentry", "issue_resolved") | {"action": "unresolved"}
    said["data"]["issue"]["status"] = "unresolved"
    found = reading.event("sentry", said)
    assert found.starts_at is not None
    assert found.starts_at.day == 20


def test_a_metric_alert_has_one_title_and_key_until_it_is_resolved():
    begun = reading.payload("sentry", "metric_critical")
    found = reading.event("sentry", begun)
    assert found.title == "Slow checkout"
    assert found.severity == CRITICAL
    over = reading.event("sentry", begun | {"action": "resolved"})
    assert not over.firing
    assert over.key == found.key


def test_installations_and_comments_are_no_alerts():
    for inner in ({"installation": {"uuid": "1"}}, {"comment": "seen", "issue_id": 1}):
        assert reading.events("sentry", {"action": "created", "data": inner}) == []
