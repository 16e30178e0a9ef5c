"""Can jobs ping as they do healthchecks.io, and programs manage what is pinged?"""

from __future__ import annotations

import json
import logging

import pytest

from alertcenter.alerts import heartbeats as beats
from alertcenter.alerts.models import Heartbeat, HeartbeatPing
from alertcenter.api import heartbeats, limits
from alertcenter.common.logs import JsonFormatter, without_tokens
from tenants.actors import THE_ENGINE
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.beats import again, alerts, make, pass_time, ping, sweep
from tests.api.client import bearer, call, get
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1/heartbeats"


@pytest.fixture(autouse=True)
def _fresh_buckets():
    limits.LIMITS.__init__()  # type: ignore[misc]
    heartbeats._known.clear()


@pytest.fixture
def admin_key(mint, acme):
    return mint(acme, "read", "admin")


def kinds(row: Heartbeat) -> list[tuple[str, int | None]]:
    with in_tenant(row.tenant_id):
        found = HeartbeatPing.objects.filter(heartbeat_id=row.pk).order_by("id")
        return list(found.values_list("kind", "exit_code"))


def send(method: str, path: str, key: str, body: object = None):
    headers = bearer(key) | {"Content-Type": "application/json"}
    data = b"" if body is None else json.dumps(body).encode()
    return call(method, path, data, headers)


# --- pings ---


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_each_method_is_a_ping(acme, method):
    row, token = make(acme)
    answer = call(method, f"/h/{token}")
    assert answer.status == 200
    assert answer.body == b"OK"  # which the server leaves out of an answer to HEAD
    assert answer.headers["content-type"].startswith("text/plain")
    assert again(row).state == "up"


@pytest.mark.parametrize(
    ("end", "state", "kind"),
    [
        ("", "up", ("success", None)),
        ("/", "up", ("success", None)),
        ("/start", "started", ("start", None)),
        ("/fail", "down", ("fail", None)),
        ("/log", "new", ("log", None)),
        ("/0", "up", ("exit", 0)),
        ("/7", "down", ("exit", 7)),
        ("/255", "down", ("exit", 255)),
    ],
)
def test_what_stands_behind_the_address_says_what_happened(acme, end, state, kind):
    row, token = make(acme)
    assert get(f"/h/{token}{end}?rid=1").status == 200
    assert again(row).state == state
    assert kinds(row) == [kind]


def test_the_first_ten_kilobytes_of_a_body_are_kept(acme):
    row, token = make(acme)
    body = b"a\0\xff" + b"x" * 900_000
    assert call("POST", f"/h/{token}/fail", body).status == 200
    now = again(row)
    assert now.last_body.startswith("a\ufffdx")
    assert len(now.last_body) == 10_240 - 1
    assert alerts(acme)[0].annotations["output"] == now.last_body
    with in_tenant(acme.id):
        assert len(HeartbeatPing.objects.get().body) == 500


def test_a_form_is_kept_as_it_was_sent(acme):
    row, token = make(acme)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert call("POST", f"/h/{token}", b"a=1&b=2", form).status == 200
    assert again(row).last_body == "a=1&b=2"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "0" * 32,
        "0" * 31,
        "{token}/256",
        "{token}/x",
        "{token}/1/2",
        "{token}x",
    ],
)
def test_what_is_no_address_is_not_found(acme, path):
    row, token = make(acme)
    assert get("/h/" + path.format(token=token)).status == 404
    assert again(row).state == "new"


def test_other_methods_are_refused(acme):
    _row, token = make(acme)
    assert call("DELETE", f"/h/{token}").status == 405


def test_a_new_address_ends_the_old_one(acme):
    row, token = make(acme)
    with in_tenant(acme.id):
        fresh = beats.renew_address(row, actor=THE_ENGINE)
    assert get(f"/h/{token}").status == 404
    assert get(f"/h/{fresh}").status == 200


def test_the_token_is_stored_as_a_hash_only(acme):
    row, token = make(acme)
    assert token not in str(vars(again(row)))


