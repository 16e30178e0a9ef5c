"""VictorOps' REST endpoint, as its senders know it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts.models import Alert, Group
from alertcenter.api import asked
from alertcenter.common.logs import JsonFormatter
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from tests.api.client import Answer, call, post
from tests.cast import Cast
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

DISK = {
    "message_type": "CRITICAL",
    "entity_id": "disk/db-1",
    "entity_display_name": "Disk of db-1 is full",
    "state_message": "512 MB left",
}


def address(key: str, routing: str = "dba") -> str:
    return f"/victorops/integrations/generic/20131114/alert/{key}/{routing}"


def send(key: str, **more: Any) -> Answer:
    return post(address(key), DISK | more)


@pytest.fixture(params=[Kind.URL, Kind.ROUTING])
def vo(request: Any, acme: Cast) -> str:
    with in_tenant(acme.id):
        made = Integration.objects.create(
            tenant_id=acme.id, slug="vo", name="vo", source="victorops"
        )
        _row, plaintext = apikeys.mint(
            acme.id,
            "vo",
            ["ingest"],
            actor=THE_ENGINE,
            kind=request.param,
            integration=made,
        )
    return plaintext


def alert(cast: Cast) -> Alert:
    with in_tenant(cast.id):
        return Alert.objects.get(tenant_id=cast.id)


def settle() -> None:
    """Let the engine do what waits."""
    connection.close()
    with login_as("engine"):
        while flow.process_feed():
            pass
        time.sleep(0.3)
        asked.process()
    connection.close()


def test_critical_opens_acknowledgement_acknowledges_and_recovery_closes(acme, vo):
    answer = send(vo)
    assert answer.status == 200
    assert answer.json == {"result": "success", "entity_id": "disk/db-1"}
    assert alert(acme).labels["routing_key"] == "dba"
    assert send(vo, message_type="ACKNOWLEDGEMENT", ack_author="bob").status == 200
    settle()
    with in_tenant(acme.id):
        assert Group.objects.get(tenant_id=acme.id).state == "acknowledged"
    assert alert(acme).count == 1
    assert send(vo, message_type="RECOVERY").status == 200
    assert alert(acme).state == "resolved"


def test_what_has_no_entity_id_is_named_here(acme, vo):
    answer = post(address(vo), {"message_type": "WARNING"})
    assert answer.status == 200
    assert answer.json["entity_id"]
    assert alert(acme).state == "firing"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"entity_id": "a"}'])
def test_what_is_no_alert_is_refused_and_no_log_has_the_key(acme, vo, body, caplog):
    answer = post(address(vo), body)
    assert (answer.status, answer.json["result"]) == (400, "failure")
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert any("/victorops/" in line for line in lines)
    assert not any(vo in line for line in lines)


def test_a_stranger_and_a_key_for_headers_are_refused(acme, key):
    for given in ("nothing", key):
        answer = send(given)
        assert (answer.status, answer.json["result"]) == (401, "failure")


def test_only_post_is_taken(acme, vo):
    assert call("GET", address(vo), b"", {}).status == 405
