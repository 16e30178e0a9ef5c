"""Jenkins: a job is broken until a later build of it succeeds."""

from alertcenter.alerts.severity import DEBUG, ERROR, WARNING
from tests.sources import reading


def test_an_unstable_build_is_a_warning_about_its_whole_path():
    found = reading.read("jenkins", "finalized_unstable")
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "acme/shop/main #18 unstable"
    assert found.labels["branch"] == "main"
    assert found.annotations["failed_tests"] == "2"
    assert found.annotations["culprits"] == "alice, bob"


def test_the_next_successful_build_closes_it():
    said = reading.payload("jenkins", "finalized_unstable")
    build = said["build"] | {"number": 19, "status": "SUCCESS"}
    over = reading.event("jenkins", said | {"build": build})
    assert not over.firing
    assert over.key == reading.event("jenkins", said).key


def test_a_started_build_closes_nothing_though_it_names_the_last_result():
    said = reading.payload("jenkins", "finalized_unstable")
    build = said["build"] | {"phase": "STARTED", "status": "SUCCESS"}
    found = reading.event("jenkins", said | {"build": build})
    assert found.severity == DEBUG
    assert found.key != reading.event("jenkins", said).key


def test_an_aborted_build_closes_nothing():
    said = reading.payload("jenkins", "finalized_unstable")
    build = said["build"] | {"status": "ABORTED"}
    found = reading.event("jenkins", said | {"build": build})
    assert found.key != reading.event("jenkins", said).key


def test_another_plugins_body_is_understood():
    found = reading.read("jenkins", "outbound_webhook")
    assert found.severity == ERROR
    assert found.title == "billing failed"
    assert found.link == "https://jenkins.example/job/billing/7/"
