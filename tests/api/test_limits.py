"""Who is refused as too many, for how long, and who hears of it?"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any
from uuid import uuid4

import pytest

from alertcenter.alerts.models import Alert
from alertcenter.api import limits, sharing
from alertcenter.api.limits import Limits, Quota
from alertcenter.api.sharing import Sharing
from alertcenter.common.errors import Refused
from tenants.apikeys import KeyInfo
from tenants.models import Audit, Tenant, Usage
from tenants.rls import in_tenant
from tests.api.client import bearer, get, post

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = "/t/acme/api/v1/events"
PATHS = [EVENTS, "/t/acme/api/v1/alerts", "/t/acme/api/v2/alerts"]
ALERT = [{"labels": {"alertname": "A"}}]


def someone(tenant_id=None) -> KeyInfo:
    return KeyInfo(uuid4(), tenant_id or uuid4(), "acme", frozenset({"ingest"}), "k")


@pytest.fixture
def fresh(monkeypatch) -> Limits:
    """Limits of this test only, in force everywhere."""
    mine = Limits()
    monkeypatch.setattr(limits, "LIMITS", mine)
    monkeypatch.setattr(sharing, "LIMITS", mine)
    return mine


def spend(mine: Limits, key: KeyInfo, times: int, events: int = 10) -> int:
    """Send `times` bodies; return how many were taken."""
    taken = 0
    for _ in range(times):
        if mine.refusal(key, "192.0.2.1") is None:
            mine.spend(key, "192.0.2.1", events)
            taken += 1
    return taken


@pytest.mark.parametrize(
    "quota", [Quota(10, 0, 0), Quota(0, 10, 0), Quota(0, 0, 10)], ids=str
)
def test_each_limit_holds(quota, fresh):
    key = someone()
    fresh.quotas = {key.tenant_id: quota}
    assert spend(fresh, key, 100) == 10  # ten seconds' worth
    assert isinstance(fresh.refusal(key, "192.0.2.1"), Refused)


def test_one_tenants_limit_is_not_anothers(fresh):
    one, other = someone(), someone()
    fresh.quotas = {t.tenant_id: Quota(10, 0, 0) for t in (one, other)}
    spend(fresh, one, 100)
    assert fresh.refusal(other, "192.0.2.1") is None


@pytest.mark.parametrize("path", PATHS)
def test_the_answer_says_how_long_to_wait(path, acme, key, fresh):
    fresh.quotas = {acme.id: Quota(2, 0, 0)}
    headers = bearer(key)
    for _ in range(20):
        assert post(path, ALERT, **headers).status == 200
    answer = post(path, ALERT, **headers)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) == 1
    assert answer.headers["ratelimit-limit"] == "20"
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["ratelimit-reset"] == "1"
    assert answer.headers["ratelimit-policy"] == '"tenant";q=20;w=10'
    assert "2 events a second" in answer.sentence


def test_wrong_keys_are_not_looked_up_for_ever_and_known_ones_are_let_in(
    acme, key, fresh
):
    assert post(EVENTS, ALERT, **bearer(key)).status == 200
    answers = [
        post(EVENTS, ALERT, **bearer(f"ac_{n:08d}_{n:043d}")).status for n in range(40)
    ]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert answers.count(401) in (30, 31)
    assert post(EVENTS, ALERT, **bearer(key)).status == 200


def test_calls_of_the_api_are_counted_by_key(acme, key, fresh, monkeypatch):
    monkeypatch.setattr(fresh.calls, "burst", 3)
    monkeypatch.setattr(fresh.calls, "rate", 0.01)
    told = [get("/t/acme/api/v1/groups", **bearer(key)) for _ in range(5)]
    assert [t.status for t in told] == [200, 200, 200, 429, 429]
    assert told[-1].json["code"] == "rate_limited"


def test_a_proxy_of_ours_tells_who_asks(settings):
    import ipaddress

    scope: dict[str, Any] = {
        "client": ("10.0.0.1", 1),
        "headers": [(b"x-forwarded-for", b"198.51.100.7, 203.0.113.5")],
    }
    settings.TRUSTED_PROXIES = ()
    assert limits.address_of(scope) == "10.0.0.1"
    settings.TRUSTED_PROXIES = (ipaddress.ip_network("10.0.0.0/8"),)
    assert limits.address_of(scope) == "203.0.113.5"


# --- with Redis ---


def pair(tenant_id) -> list[Limits]:
    """Two processes' limits for one tenant: 100 a second."""
    both = [Limits(), Limits()]
    for one in both:
        one.quotas = {tenant_id: Quota(100, 0, 0)}
    return both


