"""Which keys may act on which alerts, and what does acting cost?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from alertcenter.alerts import raw_events
from alertcenter.alerts.models import Alert, Episode, Heartbeat, RawEvent
from alertcenter.api import limits
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from tests.api.client import Answer, bearer, call, post
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def integration(cast: Cast, source: str, kind: str, *scopes: str) -> str:
    with in_tenant(cast.id):
        made = Integration.objects.create(
            tenant_id=cast.id, slug=source, name=source, source=source
        )
        return apikeys.mint(
            cast.id, source, scopes, actor=THE_ENGINE, kind=kind, integration=made
        )[1]


def ask(method: str, path: str, key: str, body: Any = None) -> Answer:
    headers = {"Authorization": f"GenieKey {key}"}
    return call(method, path, json.dumps(body or {}).encode(), headers)


def only_alert(cast: Cast) -> Alert:
    with in_tenant(cast.id):
        return Alert.objects.get(tenant_id=cast.id)


# --- whose alerts ---


@pytest.fixture
def others(acme: Cast, key: str) -> Alert:
    """An alert that came with another key than those of the tests."""
    assert post("/t/acme/api/v1/events", {"title": "Disk"}, **bearer(key)).status == 200
    return only_alert(acme)


@pytest.mark.parametrize("kind", ["id", "tiny"])
@pytest.mark.parametrize("what", ["acknowledge", "close", "tags"])
def test_a_key_to_send_with_acts_on_nobody_elses_alerts(kind, what, acme, others):
    secret = integration(acme, "github", Kind.URL, "ingest")
    with in_tenant(acme.id):
        number = Episode.objects.get(pk=others.episode_id).number
    name = str(others.episode_id) if kind == "id" else str(number)
    path = f"/opsgenie/v2/alerts/{name}/{what}?identifierType={kind}"
    answer = ask("POST", path, secret, {"tags": ["x"]})
    assert answer.status == 403
    assert "act" in answer.json["message"]
    assert only_alert(acme).version == others.version


def test_alertas_acts_are_alike(acme, others):
    secret = integration(acme, "github", Kind.API, "ingest", "read")
    path = f"/alerta/alert/{others.episode_id}"
    for method, end, body in (
        ("PUT", "/action", {"action": "close"}),
        ("PUT", "/status", {"status": "ack"}),
        ("PUT", "/note", {"text": "x"}),
        ("PUT", "/tag", {"tags": ["x"]}),
        ("PUT", "/attributes", {"attributes": {"a": "b"}}),
        ("DELETE", "", {}),
    ):
        assert ask(method, path + end, secret, body).status == 403, end
    assert only_alert(acme).version == others.version


def test_a_key_to_send_with_acts_on_what_came_with_it(acme):
    secret = integration(acme, "opsgenie_api", Kind.API, "ingest", "read")
    assert ask("POST", "/opsgenie/v2/alerts", secret, {"message": "m"}).status == 202
    pk = only_alert(acme).episode_id
    assert ask("POST", f"/opsgenie/v2/alerts/{pk}/close", secret).status == 202
    assert only_alert(acme).state == "resolved"


def test_a_key_that_may_act_acts_on_all_of_its_tenant(acme, others, mint):
    secret = mint(acme, "ingest", "act")
    path = f"/opsgenie/v2/alerts/{others.episode_id}/close"
    assert ask("POST", path, secret).status == 202
    assert only_alert(acme).state == "resolved"


def test_a_heartbeat_is_ended_only_by_who_may_act(acme, key, mint):
    new = {"name": "n", "interval": 10, "intervalUnit": "minutes"}
    place = "/opsgenie/v2/heartbeats"
    secret = mint(acme, "ingest")
    assert ask("POST", place, secret, new).status == 201
    assert ask("GET", place + "/n/ping", secret).status == 202
    for method, end in (
        ("DELETE", ""),
        ("PATCH", ""),
        ("POST", "/disable"),
        ("POST", "/enable"),
    ):
        assert ask(method, f"{place}/n{end}", secret, {"interval": 1}).status == 403
    with in_tenant(acme.id):
        assert Heartbeat.objects.get().enabled


# --- what it costs ---


@pytest.fixture
def spent(monkeypatch) -> list[int]:
    """What was counted."""
    seen: list[int] = []

    def spend(_key: Any, _address: str, events: int, refused: int = 0) -> None:
        seen.append(events + refused)

    monkeypatch.setattr(limits.LIMITS, "spend", spend)
    return seen


def test_acts_count_as_events(acme, key, others, spent, mint):
    routing = integration(acme, "pagerduty", Kind.ROUTING, "ingest")
    victor = integration(acme, "victorops", Kind.URL, "ingest")
    place = f"/victorops/integrations/generic/20131114/alert/{victor}/r"
    said = {"message_type": "CRITICAL", "entity_id": "e"}
    assert post(place, said).status == 200
    pd = {"routing_key": routing, "dedup_key": "d", "event_action": "acknowledge"}
    spent.clear()
    alert = f"/alerta/alert/{others.episode_id}"
    beats = "/opsgenie/v2/heartbeats"
    new = {"name": "n", "interval": 10, "intervalUnit": "minutes"}
    for method, path, body in (
        ("PUT", alert + "/action", {"action": "ack"}),
        ("PUT", alert + "/note", {"text": "x"}),
        ("POST", f"/opsgenie/v2/alerts/{others.episode_id}/notes", {"note": "x"}),
        ("POST", beats, new),
        ("PATCH", beats + "/n", {"interval": 5}),
        ("DELETE", beats + "/n", {}),
        ("POST", place, said | {"message_type": "ACKNOWLEDGEMENT"}),
        ("POST", "/pagerduty/v2/enqueue", pd),
        ("POST", "/pagerduty/v2/enqueue", pd | {"event_action": "resolve"}),
        ("POST", "/pagerduty/v2/change/enqueue", pd | {"payload": {"summary": "s"}}),
    ):
        answer = ask(method, path, key, body)
        assert answer.status in (200, 201, 202), (path, answer.body)
        assert sum(spent) >= 1, path
        spent.clear()


@pytest.mark.parametrize(
    "path", ["/opsgenie/v2/alerts", "/opsgenie/v2/heartbeats", "/alerta/alerts"]
)
def test_reading_has_the_limit_of_the_rest_of_the_api(path, acme, key, monkeypatch):
    assert ask("GET", path, key).status == 200
    no = limits.refused("call", 50, 300, 1.0)
    monkeypatch.setattr(limits.LIMITS, "call", lambda _key: no)
    assert ask("GET", path, key).status == 429


def test_a_tenant_has_so_many_heartbeats(acme, key, monkeypatch):
    from alertcenter.api import opsgenie_heartbeats

    monkeypatch.setattr(opsgenie_heartbeats, "MOST_HEARTBEATS", 1)
    new = {"name": "a", "interval": 10, "intervalUnit": "minutes"}
    place = "/opsgenie/v2/heartbeats"
    assert ask("POST", place, key, new).status == 201
    assert ask("POST", place, key, new | {"name": "b"}).status == 422


def test_pings_of_one_heartbeat_have_a_limit(acme, key):
    new = {"name": "a", "interval": 10, "intervalUnit": "minutes"}
    ask("POST", "/opsgenie/v2/heartbeats", key, new)
    place = "/opsgenie/v2/heartbeats/a/ping"
    answers = {ask("GET", place, key).status for _ in range(limits.PINGS + 5)}
    assert answers == {202, 429}


# --- what is kept ---


def test_the_copy_of_an_event_does_not_show_its_key(acme):
    raw_events.start()
    secret = integration(acme, "pagerduty", Kind.ROUTING, "ingest")
    payload = {"summary": "s", "source": "h", "severity": "info"}
    said = {"routing_key": secret, "event_action": "trigger", "payload": payload}
    first = {"service_key": secret, "event_type": "trigger", "description": "d"}
    assert post("/pagerduty/v2/enqueue", said).status == 202
    assert post("/pagerduty/v2/change/enqueue", said).status == 202
    place = "/pagerduty/generic/2010-04-15/create_event.json"
    assert post(place, first).status == 200
    raw_events.stop()
    with in_tenant(acme.id):
        bodies = [row.content for row in RawEvent.objects.filter(tenant_id=acme.id)]
    assert len(bodies) == 3
    assert not any(secret.encode() in body for body in bodies)
    assert all(b"*" * 32 in body for body in bodies)
