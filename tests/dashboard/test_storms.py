"""A storm posts what a Prometheus would, and resolves it all at its end."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from alertcenter.dashboard.simulation import storms
from alertcenter.dashboard.simulation.scenarios import (
    BY_SLUG,
    SCENARIOS,
    Act,
    Scenario,
)
from tenants.access import membership
from tenants.models import ApiKey
from tenants.rls import in_tenant
from tests.stack import until

pytestmark = pytest.mark.django_db(transaction=True)

LABELS = {"alertname": "Down", "instance": "a"}


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted."""

    posted: list[tuple[str, str, list[dict]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"]
        self.posted.append((self.path, key, json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver(monkeypatch) -> Iterator[list]:
    Receiver.posted = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(storms, "own_address", lambda: address)
    monkeypatch.setattr(storms, "TICK_SECONDS", 0.02)
    yield Receiver.posted
    server.shutdown()
    server.server_close()


def scenario(*acts: Act) -> Scenario:
    return Scenario("test", "Test", "", 1, lambda _dice: iter(acts))


def test_the_failover_has_four_hundred_alerts_in_a_minute():
    acts = list(BY_SLUG["failover"].script(random.Random(1)))
    assert len(acts) == 400
    assert len({json.dumps(act.labels, sort_keys=True) for act in acts}) == 400
    assert max(act.second for act in acts) <= 60


@pytest.mark.parametrize("each", SCENARIOS, ids=lambda s: s.slug)
def test_every_scenario_ends_within_its_time(each):
    acts = list(each.script(random.Random(1)))
    assert acts
    assert max(act.second for act in acts) <= each.seconds


def test_a_storm_fires_and_resolves_through_the_front_door(acme, receiver):
    who = membership(acme.user("bob").pk, "acme")
    acts = [Act(0, LABELS | {"n": str(n)}, "down") for n in range(100)]
    storm = storms.start(who, scenario(*acts), 1)
    until(lambda: storm.sent == 100)
    with pytest.raises(storms.Busy):
        storms.start(who, scenario(*acts), 1)
    storms.stop(acme.id)
    until(lambda: storm.over)
    assert {path for path, _, _ in receiver} == {"/t/acme/api/v2/alerts"}
    assert [len(batch) for _, _, batch in receiver] == [64, 36, 64, 36]
    fired, resolved = receiver[0][2][0], receiver[2][2][0]
    assert fired["labels"]["storm"] == storm.id
    assert fired["startsAt"] < fired["endsAt"]
    assert resolved["startsAt"] == fired["startsAt"]
    with in_tenant(acme.id):
        assert not ApiKey.objects.exists()


def test_a_flapping_alert_is_told_with_both_states(acme, receiver):
    who = membership(acme.user("bob").pk, "acme")
    acts = [Act(0, LABELS, "down"), Act(0.1, LABELS, "up", firing=False)]
    storm = storms.start(who, scenario(*acts), 1)
    until(lambda: storm.sent == 2)
    assert not storm.firing
    storms.stop(acme.id)
    until(lambda: storm.over)
    assert storm.sent == 2
    with in_tenant(acme.id):
        assert storms.status(storm)["funnel"]["ingested"] == 2
