"""Teams and service levels over the API."""

from __future__ import annotations

import json

import pytest

from alertcenter.common.ids import uuid7
from escalation import sla
from escalation.models import SlaTarget
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
TEAMS, LEVELS = f"{API}/teams", f"{API}/service_levels"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def admin(mint, acme) -> dict[str, str]:
    return bearer(mint(acme, "read", "act", "admin"))


@pytest.fixture
def people(acme) -> dict[str, str]:
    return {name: str(member.pk) for name, member in acme.members.items()}


def write(method, path, body, headers):
    return call(method, path, json.dumps(body).encode(), JSON | headers)


def done(acme, kind: str) -> list[str]:
    with in_tenant(acme.id):
        rows = Audit.objects.filter(object_kind=kind).order_by("id")
        return [row.action.partition(".")[2] for row in rows]


def test_a_team_is_written_whole_changed_and_deleted(acme, admin, people):
    given = {"name": "DBA", "members": [people["vera"], people["alice"]]}
    made = post(TEAMS, given, **admin)
    assert made.status == 201, made.body
    path = f"{TEAMS}/{made.json['id']}"
    assert made.json == {"id": made.json["id"]} | given
    assert get(path, **admin).json == made.json
    assert get(TEAMS, **admin).json["results"] == [made.json]
    named = write("PATCH", path, {"name": "Databases"}, admin)
    assert named.json == made.json | {"name": "Databases"}
    twice = [people["bob"], people["alice"], people["bob"]]
    changed = write("PATCH", path, {"members": twice}, admin)
    assert changed.json["members"] == [people["bob"], people["alice"]]
    assert write("PATCH", path, {"members": []}, admin).json["members"] == []
    assert call("DELETE", path, b"", admin).status == 204
    assert get(path, **admin).status == 404
    assert done(acme, "team") == ["create", "change", "change", "change", "delete"]


def test_what_is_no_team_is_refused(acme, globex, admin, people):
    post(TEAMS, {"name": "DBA"}, **admin)
    charlie = str(next(iter(globex.members.values())).pk)
    for wrong in (
        {},
        {"name": ""},
        {"name": "DBA"},
        {"name": "x" * 101},
        {"name": "Net", "members": [str(uuid7())]},
        {"name": "Net", "members": [charlie]},
        {"name": "Net", "members": "all"},
        {"name": "Net", "members": [people["bob"]] * 201},
    ):
        assert post(TEAMS, wrong, **admin).status == 400, wrong
    assert len(get(TEAMS, **admin).json["results"]) == 1


def test_service_levels_are_put_listed_and_deleted(acme, admin):
    path = f"{LEVELS}/critical"
    put = write("PUT", path, {"acknowledge_seconds": 300}, admin)
    assert put.status == 200, put.body
    expected = {"acknowledge_seconds": 300, "resolve_seconds": None}
    assert put.json == {"severity": "critical"} | expected
    with in_tenant(acme.id):
        assert sla.targets(acme.id) == {5: (300, None)}
    put = write("PUT", path, {"resolve_seconds": 3600}, admin)
    assert put.json["acknowledge_seconds"] is None, "what is left out is none"
    write("PUT", f"{LEVELS}/warning", {"resolve_seconds": 86400}, admin)
    found = get(LEVELS, **admin).json["results"]
    assert [one["severity"] for one in found] == ["critical", "warning"]
    assert call("DELETE", path, b"", admin).status == 204
    assert call("DELETE", path, b"", admin).status == 404
    assert done(acme, "slatarget") == ["create", "change", "create", "delete"]


def test_what_is_no_service_level_is_refused(acme, admin):
    for wrong in (
        {},
        {"acknowledge_seconds": None, "resolve_seconds": None},
        {"acknowledge_seconds": 0},
        {"acknowledge_seconds": -1},
        {"resolve_seconds": 31 * 86_400},
        {"resolve_seconds": "soon"},
    ):
        assert write("PUT", f"{LEVELS}/critical", wrong, admin).status == 400, wrong
    given = {"resolve_seconds": 60}
    assert write("PUT", f"{LEVELS}/dreadful", given, admin).status == 404
    with in_tenant(acme.id):
        assert not SlaTarget.objects.exists()


def test_reading_needs_read_and_writing_admin(mint, acme, admin):
    team = post(TEAMS, {"name": "DBA"}, **admin).json
    acting = bearer(mint(acme, "read", "act"))
    for path in (TEAMS, f"{TEAMS}/{team['id']}", LEVELS):
        assert get(path, **acting).status == 200
        assert get(path).status == 401
    assert post(TEAMS, {"name": "Net"}, **acting).status == 403
    one = f"{TEAMS}/{team['id']}"
    assert write("PATCH", one, {"name": "Net"}, acting).status == 403
    assert call("DELETE", one, b"", acting).status == 403
    level = f"{LEVELS}/critical"
    assert write("PUT", level, {"resolve_seconds": 60}, acting).status == 403
    assert call("DELETE", level, b"", acting).status == 403
