"""Opsgenie's Alert API, as its clients know it (reference/wire-protocols.md 3.8)."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts.models import Alert, Group, Rule
from alertcenter.api import asked
from tenants.rls import in_tenant
from tests.api.client import Answer, call
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "/opsgenie/v2"


class Client:
    """Speaks with one key."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        data = b"" if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"GenieKey {self.key}",
            "Content-Type": "application/json",
        }
        return call(method, BASE + path, data, headers)

    def create(self, **more: Any) -> Answer:
        return self("POST", "/alerts", {"message": "Disk is full", "alias": "d"} | more)

    def act(self, name: str, body: Any = None, method: str = "POST") -> dict[str, Any]:
        """Act on alias `d`; return what became of the request."""
        answer = self(method, f"/alerts/d/{name}{ALIAS}", body or {})
        assert answer.status == 202, answer.body
        assert answer.json["result"] == "Request will be processed"
        settle()
        request = self("GET", f"/alerts/requests/{answer.json['requestId']}")
        assert request.status == 200, request.body
        data: dict[str, Any] = request.json["data"]
        return data

    def get(self) -> dict[str, Any]:
        data: dict[str, Any] = self("GET", f"/alerts/d{ALIAS}").json["data"]
        return data


ALIAS = "?identifierType=alias"


@pytest.fixture
def og(key: str) -> Client:
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


def alert(cast: Cast) -> Alert:
    with in_tenant(cast.id):
        return Alert.objects.get(tenant_id=cast.id)


def test_a_create_is_accepted_and_its_request_tells_the_alert(acme, og):
    answer = og.create(
        priority="P1",
        tags=["db", "disk"],
        details={"host": "db-1"},
        entity="db-1",
        description="512 MB left",
        responders=[{"name": "dba", "type": "team"}],
        note="look at the logs first",
        source="monit",
    )
    assert answer.status == 202
    assert set(answer.json) == {"result", "took", "requestId"}
    assert answer.headers["x-ratelimit-state"] == "OK"
    told = og("GET", f"/alerts/requests/{answer.json['requestId']}").json["data"]
    assert (told["success"], told["status"]) == (True, "Created alert")
    shown = og("GET", f"/alerts/{told['alertId']}").json["data"]
    assert shown["alias"] == told["alias"] == "d"
    assert shown["message"] == "Disk is full"
    assert (shown["status"], shown["priority"]) == ("open", "P1")
    assert shown["tags"] == ["db", "disk"]
    assert shown["details"] == {"host": "db-1"}
    assert shown["description"] == "512 MB left"
    assert shown["responders"] == [{"name": "dba", "type": "team"}]
    tiny = og("GET", f"/alerts/{shown['tinyId']}?identifierType=tiny")
    assert tiny.json["data"]["id"] == shown["id"]
    notes = og("GET", f"/alerts/d/notes{ALIAS}").json["data"]
    assert [one["note"] for one in notes] == ["look at the logs first"]


def test_the_same_alias_counts_and_a_close_makes_room_for_a_new_one(acme, og):
    og.create()
    first = og.get()["id"]
    og.create()
    assert (og.get()["id"], og.get()["count"]) == (first, 2)
    assert og.act("close", {"user": "bob"})["success"]
    assert og.get()["status"] == "closed"
    og.create()
    assert og.get()["status"] == "open"
    assert og.get()["id"] != first


def test_without_an_alias_the_request_names_one(acme, og):
    answer = og("POST", "/alerts", {"message": "x"})
    told = og("GET", f"/alerts/requests/{answer.json['requestId']}").json["data"]
    assert told["alias"]


def test_updates_by_alias_right_after_the_create_succeed(acme, og):
    og.create()
    assert og.act("message", {"message": "Disk is fuller"}, "PUT")["success"]
    assert og.act("description", {"description": "400 MB"}, "PUT")["success"]
    assert og.act("priority", {"priority": "P2"}, "PUT")["success"]
    assert og.act("tags", {"tags": ["a", "b"]})["success"]
    assert og.act("details", {"details": {"rack": "7"}})["success"]
    shown = og.get()
    assert shown["message"] == "Disk is fuller"
    assert shown["description"] == "400 MB"
    assert (shown["priority"], shown["tags"]) == ("P2", ["a", "b"])
    assert shown["details"] == {"rack": "7"}
    gone = og("DELETE", f"/alerts/d/tags{ALIAS}&tags=a")
    assert gone.status == 202
    assert og("DELETE", f"/alerts/d/details{ALIAS}&keys=rack").status == 202
    assert (og.get()["tags"], og.get()["details"]) == (["b"], {})