def flood(both: list[Limits], talks: list[Sharing], key: KeyInfo, rounds: int) -> int:
    taken = 0
    for _ in range(rounds):
        for one in both:
            taken += spend(one, key, 10, 5) * 5
        for talk in talks:
            talk.share()
    return taken


def test_two_processes_share_one_limit():
    key = someone()
    both = pair(key.tenant_id)
    talks = [Sharing(one) for one in both]
    taken = flood(both, talks, key, 50)
    # A burst of 1,000, and what may pass between two talks.
    assert 1_000 <= taken <= 1_250


def test_without_redis_each_gives_out_its_share(settings):
    settings.WEB_CONCURRENCY = 2
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    key = someone()
    both = pair(key.tenant_id)
    talks = [Sharing(one) for one in both]
    assert flood(both, talks, key, 5) > 0
    assert [one.share for one in both] == [0.5, 0.5]


def test_a_hung_redis_delays_nobody(servers):
    key = someone()
    mine = pair(key.tenant_id)[0]
    talk = Sharing(mine)
    talk.share()
    pid = servers.valkey.child.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        mine.spend(key, "", 1)
        begun = time.monotonic()
        waiting = threading.Thread(target=talk.share)
        waiting.start()
        assert mine.refusal(key, "") is None
        assert time.monotonic() - begun < 0.1
        waiting.join(3)
        assert not waiting.is_alive()
    finally:
        os.kill(pid, signal.SIGCONT)


# --- what people see ---


def test_the_first_breach_is_told_once_and_use_is_written_down(acme, fresh, send):
    with in_tenant(acme.id):
        Tenant.objects.filter(pk=acme.id).update(events_per_second=1, language="fr")
    key = someone(acme.id)
    talk = Sharing(fresh)
    spend(fresh, key, 1)
    talk.reload()
    assert spend(fresh, key, 50, 1) < 50
    for _ in range(3):
        talk.say()
        spend(fresh, key, 5)
    talk.write()
    again = Sharing(fresh)  # another process
    spend(fresh, key, 1)
    again.reload()
    again.say()
    with in_tenant(acme.id):
        alert = Alert.objects.get()
        assert alert.title.startswith("Il arrive plus")
        assert alert.expires_at is not None
        assert Audit.objects.filter(action="limit.pass").count() == 1
        use = Usage.objects.get()
        assert use.events >= 11
        assert use.refused > 30
    talk._close()
    again._close()


def test_use_that_could_not_be_written_is_not_lost(acme, fresh, monkeypatch):
    talk = Sharing(fresh)
    spend(fresh, someone(acme.id), 3)
    monkeypatch.setattr(sharing, "WRITE", "SELECT 1/0 FROM (VALUES %s) x")
    talk._safely(talk.write)
    monkeypatch.undo()
    talk.write()
    with in_tenant(acme.id):
        assert Usage.objects.get().events == 30
    talk._close()


@pytest.mark.parametrize("body", [b"[{}, {}, {}]", b"{" * 500, b"["])
@pytest.mark.parametrize("path", PATHS)
def test_what_cannot_be_kept_is_counted_too(path, body, acme, key, fresh):
    """It takes as much to find out; otherwise nonsense would know no limit."""
    fresh.quotas = {acme.id: Quota(1, 0, 0)}
    found = {post(path, body, **bearer(key)).status for _ in range(12)}
    assert found == {400, 429}
    assert fresh.used[acme.id].events == 0
