"""GitLab: pipelines, jobs and deployments, incidents, vulnerabilities and news."""

from alertcenter.alerts.severity import CRITICAL, DEBUG, ERROR, INFO, WARNING
from tests.sources import reading

PROJECT = {"path_with_namespace": "acme/shop", "web_url": "https://gitlab.example/shop"}


def test_a_failed_pipeline_names_its_jobs_and_its_page():
    found = reading.read("gitlab", "pipeline_failed")
    assert found.firing
    assert found.severity == ERROR
    assert found.title == "Pipeline failed on acme/shop@main"
    assert found.annotations["failed_jobs"] == "test"
    assert found.link == "https://gitlab.example/acme/shop/-/pipelines/31"


def test_a_later_pipeline_of_the_branch_closes_it_and_a_cancelled_one_does_not():
    failed = reading.payload("gitlab", "pipeline_failed")
    key = reading.event("gitlab", failed).key
    later = failed["object_attributes"] | {"id": 32, "status": "success"}
    over = reading.event("gitlab", failed | {"object_attributes": later})
    assert not over.firing
    assert over.key == key
    stopped = failed | {"object_attributes": later | {"status": "canceled"}}
    found = reading.event("gitlab", stopped)
    assert found.severity == DEBUG
    assert found.key != key


def test_an_incident_is_critical_until_it_is_closed():
    said = reading.payload("gitlab", "incident_opened")
    found = reading.event("gitlab", said)
    assert found.severity == CRITICAL
    assert found.title == "Incident #12 open in acme/shop: Checkout answers 500"
    closed = said["object_attributes"] | {"state": "closed", "action": "close"}
    older = said | {"object_kind": "issue", "object_attributes": closed}
    over = reading.event("gitlab", older)
    assert not over.firing
    assert over.key == found.key


def test_a_vulnerability_is_known_by_its_address():
    about = {
        "title": "Denial of service in rexml",
        "state": "detected",
        "severity": "medium",
        "url": "https://gitlab.example/shop/-/security/vulnerabilities/1",
    }
    said = {"object_kind": "vulnerability", "project": PROJECT}
    found = reading.event("gitlab", said | {"object_attributes": about})
    assert found.severity == WARNING
    other = about | {"url": about["url"][:-1] + "2"}
    assert reading.event("gitlab", said | {"object_attributes": other}).key != found.key
    fixed = said | {"object_attributes": about | {"state": "resolved"}}
    assert not reading.event("gitlab", fixed).firing


def test_a_token_that_expires_is_worth_a_look():
    said = {
        "object_kind": "access_token",
        "object_attributes": {"id": 25, "name": "deploy", "expires_at": "2026-12-01"},
        "event_name": "expiring_access_token",
        "project": PROJECT,
    }
    found = reading.event("gitlab", said)
    assert found.severity == WARNING
    assert found.title == "Access token expires on 2026-12-01 in acme/shop: deploy"


def test_the_header_tells_the_kind_and_news_are_quiet():
    said = {
        "ref": "refs/heads/main",
        "commits": [{"title": "Typo"}],
        "project": PROJECT,
    }
    found = reading.event("gitlab", said, x_gitlab_event="Push Hook")
    assert found.title == "Push in acme/shop: Typo"
    assert found.severity == INFO