def test_no_log_names_the_token(acme, monkeypatch):
    _row, token = make(acme)
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonFormatter().format(record))

    def broken(*_given: object) -> bool:
        raise ValueError("broken")

    handler = Lines(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        get(f"/h/{token}")
        get(f"/h/{token}/nonsense")
        get(f"/h/{'0' * 32}")
        call("GET", f"/h/{token}", b"", {"Host": "elsewhere.example"})
        monkeypatch.setattr(beats, "ping", broken)
        assert get(f"/h/{token}").status == 500
    finally:
        logging.getLogger().removeHandler(handler)
    assert any("ping_failed" in line for line in lines)
    assert not [line for line in lines if token in line or "0" * 32 in line]
    assert without_tokens(f"Not Found: /h/{token}/x") == "Not Found: /h/…/x"


def test_a_heartbeat_is_pinged_so_often_only(acme, monkeypatch):
    monkeypatch.setattr(limits, "PINGS", 3)
    limits.LIMITS.__init__()  # type: ignore[misc]
    _row, token = make(acme)
    statuses = [get(f"/h/{token}").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    other, second = make(acme, "other")
    assert get(f"/h/{second}").status == 200
    assert again(other).state == "up"


def test_guessing_is_slowed_down_and_the_others_are_still_heard(acme, monkeypatch):
    monkeypatch.setattr(limits, "WRONG_KEYS", 3)
    limits.LIMITS.__init__()  # type: ignore[misc]
    _row, token = make(acme)
    assert get(f"/h/{token}").status == 200
    statuses = {get(f"/h/{n:032x}").status for n in range(8)}
    assert statuses == {404, 429}
    assert get(f"/h/{token}").status == 200


def test_the_whole_line(acme):
    row, token = make(acme)
    get(f"/h/{token}")
    pass_time(row, 3600 + 61)
    assert sweep() == 1
    assert alerts(acme)[0].state == "firing"
    get(f"/h/{token}")
    assert alerts(acme)[0].state == "resolved"


# --- managing ---

NEW = {"name": "Nightly backup", "cron": "30 2 * * *", "time_zone": "Europe/Berlin"}


def test_one_is_made_pinged_read_changed_and_deleted(acme, admin_key):
    made = send("POST", API, admin_key, NEW | {"severity": "error"})
    assert made.status == 201, made.body
    assert (made.json["slug"], made.json["state"]) == ("nightly-backup", "new")
    path = made.json["ping_url"].partition("/h/")[2]
    assert get(f"/h/{path}/3").status == 200
    where = f"{API}/{made.json['id']}"
    read = send("GET", where, admin_key).json
    assert (read["state"], read["last_exit"]) == ("down", 3)
    assert [line["kind"] for line in read["pings"]] == ["exit"]
    assert "ping_url" not in read
    changed = send("PATCH", where, admin_key, {"period_seconds": 600})
    assert changed.status == 200, changed.body
    assert (changed.json["period_seconds"], changed.json["cron"]) == (600, "")
    assert send("PATCH", where, admin_key, {"enabled": False}).json["state"] == "paused"
    assert alerts(acme)[0].state == "resolved"
    assert send("PATCH", where, admin_key, {"enabled": True}).json["state"] == "up"
    renewed = send("POST", f"{where}/address", admin_key).json["ping_url"]
    assert get(f"/h/{path}").status == 404
    assert get("/h/" + renewed.partition("/h/")[2]).status == 200
    assert send("DELETE", where, admin_key).status == 204
    assert send("GET", where, admin_key).status == 404
    with in_tenant(acme.id):
        verbs = set(Audit.objects.values_list("action", flat=True))
    assert verbs >= {
        f"heartbeat.{verb}"
        for verb in ("create", "change", "pause", "resume", "renew", "delete")
    }


@pytest.mark.parametrize(
    "more",
    [
        {"cron": ""},
        {"period_seconds": 60},
        {"cron": "nonsense"},
        {"time_zone": "Mars/Base"},
        {"slug": "Not One"},
        {"match": ["???"]},
        {"labels": "none"},
        {"labels": {"a\0": "x"}},
        {"labels": {"\ud800": "x"}},
        {"labels": {"a": "x" * 5_000}},
        {"name": "a\0"},
        {"grace_seconds": 2**40},
        {"cron": "", "period_seconds": 2**40},
    ],
)
def test_what_makes_no_sense_is_400_with_a_sentence(acme, admin_key, more):
    answer = send("POST", API, admin_key, NEW | more)
    assert answer.status == 400
    assert " " in answer.sentence


def test_the_short_name_is_taken_once(acme, admin_key):
    assert send("POST", API, admin_key, NEW).status == 201
    assert send("POST", API, admin_key, NEW).status == 400


def test_reading_needs_a_key_and_writing_a_better_one(acme, key, foreign_key):
    row, _ = make(acme)
    where = f"{API}/{row.pk}"
    assert get(API).status == 401
    assert len(send("GET", API, key).json["results"]) == 1
    assert send("POST", API, key, NEW).status == 403
    assert send("PATCH", where, key, {"name": "x"}).status == 403
    assert send("DELETE", where, key).status == 403
    assert send("GET", where, foreign_key).status == 404
    other = f"/t/globex/api/v1/heartbeats/{row.pk}"
    for method in ("GET", "PATCH", "DELETE"):
        assert send(method, other, foreign_key, {}).status == 404
    assert send("GET", "/t/globex/api/v1/heartbeats", foreign_key).json["results"] == []


def test_the_engines_login_may_ping_too(acme):
    row, _ = make(acme)
    with login_as("engine"):
        assert ping(row)
