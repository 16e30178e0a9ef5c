"""Schedules over the API: write them whole, change them, ask who is there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from alertcenter.common.ids import uuid7
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
SCHEDULES = f"{API}/schedules"
JSON = {"Content-Type": "application/json"}
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def admin(mint, acme) -> dict[str, str]:
    return bearer(mint(acme, "read", "act", "admin"))


@pytest.fixture
def people(acme) -> dict[str, str]:
    return {name: str(member.pk) for name, member in acme.members.items()}


def write(method, path, body, headers):
    return call(method, path, json.dumps(body).encode(), JSON | headers)


def made(admin, people, **more):
    layer = {
        "frequency": "weekly",
        "starts_on": "2026-01-05",
        "handoff": "09:00",
        "turns": [[people["alice"]], [people["bob"], people["vera"]]],
    }
    answer = post(SCHEDULES, {"name": "Ops", "layers": [layer]} | more, **admin)
    assert answer.status == 201, answer.body
    return answer.json


def at(moment: datetime) -> str:
    return f"?at={moment:%Y-%m-%dT%H:%M:%SZ}"


def names(admin, row, moment) -> list[str]:
    answer = get(f"{SCHEDULES}/{row['id']}/on_call{at(moment)}", **admin)
    assert answer.status == 200, answer.body
    return [one["name"] for one in answer.json["on_call"]]


def test_a_schedule_is_written_whole_and_read_again(acme, admin, people):
    row = made(admin, people, time_zone="UTC", owner=people["alice"])
    path = f"{SCHEDULES}/{row['id']}"
    assert get(path, **admin).json == row
    assert get(SCHEDULES, **admin).json["results"] == [row]
    assert set(row["layers"][0]["turns"][1]) == {people["bob"], people["vera"]}
    assert sorted(names(admin, row, MONDAY + 8 * DAY)) == ["Bob", "Vera"]
    changed = write("PATCH", path, {"name": "Night", "stand_in": False}, admin)
    assert (changed.json["name"], changed.json["stand_in"]) == ("Night", False)
    assert changed.json["layers"] == row["layers"]
    assert call("DELETE", path, b"", admin).status == 204
    assert get(path, **admin).status == 404
    with in_tenant(acme.id):
        done = Audit.objects.filter(object_kind="schedule").order_by("id")
        assert [one.action.partition(".")[2] for one in done] == [
            "create",
            "change",
            "delete",
        ]


def test_other_turns_leave_on_call_who_is(admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}"
    before = get(f"{path}/on_call", **admin).json
    (layer,) = row["layers"]
    layer["turns"] = [[people["vera"]], *layer["turns"], [people["vera"]]]
    changed = write("PATCH", path, {"layers": [layer]}, admin)
    assert changed.status == 200, changed.body
    after = get(f"{path}/on_call", **admin).json
    assert (after["on_call"], after["until"]) == (before["on_call"], before["until"])
    new = {"starts_on": "2026-01-05", "level": 3, "turns": [[people["vera"]]]}
    changed = write("PATCH", path, {"layers": [new]}, admin)
    assert len(changed.json["layers"]) == 1
    assert names(admin, row, MONDAY) == ["Vera"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"time_zone": "Mars/Olympus"},
        {"owner": str(uuid7())},
        {"layers": [{"starts_on": "2026-01-05"}]},
        {"layers": [{"starts_on": "2026-01-05", "turns": [[str(uuid7())]]}]},
        {"layers": [{"starts_on": "2026-01-05", "turns": [[]]}]},
        {"layers": [{"id": str(uuid7()), "starts_on": "2026-01-05", "turns": []}]},
        {"layers": [{"starts_on": "2026-01-05", "turns": [], "hours": [{"days": 1}]}]},
        {"layers": [{"starts_on": "2026-01-05", "turns": [], "weekdays": ["x"]}]},
        {"layers": [{"starts_on": "2026-01-05", "ends_on": "2026-01-01", "turns": []}]},
        {"layers": {}},
        {"layers": [{"starts_on": "0001-01-01", "turns": []}]},
        {"layers": [{"starts_on": "9999-12-31", "turns": []}]},
        {"layers": [{"starts_on": "2026-01-01", "ends_on": "9999-12-31", "turns": []}]},
    ],
)
def test_what_is_no_schedule_is_refused(admin, people, wrong):
    assert post(SCHEDULES, {"name": "Ops"} | wrong, **admin).status == 400
    assert get(SCHEDULES, **admin).json["results"] == []


def test_a_change_that_leaves_out_a_layers_turns_is_refused(admin, people):
    row = made(admin, people)
    body = {"layers": [{"starts_on": "2026-01-05"}]}
    assert write("PATCH", f"{SCHEDULES}/{row['id']}", body, admin).status == 400
    assert names(admin, row, MONDAY) == ["Alice"]


@pytest.mark.parametrize("year", ["0002", "1899", "2201", "9998"])
def test_moments_out_of_reach_are_refused(admin, people, year):
    row = made(admin, people)
    one = f"{SCHEDULES}/{row['id']}"
    begin, end = f"{year}-03-01T00:00:00Z", f"{year}-04-01T00:00:00Z"
    asked = [
        get(f"{one}/on_call?at={begin}", **admin),
        get(f"{one}/shifts?from={begin}&until={end}", **admin),
    ]
    given = {"member": people["bob"], "starts_at": begin, "ends_at": end}
    asked.append(post(f"{one}/overrides", given, **admin))
    inside = {"starts_at": "2026-01-05T00:00:00Z", "ends_at": "2026-01-06T00:00:00Z"}
    asked.append(post(f"{one}/temporaries", inside | {"shifts": [given]}, **admin))
    assert [answer.status for answer in asked] == [400] * 4


def test_shifts_come_at_last_by_layer_and_with_gaps(admin, people):
    layer = {
        "starts_on": "2026-01-05",
        "handoff": "09:00",
        "weekdays": ["mon", "tue"],
        "turns": [[people["alice"]]],
    }
    row = made(admin, people, layers=[layer])
    path = f"{SCHEDULES}/{row['id']}/shifts"
    span = "?from=2026-01-05T09:00:00Z&until=2026-01-12T09:00:00Z"
    found = get(path + span, **admin).json
    (shift,) = found["final"]
    assert shift["starts_at"] == "2026-01-05T09:00:00Z"
    assert shift["ends_at"] == "2026-01-07T09:00:00Z"
    assert [one["name"] for one in shift["members"]] == ["Alice"]
    assert [gap["starts_at"] for gap in found["gaps"]] == ["2026-01-07T09:00:00Z"]
    assert found["layers"][0]["shifts"] == found["final"]
    assert get(path, **admin).status == 200
    for wrong in (
        "?from=2026-01-05T09:00:00Z&until=2026-01-05T09:00:00Z",
        "?from=2026-01-05T09:00:00Z&until=2028-01-05T09:00:00Z",
        "?from=9999-12-31T00:00:00Z",
        "?from=soon",
    ):
        assert get(path + wrong, **admin).status == 400, wrong
    for wrong in ("?at=soon", "?at=9999-12-31T00:00:00Z", "?at=0001-01-01T00:00:00Z"):
        assert get(f"{API}/on_call{wrong}", **admin).status == 400, wrong


def test_all_schedules_say_who_is_there_until_when_and_who_is_next(admin, people):
    row = made(admin, people)
    (found,) = get(f"{API}/on_call{at(MONDAY)}", **admin).json["schedules"]
    assert found["schedule"] == row["id"]
    assert [one["name"] for one in found["on_call"]] == ["Alice"]
    assert found["until"] == "2026-01-12T09:00:00Z"
    assert {one["name"] for one in found["next"]} == {"Bob", "Vera"}


SPAN = {"starts_at": "2026-01-05T10:00:00Z", "ends_at": "2026-01-05T12:00:00Z"}


def test_overrides_are_put_listed_and_removed(acme, admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}/overrides"
    given = SPAN | {"kind": "replace", "member": people["vera"]}
    assert post(path, given, **admin).status == 400, "who goes is missing"
    put = post(path, given | {"instead": people["alice"]}, **admin)
    assert put.status == 201, put.body
    assert names(admin, row, MONDAY + timedelta(hours=1)) == ["Vera"]
    assert get(path, **admin).json["results"] == [put.json]
    assert call("DELETE", f"{path}/{put.json['id']}", b"", admin).status == 204
    assert names(admin, row, MONDAY + timedelta(hours=1)) == ["Alice"]
    backwards = {"starts_at": SPAN["ends_at"], "ends_at": SPAN["starts_at"]}
    assert post(path, given | backwards, **admin).status == 400
    with in_tenant(acme.id):
        assert Audit.objects.filter(object_kind="override").count() == 2


def test_an_override_is_changed_in_parts_and_judged_as_a_whole(acme, admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}/overrides"
    put = post(path, SPAN | {"member": people["vera"]}, **admin).json
    one = f"{path}/{put['id']}"
    later = {"ends_at": "2026-01-05T15:00:00Z", "note": "longer"}
    changed = write("PATCH", one, later, admin)
    assert changed.status == 200, changed.body
    assert changed.json == put | later
    assert names(admin, row, MONDAY + timedelta(hours=5)) == ["Vera"]
    for wrong in (
        {"ends_at": SPAN["starts_at"]},
        {"starts_at": "2026-01-06T00:00:00Z"},
        {"kind": "replace"},
        {"member": None},
        {"member": str(uuid7())},
    ):
        assert write("PATCH", one, wrong, admin).status == 400, wrong
    taken = {"kind": "remove", "instead": people["alice"]}
    assert write("PATCH", one, taken, admin).status == 200
    assert names(admin, row, MONDAY + timedelta(hours=1)) == []
    with in_tenant(acme.id):
        audited = Audit.objects.filter(action="override.change").order_by("id")
        assert [a.data["fields"] for a in audited] == [
            ["ends_at", "note"],
            ["instead", "kind"],
        ]


def test_a_temporary_schedule_is_changed_its_shifts_as_a_whole(admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}/temporaries"
    shift = SPAN | {"member": people["vera"]}
    put = post(path, SPAN | {"shifts": [shift]}, **admin).json
    one = f"{path}/{put['id']}"
    longer = {"ends_at": "2026-01-05T15:00:00Z"}
    changed = write("PATCH", one, longer, admin)
    assert changed.status == 200, changed.body
    assert changed.json == put | longer
    assert names(admin, row, MONDAY + timedelta(hours=5)) == []
    other = shift | longer | {"member": people["bob"]}
    changed = write("PATCH", one, {"shifts": [other]}, admin)
    assert changed.json["shifts"] == [other]
    assert names(admin, row, MONDAY + timedelta(hours=5)) == ["Bob"]
    for wrong in (
        {"ends_at": SPAN["starts_at"]},
        {"shifts": [SPAN]},
        {"shifts": [longer | {"member": people["bob"]}]},
        {"shifts": [other | {"ends_at": SPAN["starts_at"]}]},
        {"shifts": [other | {"member": str(uuid7())}]},
        {"shifts": [other] * 501},
    ):
        assert write("PATCH", one, wrong, admin).status == 400, wrong
    assert get(path, **admin).json["results"] == [changed.json]
    assert write("PATCH", one, {"shifts": []}, admin).json["shifts"] == []


def test_swaps_are_asked_for_taken_given_back_and_undone(mint, acme, admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}/swaps"
    asked = post(path, SPAN | {"beneficiary": people["alice"]}, **admin)
    assert asked.status == 201, asked.body
    taken = f"{path}/{asked.json['id']}/taken"
    within = MONDAY + timedelta(hours=1)
    assert post(taken, {}, **admin).status == 400, "a key is no member"
    assert post(taken, {"member": people["alice"]}, **admin).status == 409
    assert post(taken, {"member": people["vera"]}, **admin).status == 200
    assert names(admin, row, within) == ["Vera"]
    assert post(taken, {"member": people["bob"]}, **admin).status == 409
    assert call("DELETE", taken, b"", admin).status == 204
    assert names(admin, row, within) == ["Alice"]
    own = SPAN | {"beneficiary": people["bob"], "benefactor": people["bob"]}
    assert post(path, own, **admin).status == 400
    acting = bearer(mint(acme, "read", "act"))
    given = SPAN | {"beneficiary": people["bob"]}
    assert post(path, given, **acting).status == 403, "a key acts for no member"
    assert call("DELETE", f"{path}/{asked.json['id']}", b"", admin).status == 204
    assert get(path, **admin).json["results"] == []


def test_a_member_swaps_his_own_shifts(acme, admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}/swaps"
    bob = Client()
    bob.force_login(acme.user("bob"))
    mine = SPAN | {"beneficiary": people["bob"]}
    assert bob.post(path, mine, content_type="application/json").status_code == 201
    theirs = SPAN | {"beneficiary": people["alice"]}
    assert bob.post(path, theirs, content_type="application/json").status_code == 403
    asked = post(path, theirs, **admin).json
    taken = f"{path}/{asked['id']}/taken"
    assert bob.post(taken, {}, content_type="application/json").status_code == 200
    assert names(admin, row, MONDAY + timedelta(hours=1)) == ["Bob"]


def test_temporary_schedules_alone_count_in_their_range(admin, people):
    row = made(admin, people)
    path = f"{SCHEDULES}/{row['id']}/temporaries"
    shift = {
        "member": people["vera"],
        "starts_at": "2026-01-05T10:00:00Z",
        "ends_at": "2026-01-05T11:00:00Z",
    }
    put = post(path, SPAN | {"note": "Fair", "shifts": [shift]}, **admin)
    assert put.status == 201, put.body
    assert put.json["shifts"] == [shift]
    assert names(admin, row, MONDAY + timedelta(minutes=90)) == ["Vera"]
    assert names(admin, row, MONDAY + timedelta(minutes=150)) == []
    assert get(path, **admin).json["results"] == [put.json]
    assert call("DELETE", f"{path}/{put.json['id']}", b"", admin).status == 204
    assert names(admin, row, MONDAY + timedelta(minutes=150)) == ["Alice"]


def test_reading_needs_read_and_writing_admin(mint, acme, admin, people):
    row = made(admin, people)
    reading, acting = bearer(mint(acme, "read")), bearer(mint(acme, "read", "act"))
    assert get(f"{API}/on_call", **reading).status == 200
    one = f"{SCHEDULES}/{row['id']}"
    for headers in (reading, acting):
        assert post(SCHEDULES, {"name": "x"}, **headers).status == 403
        assert write("PATCH", one, {"name": "x"}, headers).status == 403
        assert call("DELETE", one, b"", headers).status == 403
        assert post(f"{one}/overrides", SPAN, **headers).status == 403
        assert post(f"{one}/temporaries", SPAN, **headers).status == 403
        for what in ("overrides", "temporaries"):
            path = f"{one}/{what}/{uuid7()}"
            assert write("PATCH", path, {"note": "x"}, headers).status == 403
    assert get(f"{API}/on_call").status == 401
