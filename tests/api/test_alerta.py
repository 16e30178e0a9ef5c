"""Alerta's API, as its clients know it (reference/wire-protocols.md 3.11)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts.models import Alert, Group
from alertcenter.api import alerta_search as search
from alertcenter.api import asked
from tenants.rls import in_tenant
from tests.api.client import Answer, call
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

DISK = {
    "resource": "db-1",
    "event": "DiskFull",
    "environment": "Production",
    "severity": "major",
    "service": ["shop", "web"],
    "group": "Disks",
    "value": "99%",
    "text": "512 MB left",
    "tags": ["region:eu", "ssd"],
    "attributes": {"rack": "7"},
    "origin": "pytest",
}


class Client:
    """Speaks with one key."""

    def __init__(self, key: str) -> None:
        self.headers = {"Authorization": f"Key {key}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        return call(method, f"/alerta{path}", data, headers)

    def send(self, **more: Any) -> dict[str, Any]:
        answer = self("POST", "/alert", DISK | more)
        assert answer.status == 201, answer.body
        assert answer.json["status"] == "ok"
        assert answer.json["id"] == answer.json["alert"]["id"]
        shown: dict[str, Any] = answer.json["alert"]
        return shown

    def query(self, words: str = "") -> list[str]:
        answer = self("GET", f"/alerts?{words}")
        assert answer.status == 200, answer.body
        return [one["event"] for one in answer.json["alerts"]]

    def get(self, identifier: str) -> dict[str, Any]:
        answer = self("GET", f"/alert/{identifier}")
        assert answer.status == 200, answer.body
        shown: dict[str, Any] = answer.json["alert"]
        return shown

    def act(self, identifier: str, action: str, **more: Any) -> int:
        body = {"action": action, "text": "", "timeout": None} | more
        answer = self("PUT", f"/alert/{identifier}/action", body)
        settle()
        return answer.status


@pytest.fixture
def alerta(key: str, acme: Any) -> Client:
    return Client(key)


def settle() -> None:
    """Let the engine do what waits."""
    connection.close()
    with login_as("engine"):
        while flow.process_feed():
            pass
        time.sleep(0.3)
        asked.process()
    connection.close()


def test_an_alert_is_shown_as_it_was_sent(alerta):
    shown = alerta.send()
    assert shown["status"] == "open"
    assert (shown["repeat"], shown["duplicateCount"]) == (False, 0)
    assert shown["previousSeverity"] == "indeterminate"
    again = alerta.get(shown["id"])
    for name, value in DISK.items():
        assert again[name] == value, name


def test_a_duplicate_counts_and_another_severity_correlates(alerta):
    first = alerta.send()
    second = alerta.send()
    assert second["id"] == first["id"]
    assert (second["repeat"], second["duplicateCount"]) == (True, 1)
    third = alerta.send(severity="critical")
    assert third["id"] == first["id"]
    assert third["repeat"] is False
    assert (third["previousSeverity"], third["severity"]) == ("major", "critical")
    assert third["trendIndication"] == "moreSevere"
    assert alerta.send(environment="Development")["id"] != first["id"]


@pytest.mark.parametrize("word", ["minor", "indeterminate", "warning", "trace"])
def test_alertas_own_words_of_severity_come_back(alerta, word):
    assert alerta.send(severity=word)["severity"] == word
    assert alerta.query(f"severity={word}") == ["DiskFull"]


@pytest.mark.parametrize("word", ["normal", "ok", "cleared"])
def test_a_normal_severity_closes(alerta, word):
    first = alerta.send()
    closed = alerta.send(severity=word)
    assert closed["id"] == first["id"]
    assert (closed["status"], closed["severity"]) == ("closed", "normal")
    assert alerta.send()["id"] != first["id"]


def test_normal_for_nothing_that_is_open_shows_no_alert(alerta, acme):
    answer = alerta("POST", "/alert", DISK | {"severity": "normal"})
    assert answer.status == 202
    assert answer.json["status"] == "ok"
    assert "alert" not in answer.json
    with in_tenant(acme.id):
        assert not Alert.objects.filter(state="firing").exists()
    assert alerta.query() == []


def test_events_that_correlate_are_one_alert(alerta):
    pair = ["DiskFull", "DiskFine"]
    first = alerta.send(correlate=pair)
    closed = alerta.send(event="DiskFine", severity="normal", correlate=pair)
    assert closed["id"] == first["id"]
    assert closed["status"] == "closed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": ""},
        {"event": None},
        {"tags": "a,b"},
        {"service": {"a": 1}},
        {"attributes": {"a.b": 1}},
        {"attributes": [1]},
    ],
)
def test_what_alerta_refuses_is_refused_in_its_shape(alerta, wrong):
    answer = alerta("POST", "/alert", DISK | wrong)
    assert answer.status == 400
    assert answer.json["status"] == "error"
    assert answer.json["code"] == 400
    assert answer.json["message"]


def test_a_body_that_is_no_object_is_refused(alerta):
    assert alerta("POST", "/alert", [DISK]).status == 400
    headers = {"Content-Type": "application/json", **alerta.headers}
    assert call("POST", "/alerta/alert", b"{", headers).status == 400


def test_ack_unack_shelve_and_close(alerta, acme):
    pk = alerta.send()["id"]
    settle()
    assert alerta.act(pk, "ack", text="mine") == 200
    assert alerta.get(pk)["status"] == "ack"
    assert alerta.query("status=ack") == ["DiskFull"]
    assert alerta.act(pk, "unack") == 200
    assert alerta.get(pk)["status"] == "open"
    assert alerta.act(pk, "shelve", timeout=3600) == 200
    assert alerta.get(pk)["status"] == "shelved"
    assert alerta.act(pk, "unshelve") == 200
    assert alerta.get(pk)["status"] == "open"
    assert alerta.act(pk, "close", text="done") == 200
    assert alerta.get(pk)["status"] == "closed"
    assert alerta.act(pk, "close") == 409
    texts = [one["text"] for one in alerta("GET", f"/alert/{pk}/notes").json["notes"]]
    assert texts == ["done", "mine"]
    with in_tenant(acme.id):
        assert Group.objects.get(tenant_id=acme.id).state == "resolved"


def test_an_ack_right_after_the_send_is_done_once_there_is_a_group(alerta):
    pk = alerta.send()["id"]
    assert alerta.act(pk, "ack") == 200
    assert alerta.get(pk)["status"] == "ack"


def test_a_status_can_be_set(alerta):
    pk = alerta.send()["id"]
    settle()
    answer = alerta("PUT", f"/alert/{pk}/status", {"status": "ack", "text": "x"})
    assert answer.status == 200
    assert alerta.get(pk)["status"] == "ack"
    assert alerta("PUT", f"/alert/{pk}/status", {"status": "odd"}).status == 400
    assert alerta("PUT", f"/alert/{pk}/action", {"action": "odd"}).status == 400


def test_tags_attributes_and_notes(alerta):
    pk = alerta.send()["id"]
    assert alerta("PUT", f"/alert/{pk}/tag", {"tags": ["new"]}).status == 200
    assert alerta("PUT", f"/alert/{pk}/untag", {"tags": ["ssd"]}).status == 200
    told = {"attributes": {"shelf": "3"}}
    assert alerta("PUT", f"/alert/{pk}/attributes", told).status == 200
    answer = alerta("PUT", f"/alert/{pk}/note", {"text": "look here"})
    assert answer.status == 201
    assert answer.json["note"]["text"] == "look here"
    shown = alerta.get(pk)
    assert shown["tags"] == ["region:eu", "new"]
    assert shown["attributes"] == {"rack": "7", "shelf": "3"}
    assert "note" in [one["type"] for one in shown["history"]]
    assert alerta("PUT", f"/alert/{pk}/tag", {"tags": []}).status == 400
    assert alerta("PUT", f"/alert/{pk}/note", {}).status == 400


def test_a_delete_closes(alerta):
    pk = alerta.send()["id"]
    assert alerta("DELETE", f"/alert/{pk}").json == {"status": "ok"}
    assert alerta.get(pk)["status"] == "closed"
    assert alerta("DELETE", f"/alert/{pk}").status == 200


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("environment=Production", ["DiskFull"]),
        ("environment!=Production", ["Slow"]),
        ("environment=~^prod", ["DiskFull"]),
        ("environment!=~^prod", ["Slow"]),
        ("resource=db-1&event=DiskFull", ["DiskFull"]),
        ("service=shop", ["DiskFull"]),
        ("service=sho", []),
        ("tags=ssd", ["DiskFull"]),
        ("group=Disks", ["DiskFull"]),
        ("region=eu", ["DiskFull"]),
        ("severity=major&severity=warning&sort-by=severity", ["DiskFull", "Slow"]),
        ("sort-by=event", ["DiskFull", "Slow"]),
        ("sort-by=-event", ["Slow", "DiskFull"]),
        ("sort-by=lastReceiveTime", ["Slow", "DiskFull"]),
        ("q=resource:db-1", ["DiskFull"]),
        ("q=severity:%22major%22%20AND%20environment:prod", ["DiskFull"]),
        ("q=Slow", ["Slow"]),
        ("status=closed", []),
        ("page-size=1", ["Slow"]),
        ("page-size=1&page=2", ["DiskFull"]),
        ("from-date=2099-01-01T00:00:00.000Z", []),
    ],
)
def test_queries(alerta, words, found):
    alerta.send()
    alerta.send(
        event="Slow",
        resource="w-1",
        environment="Dev",
        severity="warning",
        service=[],
        tags=[],
        group="Web",
    )
    assert alerta.query(words) == found


@pytest.mark.parametrize(
    "words",
    [
        "q=a%20OR%20b",
        "q=NOT%20a",
        "q=-a",
        "q=(a",
        "q=colour:red",
        "event=~(",
        "event=~(%3F=a)",
        "a__b=1",
        "page=0",
        "page-size=5000",
        "sort-by=colour",
        "from-date=x",
    ],
)
def test_what_a_query_does_not_understand_is_refused_not_left_out(alerta, words):
    alerta.send()
    answer = alerta("GET", f"/alerts?{words}")
    assert (answer.status, answer.json["status"]) == (400, "error")


@pytest.mark.parametrize("name", ["isnull", "range", "in", "contains", "gt", "regex"])
def test_a_label_may_be_called_as_djangos_words(alerta, name):
    alerta.send(attributes={})
    for query in (f"{name}=x", f"attributes.{name}=x", f"{name}=~x"):
        assert alerta.query(query) == []
    assert alerta.query(f"{name}!=x") == ["DiskFull"]


@pytest.mark.parametrize("words", ["q=%00", "event=%00", "event!=%00", "%00=a"])
def test_a_character_that_cannot_be_stored_is_refused(alerta, words):
    alerta.send()
    assert alerta("GET", f"/alerts?{words}").status == 400


def test_a_regular_expression_has_its_time(alerta, monkeypatch):
    alerta.send(resource="a" * 2_001 + "b")
    monkeypatch.setattr(search, "LONGEST_QUERY", "300ms")
    began = time.monotonic()
    answer = alerta("GET", "/alerts?resource=~^(a%2B)(a%2B)(a%2B)%5C1%5C2%5C3b$")
    assert (answer.status, answer.json["message"]) == (400, "the query takes too long")
    assert time.monotonic() - began < 5


def test_ids_may_be_short_where_only_one_begins_so(alerta):
    pk = alerta.send()["id"]
    assert alerta.query(f"id={pk[:8]}") == ["DiskFull"]
    assert alerta.get(pk[:8])["id"] == pk
    alerta.send(event="Other")
    assert alerta.query(f"id={pk}") == ["DiskFull"]
    assert alerta("GET", "/alert/00000000").status == 404
    assert alerta("GET", "/alert/nothing").status == 404
    assert alerta("PUT", "/alert/00000000/action", {"action": "ack"}).status == 404


def test_an_id_that_begins_several_acts_on_none(alerta, monkeypatch):
    pk = alerta.send()["id"]
    alerta.send(event="Other")
    monkeypatch.setattr("alertcenter.api.alerta_search.SHORTEST_ID", 1)
    answer = alerta("PUT", f"/alert/{pk[:1]}/action", {"action": "close"})
    assert answer.status == 400
    assert alerta.query("status=open") == ["Other", "DiskFull"]


def test_counts_and_lists(alerta):
    alerta.send()
    alerta.send(event="Slow", environment="Dev", severity="minor")
    counts = alerta("GET", "/alerts/count").json
    assert counts["total"] == 2
    assert counts["severityCounts"] == {"major": 1, "minor": 1}
    assert counts["statusCounts"] == {"open": 2}
    places = alerta("GET", "/environments").json["environments"]
    assert [(one["environment"], one["count"]) for one in places] == [
        ("Dev", 1),
        ("Production", 1),
    ]
    services = alerta("GET", "/services?environment=Dev").json["services"]
    assert [(one["environment"], one["service"]) for one in services] == [
        ("Dev", "shop"),
        ("Dev", "web"),
    ]
    assert alerta("GET", "/alerts/groups").json["groups"][0]["group"] == "Disks"
    assert {one["tag"] for one in alerta("GET", "/alerts/tags").json["tags"]} == {
        "region:eu",
        "ssd",
    }
    changes = alerta("GET", "/alerts/history?event=Slow").json["history"]
    assert [(one["event"], one["type"]) for one in changes] == [("Slow", "new")]


def test_what_the_command_reads_first_needs_no_key():
    assert call("GET", "/alerta/config", b"", {}).json["severity"]["critical"] == 1
    assert call("GET", "/alerta/", b"", {}).status == 200


def test_the_version_needs_a_key(alerta):
    assert alerta("GET", "/management/status").json["version"]
    assert call("GET", "/alerta/management/status", b"", {}).status == 401


@pytest.mark.parametrize("form", ["Key {}", "Bearer {}", None])
def test_keys_come_in_several_headers(alerta, key, form):
    headers = {"Authorization": form.format(key)} if form else {"X-API-Key": key}
    assert call("GET", "/alerta/alerts", b"", headers).status == 200


def test_a_wrong_key_and_a_wrong_scope(acme, mint):
    answer = call("GET", "/alerta/alerts", b"", {"Authorization": "Key nothing"})
    assert (answer.status, answer.json["status"]) == (401, "error")
    assert Client(mint(acme, "read"))("POST", "/alert", DISK).status == 403
    assert Client(mint(acme, "ingest"))("GET", "/alerts").status == 403


def test_a_method_that_is_none(alerta):
    answer = alerta("POST", "/alerts", {})
    assert answer.status == 405
    assert answer.headers["allow"] == "GET"


def test_another_tenant_sees_nothing(alerta, foreign_key):
    pk = alerta.send()["id"]
    other = Client(foreign_key)
    assert other.query() == []
    assert other("GET", f"/alert/{pk}").status == 404
    assert other("PUT", f"/alert/{pk}/action", {"action": "ack"}).status == 404