def test_acknowledge_unacknowledge_snooze_and_note(acme, og):
    og.create()
    assert og.act("acknowledge", {"user": "bob", "note": "mine"})["success"]
    assert og.get()["acknowledged"] is True
    assert og.get()["report"]["acknowledgedBy"] == "bob"
    assert og.act("unacknowledge")["success"]
    assert og.get()["acknowledged"] is False
    ends = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    assert og.act("snooze", {"endTime": ends})["success"]
    assert og.get()["snoozed"] is True
    assert og.act("notes", {"note": "more"})["success"]
    notes = og("GET", f"/alerts/d/notes{ALIAS}").json["data"]
    assert [one["note"] for one in notes] == ["more", "mine"]
    assert og("GET", f"/alerts/d/logs{ALIAS}").json["data"]


def test_an_owner_is_a_member(acme, og):
    og.create()
    assert og.act("assign", {"owner": {"username": "bob@acme.example"}})["success"]
    assert og.get()["owner"] == "Bob"
    with in_tenant(acme.id):
        assert str(Group.objects.get().assignee) == "Bob"
    told = og.act("assign", {"owner": {"username": "nobody"}})
    assert (told["success"], told["status"]) == (False, "Owner does not exist")


def test_escalation_responders_and_teams_are_taken(acme, og):
    og.create()
    assert og.act("escalate", {"escalation": {"name": "next"}})["success"]
    assert og.act("responders", {"responder": {"type": "user", "id": "1"}})["success"]
    assert og.act("teams", {"team": {"name": "dba"}})["success"]


def test_a_mutation_of_what_is_not_there_is_202_and_fails_afterwards(acme, og):
    answer = og("POST", f"/alerts/none/acknowledge{ALIAS}", {})
    assert answer.status == 202
    told = og("GET", f"/alerts/requests/{answer.json['requestId']}").json["data"]
    assert told["success"] is False
    assert told["status"] == "Alert does not exist"
    assert (told["alertId"], told["alias"]) == ("", "")


def test_a_list_is_searched_sorted_and_paged(acme, og):
    for number in range(5):
        og.create(
            alias=f"a{number}",
            message=f"Alert {number}",
            priority="P1" if number % 2 else "P4",
            tags=["odd"] if number % 2 else ["even"],
        )
    page = og("GET", "/alerts?limit=2&sort=message&order=asc").json
    assert [one["message"] for one in page["data"]] == ["Alert 0", "Alert 1"]
    assert "offset=2" in page["paging"]["next"]
    behind = og("GET", "/alerts?limit=2&offset=50").json
    assert behind["data"] == []
    assert "offset=4" in behind["paging"]["last"]
    query = "status%3Aopen+AND+priority%3AP1"
    assert og("GET", f"/alerts/count?query={query}").json["data"] == {"count": 2}
    for text, count in (
        ("tag:even", 3),
        ("NOT tag:even", 2),
        ("alias:a3", 1),
        ("alias:a*", 5),
        ("priority:(P1 OR P4)", 5),
        ("message:%22Alert 2%22", 1),
        ("tag:odd OR alias:a0", 3),
        ("Alert 4", 1),
        ("status:closed", 0),
        ("acknowledged:true", 0),
        ("createdAt>0", 5),
    ):
        found = og("GET", f"/alerts/count?query={text.replace(' ', '+')}")
        assert found.json["data"] == {"count": count}, text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/alerts", {}, 422),
        ("POST", "/alerts", {"message": "x", "priority": "P9"}, 422),
        ("POST", "/alerts", {"message": "x", "tags": "a"}, 422),
        ("POST", "/alerts", [1], 422),
        ("GET", "/alerts?limit=0", None, 422),
        ("GET", "/alerts?limit=101", None, 422),
        ("GET", "/alerts?query=nofield:x", None, 422),
        ("GET", "/alerts/nobody", None, 404),
        ("GET", "/alerts/nobody?identifierType=else", None, 422),
        ("GET", "/alerts/requests/nothing", None, 404),
        ("POST", "/alerts/d/snooze?identifierType=alias", {}, 422),
        ("PUT", "/alerts/d/priority?identifierType=alias", {"priority": "x"}, 422),
        ("PATCH", "/alerts", {}, 405),
    ],
)
def test_what_is_wrong_is_said_in_opsgenies_shape(method, path, body, status, og):
    answer = og(method, path, body)
    assert answer.status == status
    assert {"message", "took", "requestId"} <= set(answer.json)


def test_keys_are_asked_for_and_scopes_hold(acme, globex, mint, foreign_key, og):
    og.create()
    shown = og.get()["id"]
    assert Client("no").create().status == 401
    assert Client(mint(acme, "read")).create().status == 403
    assert Client(mint(acme, "ingest"))("GET", "/alerts").status == 403
    other = Client(foreign_key)
    assert other("GET", f"/alerts/{shown}").status == 404
    assert other("GET", "/alerts").json["data"] == []
    gone = other("POST", f"/alerts/{shown}/close", {})
    assert gone.status == 202
    assert og.get()["status"] == "open"


