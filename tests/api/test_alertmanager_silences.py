"""Do we list, keep and refuse silences as a running Alertmanager 0.25 does?

Statuses and bodies are those it gave, asked on a loopback.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alertcenter.alerts.models import Silence
from tenants.rls import in_tenant
from tests.alerts.hush import alert, fire, moment, quiet, routed
from tests.api.client import Answer, bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/t/acme/api/v2/silences"
ONE = "/t/acme/api/v2/silence/"
NOBODY = "11111111-1111-1111-1111-111111111111"
MATCHER = {"name": "a", "value": "b", "isRegex": False}


def body(**values: Any) -> dict[str, Any]:
    """A postableSilence; None leaves a field out."""
    given = {
        "matchers": [MATCHER],
        "startsAt": iso(0),
        "endsAt": iso(60),
        "createdBy": "me",
        "comment": "c",
    }
    return {name: value for name, value in (given | values).items() if value != "out"}


def iso(minutes: float) -> str:
    return moment(minutes).isoformat().replace("+00:00", "Z")


def ask(key: str, **values: Any) -> Answer:
    return post(PATH, body(**values), **bearer(key))


def make(key: str, **values: Any) -> str:
    answer = ask(key, **values)
    assert answer.status == 200, answer.body
    assert set(answer.json) == {"silenceID"}
    return str(answer.json["silenceID"])


def listed(key: str, query: str = "") -> list[str]:
    answer = get(PATH + query, **bearer(key))
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json]


def shown(key: str, pk: str) -> dict[str, Any]:
    return dict(get(ONE + pk, **bearer(key)).json)


# --- shapes ---


def test_a_silence_has_exactly_these_keys(acme, key):
    pk = make(key, annotations={"runbook": "x"}, startsAt=iso(-30))
    found = shown(key, pk)
    assert {k: found[k] for k in ("id", "status", "comment", "createdBy")} == {
        "id": pk,
        "status": {"state": "active"},
        "comment": "c",
        "createdBy": "me",
    }
    assert found["annotations"] == {"runbook": "x"}
    assert found["matchers"] == [MATCHER | {"isEqual": True}]
    assert set(found) == {
        "annotations", "comment", "createdBy", "endsAt", "id", "matchers",
        "startsAt", "status", "updatedAt",
    }  # fmt: skip
    for name in ("startsAt", "endsAt", "updatedAt"):
        assert len(found[name]) == len("2026-11-21T12:39:53.915Z")
    assert found["startsAt"][:16] == iso(0)[:16]
    assert get(PATH, **bearer(key)).json == [found]


@pytest.mark.parametrize(
    ("regex", "equal", "operator"),
    [
        (False, True, "="),
        (False, False, "!="),
        (True, True, "=~"),
        (True, False, "!~"),
    ],
)
def test_each_kind_of_condition_comes_back_as_it_went_in(
    acme, key, regex, equal, operator
):
    value = 'say "x\\y"\n' if not regex else 'x|"y\\."'
    given = {"name": "a", "value": value, "isRegex": regex, "isEqual": equal}
    pk = make(key, matchers=[MATCHER, given])
    assert shown(key, pk)["matchers"][1] == given
    with in_tenant(acme.id):
        assert str(Silence.objects.get().matchers[1]).startswith(f"a{operator}")


def test_the_list_has_what_ends_next_then_what_begins_next_then_what_ended_last(
    acme, key
):
    first = make(key, endsAt=iso(90))
    second = make(key, endsAt=iso(30))
    late = make(key, startsAt=iso(20))
    soon = make(key, startsAt=iso(10))
    gone = make(key)
    call("DELETE", ONE + gone, b"", bearer(key))
    newer = make(key)
    call("DELETE", ONE + newer, b"", bearer(key))
    assert listed(key) == [second, first, soon, late, newer, gone]
    assert listed(key, "?expired=false") == [second, first, soon, late]
    assert listed(key, "?active=false&pending=false") == [newer, gone]
    assert listed(key, "?pending=false&expired=false") == [second, first]


def test_a_filter_is_compared_as_text(acme, key):
    pk = make(key, matchers=[MATCHER, {"name": "c", "value": "d.*", "isRegex": True}])
    make(key, matchers=[{"name": "c", "value": "d", "isRegex": False}])
    for query, found in (
        ("a%3D%22b%22", [pk]),
        ("a%3Db", [pk]),
        ("a%3D~%22b%22", []),
        ("c%3D~d.*", [pk]),
        ("c%3D%22d1%22", []),
        ("a%3Db&filter=c%3D~d.*", [pk]),
        ("a%3Db&filter=c%3Dd", []),
        ("c!%3D%22%22", []),
    ):
        assert listed(key, f"?filter={query}") == found, query
    for query in ("", "%7Ba%3D%22b%22%7D", "a%3D~(b"):
        answer = get(f"{PATH}?filter={query}", **bearer(key))
        assert answer.status == 400
        assert isinstance(answer.json, str)


# --- changes ---


def test_a_change_keeps_the_id_or_makes_a_new_one(acme, key):
    pk = make(key)
    begun = shown(key, pk)["startsAt"]
    assert make(key, id=pk, startsAt=begun, endsAt=iso(90), comment="new") == pk
    other = make(key, id=pk, startsAt=begun, matchers=[MATCHER | {"value": "c"}])
    assert other != pk
    assert shown(key, pk)["status"]["state"] == "expired"
    assert make(key, id="") not in (pk, other)


def test_what_alertmanager_does_not_know_stays_as_it_is(acme, key):
    pk = make(key)
    with in_tenant(acme.id):
        Silence.objects.update(until_gone=True, title="Kept", remind_seconds=60)
    begun = shown(key, pk)["startsAt"]
    assert make(key, id=pk, startsAt=begun, endsAt=iso(90)) == pk
    new = make(key, id=pk, startsAt=begun, matchers=[MATCHER | {"value": "c"}])
    with in_tenant(acme.id):
        row = Silence.objects.get(pk=new)
        assert (row.until_gone, row.title, row.remind_seconds) == (True, "Kept", 60)


def test_expiring_answers_nothing_and_again_the_same(acme, key, send):
    routed(acme)
    fire(acme, send, alert("X", a="b"))
    pk = make(key)
    assert quiet(acme) == ["b,X"]
    for _ in range(2):
        answer = call("DELETE", ONE + pk, b"", bearer(key))
        assert (answer.status, answer.body) == (200, b"")
    assert quiet(acme) == []
    assert shown(key, pk)["status"]["state"] == "expired"


# --- refusals ---


@pytest.mark.parametrize(
    ("values", "status", "told"),
    [
        ({"matchers": []}, 422, (612, "matchers in body should have at least 1 items")),
        ({"matchers": "out"}, 422, (602, "matchers in body is required")),
        ({"comment": "out"}, 422, (602, "comment in body is required")),
        ({"createdBy": "out"}, 422, (602, "createdBy in body is required")),
        ({"startsAt": "out"}, 422, (602, "startsAt in body is required")),
        ({"endsAt": "out"}, 422, (602, "endsAt in body is required")),
        (
            {"matchers": [{"name": "a", "value": "x"}]},
            422,
            (602, "matchers.0.isRegex in body is required"),
        ),
        (
            {"matchers": [{"value": "x", "isRegex": False}]},
            422,
            (602, "matchers.0.name in body is required"),
        ),
        (
            {"endsAt": iso(-600)},
            400,
            "Failed to create silence: start time must be before end time",
        ),
        (
            {"startsAt": iso(6000)},
            400,
            "Failed to create silence: start time must be before end time",
        ),
        (
            {"startsAt": iso(-6000), "endsAt": iso(-600)},
            400,
            "Failed to create silence: end time can't be in the past",
        ),
        ({"id": "nope"}, 404, "silence not found"),
        ({"id": NOBODY}, 404, "silence not found"),
        (
            {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
            400,
            "silence invalid: at least one matcher must not match the empty string",
        ),
        (
            {"matchers": [{"name": "a", "value": "", "isRegex": False}]},
            400,
            "silence invalid: at least one matcher must not match the empty string",
        ),
        (
            {"matchers": [{"name": "", "value": "x", "isRegex": False}]},
            400,
            'silence invalid: invalid label matcher 0: invalid label name ""',
        ),
    ],
)
def test_refusals_are_those_of_a_running_alertmanager(acme, key, values, status, told):
    answer = ask(key, **values)
    assert answer.status == status
    if isinstance(told, tuple):
        told = {"code": told[0], "message": told[1]}
    assert answer.json == told


@pytest.mark.parametrize(
    "values",
    [
        {"startsAt": "yesterday"},
        {"startsAt": 5},
        {"endsAt": "2027-01-01"},
        {"endsAt": "99999-01-01T00:00:00Z"},
        {"matchers": "x"},
        {"matchers": [5]},
        {"matchers": [{"name": "a", "value": "x", "isRegex": "false"}]},
        {"matchers": [MATCHER | {"isEqual": 1}]},
        {"annotations": {"a": 1}},
        {"annotations": "x"},
        {"comment": 7},
    ],
)
def test_what_is_of_another_type_is_400_as_an_object(acme, key, values):
    answer = ask(key, **values)
    assert answer.status == 400
    assert answer.json["code"] == 400
    assert "parsing silence body" in answer.json["message"]


def test_bodies_that_are_none_are_refused(acme, key):
    for data in (b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000):
        answer = post(PATH, data, **bearer(key))
        assert (answer.status, answer.json["code"]) == (400, 400), data[:10]
    for data in (b"null", b""):
        assert post(PATH, data, **bearer(key)).status == 422
    given = {"Content-Type": "text/plain"} | bearer(key)
    answer = call("POST", PATH, b"x", given)
    assert (answer.status, answer.json["code"]) == (415, 415)
    assert call("PUT", PATH, b"{}", bearer(key)).status in (405, 415)


@pytest.mark.parametrize(
    "pattern",
    ["(?=x)", "(?!x)", "(?<=x)y", r"(x)\1", "(", "(?P<n>x)(?P=n)", "x" * 5000],
)
def test_patterns_that_re2_does_not_know_are_refused_with_a_sentence(
    acme, key, pattern
):
    matcher = {"name": "a", "value": pattern, "isRegex": True}
    answer = ask(key, matchers=[MATCHER, matcher])
    assert answer.status == 400
    assert answer.json.startswith("silence invalid: invalid label matcher 1: ")


def test_catastrophic_patterns_cost_little(acme, key, send):
    routed(acme)
    fire(acme, send, alert("X", a="a" * 2000 + "!"))
    matcher = {"name": "a", "value": "(a+)+$", "isRegex": True}
    begun = moment()
    make(key, matchers=[matcher])
    assert moment() - begun < timedelta(seconds=2)


def test_ids_that_are_none_are_422_and_unknown_ones_404(acme, key):
    for method in ("GET", "DELETE"):
        answer = call(method, ONE + "nope", b"", bearer(key))
        assert answer.status == 422
        assert answer.json == {
            "code": 601,
            "message": 'silenceID in path must be of type uuid: "nope"',
        }
        answer = call(method, ONE + NOBODY, b"", bearer(key))
        assert (answer.status, answer.body) == (404, b"")


def test_reading_needs_read_and_writing_act_and_outsiders_find_nothing(
    acme, globex, mint, key, foreign_key
):
    pk = make(key)
    reader, writer = mint(acme, "read"), mint(acme, "act")
    assert get(PATH, **bearer(reader)).status == 200
    assert ask(reader).status == 403
    assert call("DELETE", ONE + pk, b"", bearer(reader)).status == 403
    assert get(PATH, **bearer(writer)).status == 403
    assert ask(writer).status == 200
    for method, path in (("GET", PATH), ("GET", ONE + pk), ("DELETE", ONE + pk)):
        assert call(method, path, b"", bearer(foreign_key)).status == 404
    theirs = PATH.replace("acme", "globex")
    assert post(theirs, body(id=pk), **bearer(foreign_key)).status == 404
    assert get(theirs, **bearer(foreign_key)).json == []
    assert post(PATH, body()).status == 401


# --- the second look ---


def test_a_broad_one_needs_a_word_in_the_comment_or_a_key_of_admin(
    acme, key, mint, send
):
    routed(acme)
    fire(acme, send, *[alert("X", a="b", instance=str(n)) for n in range(6)])
    answer = ask(key)
    assert answer.status == 400
    assert "6 of 6" in answer.json
    assert "[confirm]" in answer.json
    assert quiet(acme) == []
    make(key, comment="[confirm] the whole site is down")
    assert len(quiet(acme)) == 6
    make(mint(acme, "act", "admin"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"startsAt": "\ud800" * 20},
        {"endsAt": "\ud800"},
        {"matchers": [{"name": "a", "value": "\ud800", "isRegex": True}]},
        {"matchers": [{"name": "\ud800", "value": "b", "isRegex": False}]},
        {"matchers": [{"name": "a", "value": "\0", "isRegex": False}]},
    ],
)
def test_half_characters_and_nulls_are_refused(key, acme, wrong):
    body = {
        "matchers": [{"name": "a", "value": "b", "isRegex": False}],
        "startsAt": "2030-01-01T00:00:00Z",
        "endsAt": "2030-01-02T00:00:00Z",
        "createdBy": "x",
        "comment": "y",
    }
    answer = post("/t/acme/api/v2/silences", body | wrong, **bearer(key))
    assert answer.status == 400, answer.body
