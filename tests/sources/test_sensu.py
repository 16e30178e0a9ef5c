"""Sensu: events of Sensu Go and of Sensu Core."""

from alertcenter.alerts.severity import WARNING
from tests.sources import reading


def test_an_event_of_sensu_core_has_its_client():
    found = reading.read("sensu", "core")
    assert found.title == "http on app-2 is warning"
    assert found.severity == WARNING
    assert found.annotations["occurrences"] == "3"


def test_sensu_core_says_resolve():
    body = reading.payload("sensu", "core")
    body["action"] = "resolve"
    over = reading.event("sensu", body)
    assert not over.firing
    assert over.key == reading.read("sensu", "core").key


def test_a_whole_resource_of_sensu_go_is_read():
    found = reading.read("sensu", "go_resource")
    assert not found.firing
    assert found.labels["team"] == "web"
    assert found.labels["region"] == "eu"
    assert found.annotations["runbook_url"] == "https://wiki.example/http"


def test_another_namespace_is_another_alert():
    body = reading.payload("sensu", "go_resource")
    key = reading.event("sensu", body).key
    body["spec"]["check"]["metadata"]["namespace"] = "lab"
    assert reading.event("sensu", body).key != key


def test_what_a_check_should_not_return_is_unknown():
    body = reading.payload("sensu", "core")
    body["check"]["status"] = 127
    found = reading.event("sensu", body)
    assert found.firing
    assert found.title == "http on app-2 is unknown"
