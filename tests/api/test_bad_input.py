"""Is bad input refused with the right status and a sentence, never with 500?"""

from __future__ import annotations

import gzip
import json

import pytest

from alertcenter.alerts.models import Alert
from tenants.rls import in_tenant
from tests.api.client import Answer, basic, bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)

V2 = "/t/acme/api/v2/alerts"
WEBHOOK = "/t/acme/in/alertmanager"
EVENTS = "/t/acme/api/v1/events"
DRF = "/t/acme/api/v1/alerts"
ALL = (V2, WEBHOOK, EVENTS, DRF)

GOOD_ALERT = {"labels": {"alertname": "Good", "host": "a"}}


def bodies(path: str, items: list[object]) -> bytes:
    """Return `items` in the protocol of `path`."""
    if path == WEBHOOK:
        items = [{"status": "firing"} | i if isinstance(i, dict) else i for i in items]
        return json.dumps({"version": "4", "alerts": items}).encode()
    return json.dumps(items).encode()


def titles(cast) -> set[str]:
    with in_tenant(cast.id):
        return set(Alert.objects.values_list("title", flat=True))


def refused(answer: Answer, status: int) -> str:
    assert answer.status == status, answer.body
    sentence = answer.sentence
    assert " " in sentence, f"not a sentence: {answer.body!r}"
    return sentence


