"""Tools' own payloads: where the key may stand, what is understood, what is counted."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
import pytest

from alertcenter.alerts import translate
from alertcenter.alerts.models import Alert, RawEvent
from alertcenter.alerts.sources import bodies
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.sources.registry import adapters
from alertcenter.api.integrations import USE
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from tests.api.client import basic, bearer, call, post
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)

DATADOG: Any = adapters()["datadog"].example


def alerts(cast: Cast) -> list[Alert]:
    with in_tenant(cast.id):
        return list(Alert.objects.filter(tenant_id=cast.id).order_by("title"))


def integration(cast: Cast, source: str = "datadog", **settings: Any) -> Integration:
    with in_tenant(cast.id):
        return Integration.objects.create(
            tenant_id=cast.id,
            slug=source,
            name=source,
            source=source,
            settings=settings,
        )


def url_key(cast: Cast, to: Integration) -> str:
    with in_tenant(cast.id):
        _row, plaintext = apikeys.mint(
            cast.id,
            "url",
            ["ingest"],
            actor=THE_ENGINE,
            kind=Kind.URL,
            integration=to,
        )
    return plaintext


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: bearer(key),
        lambda key: basic(key),
        lambda key: {"X-AlertCenter-Key": key},
        lambda key: {"X-Gitlab-Token": key},
    ],
)
def test_the_key_may_stand_in_any_usual_header(headers, acme, key):
    answer = post("/t/acme/in/datadog", DATADOG, **headers(key))
    assert answer.status == 200, answer.body
    assert answer.json == {"accepted": 1, "errors": []}
    (found,) = alerts(acme)
    assert found.source == "datadog"
    assert found.dedup_key.startswith("k/datadog/")


def test_an_address_with_a_key_is_all_that_a_sender_needs(acme):
    made = integration(acme)
    key = url_key(acme, made)
    answer = post(f"/in/datadog/{key}", DATADOG)
    assert answer.status == 200, answer.body
    (found,) = alerts(acme)
    assert found.dedup_key.startswith(f"k/{made.pk.hex}/")


def test_a_key_for_headers_opens_nothing_in_an_address(acme, key):
    assert post(f"/in/datadog/{key}", DATADOG).status == 401
    assert post("/in/datadog/0123456789abcdef0123456789abcdef").status == 401
    assert alerts(acme) == []


@pytest.mark.parametrize(
    "place",
    ["/in/datadog/", "/victorops/integrations/generic/20131114/alert/"],
)
def test_a_wrong_key_in_an_address_is_told_where_there_are_right_ones(place, acme, key):
    for wrong in ("0" * 32, key):
        answer = post(f"{place}{wrong}{'/r' * place.startswith('/v')}", DATADOG)
        assert answer.status == 401
        assert "Integrations" in answer.json["message"]


def test_a_revoked_address_is_closed(acme):
    made = integration(acme)
    key = url_key(acme, made)
    assert post(f"/in/datadog/{key}", DATADOG).status == 200
    with in_tenant(acme.id):
        apikeys.revoke(made.keys.get(), actor=THE_ENGINE)
    from alertcenter.api import keys

    keys.CACHE.clear()
    assert post(f"/in/datadog/{key}", DATADOG).status == 401


def test_strangers_and_others_tenants_are_told_apart(acme, globex, key, foreign_key):
    assert post("/t/acme/in/datadog", DATADOG).status == 401
    other = post("/t/acme/in/datadog", DATADOG, **bearer(foreign_key))
    assert other.status == 404
    assert "sources are" not in other.sentence
    assert alerts(acme) == []


def test_an_unknown_source_is_told_which_there_are(acme, key):
    answer = post("/t/acme/in/nagioss", {}, **bearer(key))
    assert answer.status == 404
    assert "datadog" in answer.sentence


def test_a_key_without_the_scope_is_refused(acme, mint):
    answer = post("/t/acme/in/datadog", DATADOG, **bearer(mint(acme, "read")))
    assert answer.status == 403


@pytest.mark.parametrize("body", [b"", b"hello", b"17", b'"x"', b"[1]", b'{"a":'])
def test_what_is_no_object_is_refused_with_a_sentence(body, acme, key):
    answer = post("/t/acme/in/datadog", body, **bearer(key))
    assert answer.status == 400
    assert answer.json["code"] == "bad_body"
    assert alerts(acme) == []


def test_what_is_not_understood_is_a_readable_alert_all_the_same(acme, key):
    grafana = {"alerts": [], "groupKey": "{}", "title": "Disk is full", "x": "\0"}
    answer = post("/t/acme/in/datadog", grafana, **bearer(key))
    assert answer.status == 200
    (found,) = alerts(acme)
    assert found.title == "Disk is full (not understood as datadog)"
    assert "/in/alertmanager" in found.annotations["description"]
    post("/t/acme/in/datadog", grafana, **bearer(key))
    (again,) = alerts(acme)
    assert again.count == 2


def test_auto_finds_the_source_by_the_shape(acme, key):
    assert post("/t/acme/in/auto", DATADOG, **bearer(key)).status == 200
    (found,) = alerts(acme)
    assert found.source == "datadog"


def test_a_list_of_payloads_is_read_one_by_one(acme, key):
    other = DATADOG | {"alert_cycle_key": "other"}
    answer = post("/t/acme/in/datadog", [DATADOG, other, {"odd": 1}], **bearer(key))
    assert answer.json["accepted"] == 3
    assert [one.title for one in alerts(acme)] == [
        "A payload (not understood as datadog)",
        "CPU is high",
        "CPU is high",
    ]


def test_json_in_a_form_and_with_raw_line_breaks_is_read(acme, key):
    body = b'{"title": "two\nlines", "alert_id": "1", "body": "a\tb"}'
    answer = post("/t/acme/in/datadog", body, **bearer(key))
    assert answer.status == 200
    form = b"payload=%7B%22title%22%3A%22in+a+form%22%2C%22alert_id%22%3A2%7D"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = post("/t/acme/in/datadog", form, **(bearer(key) | kind))
    assert answer.status == 200
    assert [one.title for one in alerts(acme)] == ["in a form", "two lines"]


FORM = (
    b'--X\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{"a":"\xc3\xa9"}\r\n'
    b'--X\r\nContent-Disposition: form-data; name="file"; filename="a b.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n\r\n"
    b"--X\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--X--\r\n"
)


@pytest.mark.parametrize("form", [FORM, FORM.replace(b"\r\n", b"\n")])
def test_the_fields_of_a_form_with_files_are_read(form):
    kind = 'multipart/form-data; boundary="X"'
    found = bodies.from_multipart(form, kind)
    assert found == {"payload": '{"a":"é"}', "file": "a b.png", "empty": ""}


NESTED = b"".join(
    b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
    for n in range(200)
)


@pytest.mark.parametrize(
    "form",
    [
        NESTED + b"\n" * 900_000,
        NESTED * 70,
        b"--b0\r\n\r\n" * 100_000,
        b"--b0\r\nContent-Disposition: form-data; " + b"a=b; " * 190_000,
        b"--b0\r\nContent-Disposition: form-data; name=" + b"(" * 900_000,
    ],
    ids=["nested and long", "nested", "many", "a long head", "comments"],
)
def test_a_form_made_to_be_slow_is_answered_at_once(form, acme, key):
    kind = {"Content-Type": "multipart/form-data; boundary=b0"}
    began = time.monotonic()
    answer = post("/t/acme/in/auto", form[: 1 << 20], **(bearer(key) | kind))
    assert answer.status in (200, 400)
    assert time.monotonic() - began < 2


def test_reading_is_not_a_way_to_send(acme, key):
    answer = call("GET", "/t/acme/in/datadog", b"", bearer(key))
    assert answer.status == 405


# --- mapping ---


def test_plain_json_is_read_by_the_tenants_own_mapping(acme):
    made = integration(
        acme,
        "json",
        items="problems",
        title="{{ check }} on {{ host.name }}",
        key="id",
        severity="level",
        severities={"bad": "critical"},
        status="state",
        resolved_when=["fine"],
        labels={"host": "host.name", "env": "'prod'"},
    )
    key = url_key(acme, made)
    problem = {
        "id": 7,
        "check": "ping",
        "host": {"name": "web-1"},
        "level": "BAD",
        "state": "broken",
    }
    assert post(f"/in/json/{key}", {"problems": [problem]}).status == 200
    (found,) = alerts(acme)
    assert (found.title, found.state, found.severity) == ("ping on web-1", "firing", 5)
    assert found.labels == {"host": "web-1", "env": "prod"}
    post(f"/in/json/{key}", {"problems": [problem | {"state": "fine"}]})
    (found,) = alerts(acme)
    assert found.state == "resolved"


def test_a_mapping_that_finds_nothing_says_so_in_an_alert(acme):
    made = integration(acme, "json", title="name")
    assert post(f"/in/json/{url_key(acme, made)}", {"other": 1}).status == 200
    (found,) = alerts(acme)
    assert "neither a title nor a key" in found.annotations["description"]


# --- counts and copies ---


SLOW = "{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}z"


def test_a_mapping_has_its_time_however_many_items_there_are():
    settings = {"title": "{{ t }}", "labels": {f"l{n}": SLOW for n in range(64)}}
    item = {"t": "a", "x": [1] * 90}
    for payload in ([item] * 50, {"i": [item] * 50}):
        more = {"items": "i"} if isinstance(payload, dict) else {}
        began = time.thread_time()
        found = translate.translate("json", Incoming(payload), settings | more)
        assert time.thread_time() - began < 10
        assert "too long" in found.reason
        assert len(found.parsed.events) == 1


def test_a_list_read_one_by_one_has_its_time(monkeypatch):
    monkeypatch.setattr(translate, "LONGEST_SECONDS", 0.0)
    found = translate.translate("datadog", Incoming([{"odd": 1}, DATADOG, DATADOG]))
    assert len(found.parsed.events) == 1
    assert "not kept" in found.parsed.events[0].annotations["description"]


def test_what_a_key_without_integration_sends_makes_one(acme, key):
    USE.flush()
    post("/t/acme/in/datadog", DATADOG, **bearer(key))
    post("/t/acme/in/datadog", {"odd": 1}, **bearer(key))
    USE.flush()
    with in_tenant(acme.id):
        made = Integration.objects.get(tenant_id=acme.id)
    assert (made.slug, made.name, made.source) == ("datadog", "Datadog", "datadog")
    assert (made.events, made.not_understood) == (2, 1)
    assert made.last_event_at is not None


def test_counts_wait_for_the_database_to_come_back(acme, key, monkeypatch):
    USE.flush()
    made = integration(acme)
    post(f"/in/datadog/{url_key(acme, made)}", DATADOG)

    def away(*_line: Any) -> None:
        raise psycopg2.OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(USE, "_write", away)
        with pytest.raises(psycopg2.OperationalError):
            USE.flush()
    USE.flush()
    with in_tenant(acme.id):
        assert Integration.objects.get(pk=made.pk).events == 1


def test_copies_remember_what_reads_them_again(acme, key):
    from alertcenter.alerts import raw_events

    raw_events.start()
    try:
        post("/t/acme/in/datadog?team=web", DATADOG, **bearer(key))
    finally:
        raw_events.stop()
    with in_tenant(acme.id):
        kept = RawEvent.objects.get(tenant_id=acme.id)
    assert kept.protocol == "datadog"
    assert kept.context["query"] == {"team": "web"}
    assert kept.context["adapter"] == "datadog"
