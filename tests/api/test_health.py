"""Do /livez, /readyz and /metrics tell the truth, to the right people?"""

from __future__ import annotations

import ipaddress
import os
import subprocess
import urllib.request

import pytest
import redis
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection

from alertcenter import checks, health
from alertcenter.common.http import client_address
from tests.api.client import bearer, call, get, post
from tests.stack import until

TOKEN = "metrics-token"


@pytest.mark.django_db(transaction=True)
class TestReady:
    def test_all_is_well_and_the_probe_leaves_no_row(self):
        answer = get("/readyz")
        assert answer.status == 200
        assert answer.json["status"] == "ok"
        assert not Session.objects.exists()

    def test_without_redis_it_is_degraded_but_ready(self, monkeypatch):
        away = redis.Redis(port=1, socket_connect_timeout=0.1)
        monkeypatch.setattr(health, "_redis", lambda: away)
        answer = get("/readyz")
        assert (answer.status, answer.json["status"]) == (200, "degraded")
        assert " " in answer.json["checks"]["redis"]

    def test_strangers_hear_that_something_fails_and_not_what(self, monkeypatch):
        away = redis.Redis(host="redis.internal", socket_connect_timeout=0.1)
        monkeypatch.setattr(health, "_redis", lambda: away)
        monkeypatch.setattr(health, "WRITE", "INSERT INTO nowhere VALUES (1)")
        through_proxy = get("/readyz", **{"X-Forwarded-For": "192.0.2.1"})
        assert through_proxy.json["checks"] == {
            "database": "failing",
            "redis": "failing",
        }
        elsewhere = call("GET", "/readyz", client="192.0.2.1")
        assert (elsewhere.status, elsewhere.json) == (503, through_proxy.json)
        assert "nowhere" in get("/readyz").json["checks"]["database"]

    def test_a_database_that_takes_no_writes_is_503(self, monkeypatch):
        monkeypatch.setattr(health, "WRITE", "INSERT INTO nowhere VALUES (1)")
        answer = get("/readyz")
        assert (answer.status, answer.json["status"]) == (503, "unready")

    def test_waiting_migrations_are_503(self, monkeypatch):
        monkeypatch.setattr(health, "migrated", lambda: False)
        assert get("/readyz").status == 503

    @pytest.mark.parametrize("powers", [(True, False), (False, True)])
    def test_a_login_without_bounds_is_503_in_production_only(
        self, powers, monkeypatch, settings
    ):
        pretended = "SELECT 'postgres', {}, {}".format(*powers)
        monkeypatch.setattr(health, "POWERS", pretended)
        assert get("/readyz").status == 200
        assert health.refusal() == ""
        settings.ENVIRONMENT = "production"
        answer = get("/readyz")
        assert answer.status == 503
        assert "postgres" in answer.json["checks"]["login"]
        assert "postgres" in health.refusal()
        assert [found.id for found in checks.check_login()] == ["alertcenter.E001"]

    def test_our_own_login_is_bound(self):
        assert health.dangerous_powers() == ""
        assert checks.check_database(databases=["default"]) == []

    def test_an_old_server_is_refused(self, monkeypatch):
        monkeypatch.setattr(checks, "MINIMUM_VERSION", 990000)
        assert [found.id for found in checks.check_version()] == ["alertcenter.E002"]

    def test_a_missing_leakproof_mark_is_a_warning(self, monkeypatch):
        names = ("pg_catalog.jsonb_exists(jsonb, text)",)
        monkeypatch.setattr(checks, "LEAKPROOF", names)
        assert [found.id for found in checks.check_leakproof()] == ["alertcenter.W002"]

    def test_an_absent_database_is_named_by_the_check(self, monkeypatch):
        def away():
            raise DatabaseError("gone")

        monkeypatch.setattr(checks, "check_version", away)
        found = checks.check_database(databases=["default"])
        assert [message.id for message in found] == ["alertcenter.E003"]


def test_livez_asks_nobody(django_db_blocker):
    assert get("/livez").status == 200
    connection.close()


@pytest.mark.django_db
class TestMetrics:
    def test_this_machine_may_see_djangos_and_ours(self):
        text = get("/metrics").body.decode()
        for name in (
            "django_http_requests_total_by_method_total",
            "alertcenter_ingest_events_total",
            "alertcenter_ingest_commit_seconds_bucket",
        ):
            assert name in text

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"]
    )
    def test_what_came_through_a_proxy_may_not(self, header):
        answer = get("/metrics", **{header: "127.0.0.1"})
        assert answer.status == 403

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:8000", 200),
            ("127.0.0.1", 200),
            ("[::1]:8000", 200),
            ("alerts.example.org", 403),
            ("127.0.0.1.example.org", 403),
        ],
    )
    def test_a_proxy_that_leaves_no_mark_asks_for_another_name(self, host, status):
        assert get("/metrics", Host=host).status == status

    @pytest.mark.parametrize("peer", ["10.0.0.1", "2001:db8::1", "192.168.1.2"])
    def test_others_may_not_without_the_token(self, peer, settings):
        settings.METRICS_TOKEN = TOKEN

        def status(**headers: str) -> int:
            return call("GET", "/metrics", b"", headers, client=peer).status

        assert status() == 403
        assert status(**bearer("wrong")) == 403
        assert status(**bearer(TOKEN)) == 200
        settings.METRICS_TOKEN = ""
        assert status(**bearer("")) == 403
        assert status(Authorization="Bearer ") == 403

    @pytest.mark.django_db(transaction=True)
    def test_events_are_counted_by_protocol_and_outcome(self, key):
        def counted(outcome: str) -> float:
            name = "alertcenter_ingest_events_total"
            line = f'{name}{{outcome="{outcome}",protocol="events"}} '
            for text in get("/metrics").body.decode().splitlines():
                if text.startswith(line):
                    return float(text.removeprefix(line))
            return 0.0

        before = counted("accepted"), counted("refused")
        items = [{"title": "a"}, {"title": "b"}, {}]
        post("/t/acme/api/v1/events", items, **bearer(key))
        assert counted("accepted") == before[0] + 2
        assert counted("refused") == before[1] + 1


PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("9.9.9.9", [], "9.9.9.9"),
        ("9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", ["1.1.1.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("::1", ["2001:db8::5"], "2001:db8::5"),
        ("unix:", ["1.1.1.1"], "unix:"),
    ],
)
def test_the_client_is_the_right_most_hop_that_is_no_proxy(peer, forwarded, expected):
    assert client_address(peer, forwarded, PROXIES) == expected


def test_gauges_of_dead_processes_are_forgotten(tmp_path, monkeypatch):
    dead = subprocess.Popen(["true"])
    dead.wait()
    gone = tmp_path / f"gauge_livesum_{dead.pid}.db"
    mine = tmp_path / f"gauge_livesum_{os.getpid()}.db"
    counted = tmp_path / f"counter_{dead.pid}.db"
    for path in (gone, mine, counted):
        path.touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    health.forget_the_dead()
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, counted.name}


def test_metrics_of_every_process_are_shown_by_the_web(stack):
    def shown() -> str:
        with urllib.request.urlopen(f"{stack.url}/metrics") as answer:
            return str(answer.read(), "utf-8")

    until(lambda: "alertcenter_escalation_overdue 0.0" in shown())
    assert "alertcenter_live_sockets 0.0" in shown()