@pytest.mark.parametrize("path", ALL)
class TestEveryRoad:
    def test_good_events_are_kept(self, path, acme, key):
        answer = post(path, bodies(path, [GOOD_ALERT]), **bearer(key))
        assert answer.status in (200, 201)
        assert titles(acme) == {"Good"}

    def test_the_key_may_be_the_password_of_basic_authentication(self, path, key):
        assert post(path, bodies(path, [GOOD_ALERT]), **basic(key)).status == 200

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"nonsense",
            b"{",
            b"[",
            b"nul",
            b"[1,2",
            b"\xff\xfe",
            b'"text"',
            b"42",
            b"true",
            b"null",
            b'{"a":',
            b'[{"labels":{"a":"\xff"}}]',
            b"\x00",
        ],
    )
    def test_what_is_no_json_of_ours_is_400(self, path, body, key):
        refused(
            post(path, body, **bearer(key)), 422 if not body and path == V2 else 400
        )

    @pytest.mark.parametrize("opening", [b"[", b'{"labels":', b'[{"x":'])
    @pytest.mark.parametrize("depth", [1_000, 100_000])
    def test_deep_nesting_is_400(self, path, opening, depth, key):
        body = opening * (min(depth, 1_000_000 // len(opening)))
        refused(post(path, body, **bearer(key)), 400)

    def test_deep_nesting_that_is_closed_is_400_or_ignored(self, path, key):
        deep = "[" * 5000 + "]" * 5000
        body = f'[{{"labels":{{"a":"b"}},"status":"firing","x":{deep}}}]'.encode()
        answer = post(path, body, **bearer(key))
        assert answer.status in (200, 400), answer.body

    @pytest.mark.parametrize(
        "text", ["\x00", "a\x00b", "\ud800", "x\udfff", "\udc00\ud800"]
    )
    @pytest.mark.parametrize("place", ["name", "value", "annotation"])
    def test_nul_and_half_surrogates_are_400_and_the_rest_is_kept(
        self, path, text, place, acme, key
    ):
        bad: dict[str, object] = {"labels": {"alertname": "Bad"}}
        if place == "name":
            bad = {"labels": {"alertname": "Bad", text: "x"}}
        elif place == "value":
            bad = {"labels": {"alertname": "Bad", "x": text}}
        else:
            bad["annotations"] = {"summary": text}
        refused(post(path, bodies(path, [bad, GOOD_ALERT]), **bearer(key)), 400)
        assert titles(acme) == {"Good"}

    @pytest.mark.parametrize(
        "bad",
        [
            1,
            None,
            "text",
            [],
            {},
            {"labels": []},
            {"labels": None},
            {"labels": {"a": 1}},
            {"labels": {"a": None}},
            {"labels": {"a": {"b": "c"}}},
            {"labels": {"a": "b"}, "annotations": 7},
            {"labels": {"": "b"}},
            {"labels": {"n" * 300: "b"}},
            {"labels": {"a": "v" * 10_000}},
            {"labels": {f"n{i}": "v" for i in range(100)}},
        ],
    )
    def test_wrong_types_are_400_and_the_valid_part_is_kept(self, path, bad, acme, key):
        refused(post(path, bodies(path, [bad, GOOD_ALERT]), **bearer(key)), 400)
        assert titles(acme) == {"Good"}

    @pytest.mark.parametrize("announce", [True, False])
    def test_ten_megabytes_are_413_before_they_are_read(self, path, announce, key):
        body = b"[" + b" " * (10 << 20) + b"]"
        headers = {"Content-Type": "application/json"} | bearer(key)
        answer = call("POST", path, body, headers, announce=announce)
        refused(answer, 413)
        assert answer.read <= (1 << 20) + 65_536

    def test_a_small_gzip_that_grows_is_413(self, path, key):
        body = gzip.compress(b"[" + b" " * (10 << 20) + b"]")
        headers = {"Content-Encoding": "gzip"} | bearer(key)
        refused(post(path, body, **headers), 413)

    def test_gzip_is_read(self, path, acme, key):
        headers = {"Content-Encoding": "gzip"} | bearer(key)
        body = bodies(path, [GOOD_ALERT])
        assert post(path, gzip.compress(body), **headers).status == 200
        assert titles(acme) == {"Good"}
        refused(post(path, gzip.compress(body)[:-9], **headers), 400)
        refused(post(path, b"not gzip", **headers), 400)
        unknown = {"Content-Encoding": "br"} | bearer(key)
        refused(post(path, body, **unknown), 415)

    @pytest.mark.parametrize(
        "kind", ["text/plain", "", "application/x-www-form-urlencoded", "nonsense"]
    )
    def test_another_content_type_is_415(self, path, kind, key):
        headers = {"Content-Type": kind} | bearer(key)
        refused(post(path, bodies(path, [GOOD_ALERT]), **headers), 415)

    def test_a_charset_beside_the_content_type_is_fine(self, path, key):
        headers = {"Content-Type": "application/json; charset=utf-8"} | bearer(key)
        assert post(path, bodies(path, [GOOD_ALERT]), **headers).status == 200

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer",
            "Bearer ",
            "Bearer wrong",
            "Bearer " + "x" * 5000,
            "Bearer ac_AAAAAAAA_" + "b" * 43,
            "Basic",
            "Basic %%%",
            "Basic " + "AAAA",
            "Digest abc",
            "Bearer \xe4\xf6",
        ],
    )
    def test_no_or_an_unknown_key_is_401(self, path, authorization, acme):
        answer = post(path, [GOOD_ALERT], Authorization=authorization)
        refused(answer, 401)
        assert "basic" in answer.headers["www-authenticate"].lower()
        assert titles(acme) == set()

    def test_an_unknown_tenant_is_404_with_a_valid_key_and_401_without(self, path, key):
        elsewhere = path.replace("acme", "nowhere")
        refused(post(elsewhere, [GOOD_ALERT], **bearer(key)), 404)
        refused(post(elsewhere, [GOOD_ALERT]), 401)

    def test_another_tenants_key_is_404(self, path, acme, foreign_key):
        refused(post(path, [GOOD_ALERT], **bearer(foreign_key)), 404)
        assert titles(acme) == set()

    def test_a_key_without_the_scope_is_403(self, path, acme, mint):
        reader = mint(acme, "read")
        refused(post(path, [GOOD_ALERT], **bearer(reader)), 403)
        assert titles(acme) == set()

    def test_the_correlation_id_comes_back(self, path, key):
        body = bodies(path, [GOOD_ALERT])
        answer = post(path, body, **bearer(key), **{"X-Correlation-Id": "abc-1"})
        assert answer.headers["x-correlation-id"] == "abc-1"
        strange = post(path, body, **bearer(key), **{"X-Correlation-Id": "a b\r"})
        assert strange.headers["x-correlation-id"] not in ("", "a b\r")


