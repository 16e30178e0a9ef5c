"""Availability, absences and imported calendars over the API."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from alertcenter.alerts.lifecycle import database_time
from escalation import oncall
from escalation.models import Absence, Availability, CalendarImport, ImportedShift
from tenants.fields import reveal
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
ABSENCES = f"{API}/absences"
MINE = f"{API}/me/availability"
JSON = {"Content-Type": "application/json"}
SECRET = "https://cal.example/private-7391.ics"
OFFICE = [{"days": ["mon"], "begins": "09:00", "ends": "17:00"}]
HOUR = timedelta(hours=1)
SPAN = {"starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-05T00:00:00Z"}


@pytest.fixture
def admin(mint, acme) -> dict[str, str]:
    return bearer(mint(acme, "read", "act", "admin"))


@pytest.fixture
def people(acme) -> dict[str, str]:
    return {name: str(member.pk) for name, member in acme.members.items()}


@pytest.fixture
def vera(acme) -> Client:
    """A viewer: may do no more than write what is her own."""
    client = Client()
    client.force_login(acme.user("vera"))
    return client


@pytest.fixture
def order(acme):
    with in_tenant(acme.id):
        return oncall.make(
            acme.id, "Ops", [acme.members["alice"]], starts_on="2026-01-05"
        )


def write(method, path, body, headers):
    return call(method, path, json.dumps(body).encode(), JSON | headers)


def of(person: str) -> str:
    return f"{API}/members/{person}/availability"


def test_a_member_writes_when_she_works_and_nobody_elses(acme, vera, people):
    assert vera.get(MINE).json()["hours"] == [], "works at all hours"
    given = {
        "hours": OFFICE,
        "holiday_country": "de",
        "holiday_subdivision": "by",
        "skills": ["database", "network", "database"],
        "absences_url": SECRET,
    }
    put = vera.put(MINE, given, content_type="application/json")
    assert put.status_code == 200, put.content
    body = put.json()
    assert body == {
        "member": people["vera"],
        "hours": OFFICE,
        "holiday_country": "DE",
        "holiday_subdivision": "BY",
        "skills": ["database", "network"],
        "calendar": True,
        "fetched_at": None,
        "problem": "",
    }
    assert vera.get(MINE).json() == body
    assert vera.get(f"{API}/availability").json()["results"] == [body]
    theirs = vera.put(of(people["bob"]), given, content_type="application/json")
    assert theirs.status_code == 403
    assert vera.delete(of(people["bob"])).status_code == 403
    with in_tenant(acme.id):
        assert reveal(Availability.objects.get(), "absences_url") == SECRET
        done = Audit.objects.get(object_kind="availability")
        assert done.actor_id == people["vera"]
        assert "7391" not in json.dumps(done.data)


def test_the_calendar_stays_until_it_is_forgotten_with_what_it_said(
    acme, admin, people
):
    path = of(people["bob"])
    write("PUT", path, {"absences_url": SECRET}, admin)
    with in_tenant(acme.id):
        row = Availability.objects.get()
        row.error, row.failures = "status\n500", 3
        row.save()
        bob = {"tenant_id": acme.id, "member_id": people["bob"]}
        now = database_time()
        lasting = {"starts_at": now, "ends_at": now + HOUR}
        Absence.objects.create(**bob, **lasting, uid="trip@cal", note="Paris")
        Absence.objects.create(**bob, **lasting, note="dentist")
    kept = write("PUT", path, {"skills": ["dba"]}, admin).json
    assert kept["calendar"]
    assert "500" in kept["problem"]
    gone = write("PUT", path, {"skills": ["dba"], "absences_url": None}, admin).json
    assert (gone["calendar"], gone["problem"]) == (False, "")
    with in_tenant(acme.id):
        assert [one.note for one in Absence.objects.all()] == ["dentist"]
    assert call("DELETE", path, b"", admin).status == 204
    assert call("DELETE", path, b"", admin).status == 404
    assert get(path, **admin).json["skills"] == []


def test_a_problem_of_a_private_calendar_is_no_colleagues_business(
    acme, vera, admin, people
):
    write("PUT", of(people["bob"]), {"absences_url": SECRET}, admin)
    with in_tenant(acme.id):
        Availability.objects.update(error="unreachable\ncal.example")
    for path in (of(people["bob"]), f"{API}/availability"):
        assert b"cal.example" not in vera.get(path).content
        assert b"cal.example" in get(path, **admin).body
        assert b"7391" not in get(path, **admin).body


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": [{"days": ["never"]}]},
        {"hours": {}},
        {"holiday_country": "XX"},
        {"holiday_country": "DE", "holiday_subdivision": "Mars"},
        {"holiday_subdivision": "BY"},
        {"skills": ["x" * 51]},
        {"skills": [f"skill {n}" for n in range(51)]},
        {"absences_url": "ftp://cal.example/"},
        {"absences_url": "https://"},
        {"absences_url": "https://" + "x" * 3_000},
    ],
)
def test_what_is_no_availability_is_refused(acme, admin, people, wrong):
    assert write("PUT", of(people["bob"]), wrong, admin).status == 400
    with in_tenant(acme.id):
        assert not Availability.objects.exists()


def test_letters_that_are_none_are_refused_and_not_an_error_of_ours(
    acme, admin, people
):
    """A lone surrogate can be written in JSON, and in no answer."""
    for body in (
        b'{"hours": [{"days": ["\\ud800"]}]}',
        b'{"hours": [{"begins": "\\ud800"}]}',
        b'{"hours": [{"\\ud800": 1}]}',
        b'{"skills": ["\\ud800"]}',
        b'{"skills": ["\\u0000"]}',
        b'{"holiday_country": "\\ud800"}',
        b'{"absences_url": "https://\\ud800"}',
        b'{"absences_url": "https://[/"}',
    ):
        answer = call("PUT", of(people["bob"]), body, JSON | admin)
        assert answer.status == 400, body
    for path in (f"{API}/teams", ABSENCES):
        body = b'{"name": "\\ud800", "note": "\\ud800", "starts_at": "\\ud800"}'
        assert call("POST", path, body, JSON | admin).status == 400
    cursor = "cursor=cD1ub3QtYW4taWQ%3D"  # "p=not-an-id"
    for path in (f"{API}/availability", ABSENCES, f"{API}/teams"):
        assert get(f"{path}?{cursor}", **admin).status in (200, 404), path


def test_a_member_writes_her_own_absences_and_an_admin_everybodys(
    acme, vera, admin, people
):
    mine = vera.post(ABSENCES, SPAN | {"note": "Paris"}, content_type=JSON_TYPE)
    assert mine.status_code == 201, mine.content
    body = mine.json()
    assert (body["member"], body["note"]) == (people["vera"], "Paris")
    assert body["from_calendar"] is False
    given = SPAN | {"member": people["bob"], "note": "operation"}
    assert vera.post(ABSENCES, given, content_type=JSON_TYPE).status_code == 403
    theirs = post(ABSENCES, given, **admin)
    assert theirs.status == 201, theirs.body
    assert post(ABSENCES, SPAN, **admin).status == 400, "a key is nobody"
    shown = {one["member"]: one["note"] for one in vera.get(ABSENCES).json()["results"]}
    assert shown == {people["vera"]: "Paris", people["bob"]: ""}
    bobs = get(f"{ABSENCES}?member={people['bob']}", **admin).json["results"]
    assert bobs == [theirs.json]
    assert get(f"{ABSENCES}?member=bob", **admin).status == 400
    assert vera.delete(f"{ABSENCES}/{theirs.json['id']}").status_code == 403
    assert vera.delete(f"{ABSENCES}/{body['id']}").status_code == 204
    assert call("DELETE", f"{ABSENCES}/{theirs.json['id']}", b"", admin).status == 204
    with in_tenant(acme.id):
        assert not Absence.objects.exists()
        assert Audit.objects.filter(object_kind="absence").count() == 4


JSON_TYPE = "application/json"


def test_what_a_calendar_says_is_changed_there(acme, vera, people):
    now = database_time()
    with in_tenant(acme.id):
        row = Absence.objects.create(
            tenant_id=acme.id,
            member_id=people["vera"],
            starts_at=now,
            ends_at=now + HOUR,
            uid="no",
        )
    (shown,) = vera.get(ABSENCES).json()["results"]
    assert shown["from_calendar"] is True
    answer = vera.delete(f"{ABSENCES}/{row.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "calendar")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"starts_at": "2026-12-01T00:00:00Z"},
        {"starts_at": SPAN["ends_at"], "ends_at": SPAN["starts_at"]},
        SPAN | {"ends_at": "9999-01-01T00:00:00Z"},
        SPAN | {"note": "x" * 201},
        SPAN | {"member": "vera"},
    ],
)
def test_what_is_no_absence_is_refused(acme, vera, wrong):
    assert vera.post(ABSENCES, wrong, content_type=JSON_TYPE).status_code == 400
    with in_tenant(acme.id):
        assert not Absence.objects.exists()


def test_a_key_that_may_only_read_writes_nothing(mint, acme, admin, people):
    reading = bearer(mint(acme, "read"))
    assert get(f"{API}/availability", **reading).status == 200
    assert get(of(people["bob"]), **reading).status == 200
    assert get(MINE, **reading).status == 404
    assert write("PUT", of(people["bob"]), {}, reading).status == 403
    given = SPAN | {"member": people["bob"]}
    assert post(ABSENCES, given, **reading).status == 403
    row = post(ABSENCES, given, **admin).json
    assert call("DELETE", f"{ABSENCES}/{row['id']}", b"", reading).status == 403


def test_other_tenants_members_are_nobody(globex, admin):
    charlie = str(next(iter(globex.members.values())).pk)
    assert write("PUT", of(charlie), {}, admin).status == 404
    assert post(ABSENCES, SPAN | {"member": charlie}, **admin).status == 404
    assert get(f"{ABSENCES}?member={charlie}", **admin).json["results"] == []


# --- calendars that fill a schedule ---


def test_an_import_is_made_read_and_forgotten_and_its_address_never_shown(
    acme, admin, order
):
    path = f"{API}/schedules/{order.pk}/imports"
    made = post(path, {"url": f" {SECRET} ", "overrides": True}, **admin)
    assert made.status == 201, made.body
    one = f"{path}/{made.json['id']}"
    assert made.json == {
        "id": made.json["id"],
        "overrides": True,
        "fetched_at": None,
        "problem": "",
        "unknown": [],
    }
    with in_tenant(acme.id):
        row = CalendarImport.objects.get()
        assert reveal(row, "url") == SECRET
        now = database_time()
        row.due_at, row.failures, row.error = now + HOUR, 2, "status\n500"
        row.unknown, row.digest = ["Zoe"], "x"
        row.save()
        ImportedShift.objects.create(
            tenant_id=acme.id,
            calendar=row,
            member=acme.members["bob"],
            starts_at=now,
            ends_at=now + HOUR,
        )
    (listed,) = get(path, **admin).json["results"]
    assert (listed["unknown"], "500" in listed["problem"]) == (["Zoe"], True)
    assert get(one, **admin).json == listed
    fetch = post(f"{one}/fetch", b"", **admin)
    assert fetch.status == 202, fetch.body
    with in_tenant(acme.id):
        row = CalendarImport.objects.get()
        assert row.due_at <= database_time()
        assert (row.failures, row.digest, reveal(row, "url")) == (0, "", SECRET)
    assert call("DELETE", one, b"", admin).status == 204
    assert get(one, **admin).status == 404
    with in_tenant(acme.id):
        assert not ImportedShift.objects.exists()
        done = Audit.objects.filter(object_kind="calendarimport").order_by("id")
        assert [row.action.partition(".")[2] for row in done] == [
            "create",
            "read",
            "delete",
        ]
        assert all("7391" not in json.dumps(row.data) for row in done)


def test_what_is_no_address_is_refused_and_so_is_one_too_many(acme, admin, order):
    path = f"{API}/schedules/{order.pk}/imports"
    for wrong in ({}, {"url": ""}, {"url": "file:///etc/passwd"}, {"url": "x" * 2_001}):
        assert post(path, wrong, **admin).status == 400, wrong
    for _ in range(10):
        assert post(path, {"url": SECRET}, **admin).status == 201
    answer = post(path, {"url": SECRET}, **admin)
    assert answer.status == 400
    assert b"There are 10 already" in answer.body


def test_importing_needs_admin(mint, acme, admin, order):
    path = f"{API}/schedules/{order.pk}/imports"
    made = post(path, {"url": SECRET}, **admin).json
    acting = bearer(mint(acme, "read", "act"))
    assert get(path, **acting).status == 200
    assert post(path, {"url": SECRET}, **acting).status == 403
    assert post(f"{path}/{made['id']}/fetch", b"", **acting).status == 403
    assert call("DELETE", f"{path}/{made['id']}", b"", acting).status == 403