def test_what_a_rule_drops_is_accepted_and_its_request_says_so(acme, og):
    with in_tenant(acme.id):
        Rule.objects.create(
            tenant_id=acme.id, name="all", matchers=['entity="x"'], drop=True
        )
    answer = og.create(entity="x", note="n")
    assert answer.status == 202
    told = og("GET", f"/alerts/requests/{answer.json['requestId']}").json["data"]
    assert (told["success"], told["alertId"]) == (False, "")
    assert "rule" in told["status"]


def test_delete_closes(acme, og):
    og.create()
    assert og("DELETE", f"/alerts/d{ALIAS}&user=bob").status == 202
    assert alert(acme).state == "resolved"


NASTY = ["\0", "a\0b", "\ud800", "\\u0000", "x" * 5_000, ["a"], {"b": "\0"}, 7, None]


@pytest.mark.parametrize("value", NASTY, ids=repr)
def test_odd_values_are_stored_or_refused_and_never_a_fault(value, acme, og):
    og.create()
    bodies = [
        ("POST", "/alerts", {"message": value, "alias": value, "tags": [value]}),
        ("POST", "/alerts", {"message": "x", "details": {"k": value}, "note": value}),
        ("POST", f"/alerts/d/acknowledge{ALIAS}", {"user": value, "note": value}),
        ("POST", f"/alerts/d/notes{ALIAS}", {"note": value}),
        ("POST", f"/alerts/d/assign{ALIAS}", {"owner": value}),
        ("POST", f"/alerts/d/snooze{ALIAS}", {"endTime": value}),
        ("POST", f"/alerts/d/tags{ALIAS}", {"tags": [value]}),
        ("POST", f"/alerts/d/details{ALIAS}", {"details": {"k": value}}),
        ("POST", f"/alerts/d/responders{ALIAS}", {"responder": {"id": value}}),
        ("PUT", f"/alerts/d/message{ALIAS}", {"message": value}),
        ("PUT", f"/alerts/d/description{ALIAS}", {"description": value}),
        ("PUT", f"/alerts/d/priority{ALIAS}", {"priority": value}),
        ("POST", "/heartbeats", {"name": value, "interval": 1, "intervalUnit": value}),
    ]
    for method, path, body in bodies:
        assert og(method, path, body).status in (201, 202, 404, 422), (path, value)
    settle()
    assert og("GET", "/alerts").status == 200


@pytest.mark.parametrize("query", ["%00", "message:%00", "((((", '"', "a:b:c", "NOT"])
def test_odd_queries_are_answered(query, acme, og):
    assert og("GET", f"/alerts?query={query}").status in (200, 422)
    assert og("GET", f"/heartbeats/{query}").status == 404
    assert og("GET", f"/alerts/{query}{ALIAS}").status == 404


@pytest.mark.parametrize(
    "query", ["+" * 1000, "NOT" + "+" * 900, "a+" * 10 + "+" * 900]
)
def test_a_query_of_many_spaces_is_answered_at_once(query, acme, og):
    began = time.monotonic()
    assert og("GET", f"/alerts/count?query={query}").status == 200
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "page",
    ["limit=0000000001999999", "offset=000000000" + "9" * 20, "offset=" + "0" * 5000],
)
def test_a_page_of_many_digits_is_refused(page, acme, og):
    assert og("GET", f"/alerts?{page}").status == 422


def deep(levels: int) -> Any:
    value: Any = "x"
    for _level in range(levels):
        value = [value]
    return value


def test_endless_numbers_and_depths_are_no_fault(acme, og):
    og.create()
    for name, field in (("assign", "owner"), ("escalate", "escalation")):
        body = {field: float("inf")}
        text = json.dumps(body).replace("Infinity", "1e999").encode()
        headers = {"Authorization": f"GenieKey {og.key}"}
        assert call("POST", f"{BASE}/alerts/d/{name}{ALIAS}", text, headers).status == (
            202
        )
        answer = og("POST", f"/alerts/d/{name}{ALIAS}", {field: deep(800)})
        assert answer.status == 422, answer.body


def test_what_is_asked_has_a_size_and_an_alert_does_not_grow_without_end(acme, og):
    og.create()
    owner = {"owner": {"username": "x" * 200_000}}
    assert og("POST", f"/alerts/d/assign{ALIAS}", owner).status == 413
    for letter in "ab":
        told = og.act("tags", {"tags": [letter * 3_000]})
    assert told["success"] is False
    assert told["status"] == "label 'tags' is longer than 4096 characters"
    assert alert(acme).labels["tags"] == "a" * 3_000
    for number in range(4):
        details = {f"{number}-{one}": "x" for one in range(20)}
        told = og.act("details", {"details": details})
    assert (told["success"], told["status"]) == (False, "more than 64 labels")
