"""PagerDuty's Events API, as its senders know it (reference/wire-protocols.md 3.7)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts.models import Alert, Group
from alertcenter.api import asked
from alertcenter.api.models import AskedAct
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from tests.api.client import Answer, call, post
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

ENQUEUE = "/pagerduty/v2/enqueue"
PAYLOAD = {"summary": "Disk is full", "source": "db-1", "severity": "critical"}


def routing_key(cast: Cast, name: str = "pd") -> str:
    with in_tenant(cast.id):
        made = Integration.objects.create(
            tenant_id=cast.id, slug=name, name=name, source="pagerduty"
        )
        _row, plaintext = apikeys.mint(
            cast.id,
            name,
            ["ingest"],
            actor=THE_ENGINE,
            kind=Kind.ROUTING,
            integration=made,
        )
    return plaintext


@pytest.fixture
def pd(acme) -> str:
    return routing_key(acme)


def send(key: str, action: str = "trigger", **more: Any) -> Answer:
    body = {"routing_key": key, "event_action": action, "payload": PAYLOAD} | more
    return post(ENQUEUE, {name: value for name, value in body.items() if value})


def alert(cast: Cast) -> Alert:
    with in_tenant(cast.id):
        return Alert.objects.get(tenant_id=cast.id)


def settle() -> None:
    """Let the engine do what waits."""
    connection.close()
    with login_as("engine"):
        while flow.process_feed():
            pass
        time.sleep(0.3)  # until the first attempt's pause is over
        asked.process()


def test_a_trigger_is_answered_as_pagerduty_does(acme, pd):
    answer = send(pd, dedup_key="disk")
    assert answer.status == 202
    assert answer.json == {
        "status": "success",
        "message": "Event processed",
        "dedup_key": "disk",
    }
    found = alert(acme)
    assert (found.title, found.severity, found.state) == ("Disk is full", 5, "firing")
    assert found.labels["source"] == "db-1"


def test_without_a_key_one_is_made_and_told(acme, pd):
    key = send(pd).json["dedup_key"]
    assert len(key) == 32
    assert send(pd, "resolve", dedup_key=key, payload=None).status == 202
    assert alert(acme).state == "resolved"


def test_the_same_key_is_the_same_alert_and_case_matters(acme, pd):
    for key in ("a", "a", "A"):
        send(pd, dedup_key=key)
    with in_tenant(acme.id):
        counts = Alert.objects.order_by("dedup_key").values_list("count", flat=True)
        assert sorted(counts) == [1, 2]


def test_the_key_is_scoped_to_the_integration(acme, pd):
    other = routing_key(acme, "other")
    send(pd, dedup_key="x")
    send(other, dedup_key="x")
    send(other, "resolve", dedup_key="x")
    with in_tenant(acme.id):
        states = Alert.objects.values_list("state", flat=True)
        assert sorted(states) == ["firing", "resolved"]


def test_a_trigger_after_a_resolve_is_a_new_alert(acme, pd):
    send(pd, dedup_key="x")
    first = alert(acme).episode_id
    send(pd, "resolve", dedup_key="x")
    send(pd, dedup_key="x")
    assert alert(acme).state == "firing"
    assert alert(acme).episode_id != first


def test_what_is_not_open_is_ignored_with_success(acme, pd):
    for action in ("resolve", "acknowledge"):
        assert send(pd, action, dedup_key="nobody").status == 202
    with in_tenant(acme.id):
        assert not Alert.objects.exists()
        assert not AskedAct.objects.exists()


def test_an_acknowledge_right_after_the_trigger_waits_for_the_group(acme, pd):
    send(pd, dedup_key="x")
    assert send(pd, "acknowledge", dedup_key="x", payload=None).status == 202
    settle()
    with in_tenant(acme.id):
        group = Group.objects.get()
        assert (group.state, group.acked_by) == ("acknowledged", "PagerDuty")
        assert AskedAct.objects.get().state == "done"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"routing_key": "short"}, "Length of 'routing_key' is incorrect"),
        ({"routing_key": ""}, "'routing_key' is missing"),
        ({"routing_key": "0" * 32}, "Invalid routing key"),
        ({"event_action": "shout"}, "'event_action'"),
        ({"payload": None}, "'payload' is missing"),
        ({"payload": {"summary": "x", "source": "y"}}, "'payload.severity'"),
        ({"payload": PAYLOAD | {"severity": "bad"}}, "'payload.severity'"),
        ({"event_action": "resolve"}, "'dedup_key' is missing"),
        ({"dedup_key": "x" * 256}, "'dedup_key' is longer"),
    ],
)
def test_what_is_wrong_is_said_in_pagerdutys_shape(body, words, acme, pd):
    sent = {"routing_key": pd, "event_action": "trigger", "payload": PAYLOAD} | body
    answer = post(ENQUEUE, sent)
    assert answer.status == 400
    assert answer.json["status"] == "invalid event"
    assert answer.json["message"] == "Event object is invalid"
    assert any(words in error for error in answer.json["errors"])


def test_what_is_no_json_is_unrecognized(acme):
    answer = post(ENQUEUE, b"{no")
    assert answer.status == 400
    assert answer.json["errors"] == ["JSON parse error"]
    assert call("GET", ENQUEUE).status == 405


def test_a_resolve_with_a_full_payload_closes(acme, pd):
    send(pd, dedup_key="x")
    send(pd, "resolve", dedup_key="x", payload=PAYLOAD | {"summary": "[RESOLVED] x"})
    found = alert(acme)
    assert (found.state, found.title) == ("resolved", "Disk is full")


def test_a_change_event_is_taken_and_makes_no_alert(acme, pd):
    body = {"routing_key": pd, "payload": {"summary": "Deployed 1.2"}}
    answer = post("/pagerduty/v2/change/enqueue", body)
    assert answer.status == 202
    with in_tenant(acme.id):
        assert not Alert.objects.exists()


def test_version_1_triggers_and_resolves(acme, pd):
    path = "/pagerduty/generic/2010-04-15/create_event.json"
    body = {
        "service_key": pd,
        "event_type": "trigger",
        "incident_key": "i",
        "description": "Down",
        "details": {"host": "web-1"},
    }
    answer = post(path, body)
    assert answer.status == 200
    assert answer.json["incident_key"] == "i"
    assert alert(acme).labels["host"] == "web-1"
    assert post(path, body | {"event_type": "resolve"}).status == 200
    assert alert(acme).state == "resolved"
    assert post(path, body | {"event_type": "x"}).status == 400
