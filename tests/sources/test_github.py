"""GitHub: what failed until it succeeds, what is insecure, and what is only news."""

from alertcenter.alerts.severity import CRITICAL, DEBUG, ERROR, INFO, WARNING
from tests.sources import reading


def test_a_run_that_timed_out_is_an_error_with_its_branch_and_page():
    found = reading.read("github", "run_failed_on_a_fork")
    assert found.firing
    assert found.severity == ERROR
    assert found.title == "deploy timed out on acme/shop@main"
    assert found.labels["branch"] == "main"
    assert found.link.endswith("/runs/8123")


def test_a_forks_main_does_not_close_ours():
    theirs = reading.payload("github", "run_failed_on_a_fork")
    ours = theirs["workflow_run"] | {
        "head_repository": {"full_name": "acme/shop"},
        "conclusion": "success",
    }
    over = reading.event("github", theirs | {"workflow_run": ours})
    assert not over.firing
    assert over.key != reading.event("github", theirs).key


def test_a_cancelled_run_closes_nothing():
    failed = reading.payload("github", "run_failed_on_a_fork")
    cancelled = failed["workflow_run"] | {"conclusion": "cancelled"}
    found = reading.event("github", failed | {"workflow_run": cancelled})
    assert found.severity == DEBUG
    assert found.key != reading.event("github", failed).key


def test_a_deployment_status_is_known_beside_the_run_it_came_from():
    found = reading.read("github", "deployment_status_of_a_run")
    assert found.title == "Deployment of acme/shop to production: failure"
    assert found.severity == ERROR


def test_a_found_secret_is_critical_and_its_location_has_the_same_key():
    said = reading.payload("github", "secret_found")
    found = reading.event("github", said, x_github_event="secret_scanning_alert")
    place = said | {"location": {"type": "commit"}}
    again = reading.event(
        "github", place, x_github_event="secret_scanning_alert_location"
    )
    assert found.severity == CRITICAL
    assert again.key == found.key
    over = said | {"action": "resolved", "alert": said["alert"] | {"state": "resolved"}}
    assert not reading.event("github", over).firing


def test_news_is_readable_and_quiet():
    who = {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
    pull = {"number": 5, "title": "Faster checkout", "id": 11}
    said = {"action": "opened", "pull_request": pull, "repository": who}
    found = reading.event("github", said)
    assert found.title == "Pull request #5 opened in acme/shop: Faster checkout"
    assert found.severity == INFO
    assert not reading.event("github", said | {"action": "closed"}).firing


def test_a_repository_made_public_is_worth_a_look():
    said = {"repository": {"full_name": "acme/shop"}, "sender": {"login": "bob"}}
    found = reading.event("github", said, x_github_event="public")
    assert found.severity == WARNING


def test_a_ping_is_no_alert():
    assert reading.events("github", {"zen": "Keep it logically awesome."}) == []
