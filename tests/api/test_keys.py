"""Does a key open what it should, and stop when it is revoked or too old?"""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg2
import pytest
from django.utils import timezone

from alertcenter.api import keys
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import ApiKey
from tenants.rls import in_tenant
from tests.api.client import bearer, get, post

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = "/t/acme/api/v1/events"
ALERTS = "/t/acme/api/v1/alerts"
EVENT = {"title": "disk full"}


@pytest.mark.parametrize("path", [EVENTS, ALERTS])
def test_an_expired_key_is_401(path, acme, mint):
    old = mint(acme, "ingest", expires_at=timezone.now() - timedelta(seconds=1))
    answer = post(path, EVENT, **bearer(old))
    assert answer.status == 401
    assert " " in answer.sentence


def test_a_key_works_until_it_expires(acme, mint):
    soon = mint(acme, "ingest", expires_at=timezone.now() + timedelta(hours=1))
    assert post(EVENTS, EVENT, **bearer(soon)).status == 200


def test_a_revoked_key_stops_at_once_by_notice(acme, key):
    keys.start()
    assert post(EVENTS, EVENT, **bearer(key)).status == 200
    time.sleep(0.2)  # the listener has to be listening
    with in_tenant(acme.id):
        assert apikeys.revoke(ApiKey.objects.get(), actor=THE_ENGINE)
    deadline = time.monotonic() + 3
    while post(EVENTS, EVENT, **bearer(key)).status != 401:
        assert time.monotonic() < deadline, "the revoked key still works"
        time.sleep(0.05)
    keys.stop()


def test_without_the_notice_the_memory_fades(acme, key, monkeypatch):
    monkeypatch.setattr(apikeys, "FRESH_SECONDS", 0.1)
    assert post(EVENTS, EVENT, **bearer(key)).status == 200
    with in_tenant(acme.id):
        ApiKey.objects.update(revoked_at=timezone.now())
    time.sleep(0.2)
    assert post(EVENTS, EVENT, **bearer(key)).status == 401


def test_its_use_is_noted_at_most_once_a_minute(acme, key):
    def noted():
        with in_tenant(acme.id):
            return ApiKey.objects.get().last_used_at

    assert noted() is None
    post(EVENTS, EVENT, **bearer(key))
    first = noted()
    assert first is not None
    keys.CACHE.clear()
    post(EVENTS, EVENT, **bearer(key))
    assert noted() == first


def test_a_known_key_asks_the_database_nothing(key, monkeypatch):
    assert post(EVENTS, EVENT, **bearer(key)).status == 200
    monkeypatch.setattr(keys.DESK, "_ask", None)
    assert post(EVENTS, EVENT, **bearer(key)).status == 200
    assert post(ALERTS, EVENT, **bearer(key)).status == 200


def test_what_is_no_key_is_neither_asked_for_nor_remembered(acme, key, monkeypatch):
    """Else strangers fill the memory: 50,000 headers of 60 kB are 3 GB."""
    monkeypatch.setattr(keys.DESK, "_ask", None)
    known = dict(keys.CACHE._known), dict(keys.CACHE._hashes)
    for path in (EVENTS, ALERTS):
        assert post(path, EVENT, **bearer("ac_" + "x" * 60_000)).status == 401
    assert (keys.CACHE._known, keys.CACHE._hashes) == known
    assert len(key) == apikeys.KEY_LENGTH


@pytest.mark.parametrize("path", [EVENTS, ALERTS])
def test_while_the_database_is_away_it_is_503(path, key, monkeypatch):
    def away(*_args):
        raise psycopg2.OperationalError("gone")

    keys.DESK.close()
    monkeypatch.setattr(keys, "connect", away)
    answer = post(path, EVENT, **bearer(key))
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert " " in answer.sentence


def test_after_a_restart_of_the_server_the_next_lookup_succeeds(key):
    assert post(EVENTS, EVENT, **bearer(key)).status == 200
    keys.CACHE.clear()
    keys.DESK._connection.close()  # what a restart does to it
    assert post(EVENTS, EVENT, **bearer(key)).status == 200


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("ingest", {"send"}), ("read", {"read"}), ("act", {"act"}), ("admin", set())],
)
def test_each_scope_opens_its_own_and_nothing_else(scope, allowed, acme, mint):
    header = bearer(mint(acme, scope))
    act = {"act": "resolve", "groups": ["00000000-0000-7000-8000-000000000000"]}
    answers = {
        "send": post(EVENTS, EVENT, **header),
        "read": get("/t/acme/api/v1/groups", **header),
        "act": post("/t/acme/api/v1/acts", act, **header),
    }
    assert {name for name, answer in answers.items() if answer.status == 200} == allowed
    assert {a.status for name, a in answers.items() if name not in allowed} <= {403}
