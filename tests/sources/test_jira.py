"""Jira: an issue is open until its status is of the category done."""

from alertcenter.alerts.severity import CRITICAL, ERROR, INFO
from tests.sources import reading


def test_an_issue_has_its_key_page_and_what_changed():
    found = reading.read("jira", "issue_updated")
    assert found.firing
    assert found.title == "OPS-42: Checkout answers 500"
    assert found.severity == ERROR
    assert found.link == "https://acme.atlassian.net/browse/OPS-42"
    assert found.labels["component"] == "Shop"
    assert found.annotations["changes"] == "status: Open → Investigating"


def test_the_category_done_closes_it_whatever_the_status_is_called():
    said = reading.payload("jira", "issue_updated")
    done = {"status": {"name": "Erledigt", "statusCategory": {"key": "done"}}}
    issue = said["issue"] | {"key": "SHOP-7", "fields": said["issue"]["fields"] | done}
    over = reading.event("jira", said | {"issue": issue})
    assert not over.firing
    assert over.key == reading.event("jira", said).key


def test_a_deleted_issue_is_over():
    said = reading.payload("jira", "issue_updated")
    assert not reading.event(
        "jira", said | {"webhookEvent": "jira:issue_deleted"}
    ).firing


def test_an_older_jiras_priorities_are_understood():
    said = reading.payload("jira", "issue_updated")
    fields = said["issue"]["fields"] | {"priority": {"name": "Blocker"}}
    issue = said["issue"] | {"fields": fields}
    assert reading.event("jira", said | {"issue": issue}).severity == CRITICAL


def test_a_worklog_is_news():
    found = reading.read("jira", "worklog_created")
    assert found.title == "Worklog created: Looked at the cache"
    assert found.severity == INFO


def test_an_automation_rule_sends_the_issue_itself():
    issue = reading.payload("jira", "issue_updated")["issue"]
    assert reading.event("jira", issue).title == "OPS-42: Checkout answers 500"