@pytest.mark.parametrize("path", [V2, WEBHOOK, EVENTS])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(path, method, key):
    answer = call(method, path, b"", bearer(key))
    refused(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_alertmanagers_answers_are_byte_for_byte_its_own(key):
    ok = post(V2, [GOOD_ALERT], **bearer(key))
    assert (ok.status, ok.body) == (200, b"")
    assert "content-type" not in ok.headers
    mixed = post(V2, [GOOD_ALERT, {"labels": {}}, {"labels": {}}], **bearer(key))
    assert (mixed.status, mixed.body) == (400, b'"at least one label pair required"\n')
    plain = post(V2, [], **bearer(key), **{"Content-Type": "text/plain"})
    assert plain.json == {
        "code": 415,
        "message": 'unsupported media type "text/plain", '
        "only [application/json] are allowed",
    }
    assert post(V2, b"[1", **bearer(key)).sentence.startswith(
        'parsing alerts body from "" failed, because '
    )
    empty = post(V2, b"", **bearer(key))
    assert empty.status == 422
    assert empty.json == {"code": 602, "message": "alerts in body is required"}


def test_our_own_json_names_each_refused_item(acme, key):
    items = [{"title": "one"}, {"title": 2}, {"labels": {}}, {"title": "four"}]
    answer = post(EVENTS, items, **bearer(key))
    assert answer.status == 400
    assert answer.json["accepted"] == 2
    assert [error["index"] for error in answer.json["errors"]] == [1, 2]
    assert titles(acme) == {"one", "four"}


def test_one_event_needs_no_list(acme, key):
    answer = post(EVENTS, {"title": "disk full", "severity": "high"}, **bearer(key))
    assert (answer.status, answer.json) == (200, {"accepted": 1, "errors": []})


def test_health_is_served_at_the_tenants_path_without_a_key():
    for name in ("healthy", "ready"):
        answer = get(f"/t/acme/-/{name}")
        assert (answer.status, answer.body) == (200, b"OK")


@pytest.mark.parametrize(
    "path", ["/login/", "/admin/login/", "/outbox/press/", "/livez", "/nothing"]
)
@pytest.mark.parametrize("announce", [True, False])
def test_a_stranger_cannot_fill_the_disk_through_any_page(path, announce):
    """Django would spool the whole body before any view looks at it."""
    body = b"x" * (8 << 20)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = call("POST", path, body, kind, announce=announce)
    refused(answer, 413)
    assert answer.read < 3 << 20


def test_what_postgresql_cannot_store_never_reaches_it(acme, key, caplog):
    """One such row costs its neighbours a commit of their own each."""
    far = "2026-01-01T00:00:00+23:59"
    events: list[object] = [
        {"title": "far", "starts_at": far, "ends_at": "9998-01-01T00:00:00-23:59"},
        {"title": "link", "link": "http://\0"},
    ]
    assert post(EVENTS, bodies(EVENTS, events), **bearer(key)).status == 200
    last = {"title": "last", "ends_at": "9999-12-31T23:59:59-23:59"}
    refused(post(EVENTS, bodies(EVENTS, [last]), **bearer(key)), 400)
    assert titles(acme) == {"far", "link"}
    assert "poison_event" not in caplog.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("silences", {"matchers": ["a=b"], "lasts_seconds": 60, "kind": "\ud800"}),
        ("silences/preview", {"matchers": ["a=b"], "kind": "x\udfff"}),
        ("services", {"name": "db", "tier": "\ud800"}),
        ("services", {"name": "db", "\ud800": 1, "tier": ["\ud800"]}),
    ],
)
def test_a_complaint_may_quote_half_a_character(mint, acme, path, body):
    headers = bearer(mint(acme, "read", "act", "admin"))
    answer = post(f"/t/acme/api/v1/{path}", json.dumps(body).encode(), **headers)
    refused(answer, 400)
