"""Opsgenie's heartbeats over its own API."""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Heartbeat
from tenants.rls import in_tenant
from tests.api.test_opsgenie import Client

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {
    "name": "nightly backup",
    "interval": 10,
    "intervalUnit": "minutes",
    "enabled": True,
    "description": "pg_dump of db-1",
    "alertMessage": "no backup",
    "alertTags": ["db"],
    "alertPriority": "P2",
    "ownerTeam": {"name": "dba"},
}


@pytest.fixture
def og(key: str) -> Client:
    return Client(key)


def test_a_heartbeat_is_made_read_listed_and_deleted(acme, og):
    made = og("POST", "/heartbeats", NEW)
    assert made.status == 201
    brief = {"name": "nightly backup", "enabled": True, "expired": False}
    assert made.json["data"] == brief
    shown = og("GET", "/heartbeats/nightly%20backup".replace("%20", " ")).json["data"]
    assert (shown["interval"], shown["intervalUnit"]) == (10, "minutes")
    assert (shown["alertPriority"], shown["alertTags"]) == ("P2", ["db"])
    assert shown["ownerTeam"]["name"] == "dba"
    assert shown["description"] == "pg_dump of db-1"
    listed = og("GET", "/heartbeats").json["data"]["heartbeats"]
    assert [one["name"] for one in listed] == ["nightly backup"]
    assert og("DELETE", "/heartbeats/nightly backup").status == 200
    assert og("GET", "/heartbeats/nightly backup").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH"])
def test_a_ping_is_answered_pong_and_seen(method, acme, og):
    og("POST", "/heartbeats", NEW)
    answer = og(method, "/heartbeats/nightly backup/ping")
    assert answer.status == 202
    assert answer.json["result"] == "PONG - Heartbeat received"
    with in_tenant(acme.id):
        assert Heartbeat.objects.get().last_ping_at is not None
    assert og(method, "/heartbeats/nobody/ping").status == 202


def test_it_is_changed_disabled_and_enabled(acme, og):
    og("POST", "/heartbeats", NEW)
    name = "/heartbeats/nightly backup"
    assert og("PATCH", name, {"interval": 2, "intervalUnit": "hours"}).status == 200
    shown = og("GET", name).json["data"]
    assert (shown["interval"], shown["intervalUnit"]) == (2, "hours")
    assert og("POST", f"{name}/disable").json["data"]["enabled"] is False
    assert og("POST", f"{name}/enable").json["data"]["enabled"] is True
    assert og("PATCH", name, {"enabled": False}).json["data"]["enabled"] is False


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"interval": None},
        {"interval": 0},
        {"interval": "x"},
        {"intervalUnit": "weeks"},
        {"alertPriority": "P9"},
    ],
)
def test_what_is_wrong_is_422(wrong, acme, og):
    answer = og("POST", "/heartbeats", NEW | wrong)
    assert answer.status == 422, answer.body
    assert og("POST", "/heartbeats", NEW).status == 201
    assert og("POST", "/heartbeats", NEW).status == 422


def test_others_see_nothing(acme, og, foreign_key):
    og("POST", "/heartbeats", NEW)
    other = Client(foreign_key)
    assert other("GET", "/heartbeats").json["data"] == {"heartbeats": []}
    assert other("GET", "/heartbeats/nightly backup").status == 404
    assert other("DELETE", "/heartbeats/nightly backup").status == 404
