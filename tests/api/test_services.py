"""Services over the API: list, make, change, connect, import, for one tenant only."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from alertcenter.alerts.models import Group, Service
from alertcenter.common.ids import uuid7
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.conftest import make_alert
from tests.api.client import bearer, call, get, post
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
SERVICES = f"{API}/services"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def admin(mint, acme) -> dict[str, str]:
    return bearer(mint(acme, "read", "admin"))


def write(method, path, body, headers):
    return call(method, path, json.dumps(body).encode(), JSON | headers)


def made(admin, name, **values):
    answer = post(SERVICES, {"name": name} | values, **admin)
    assert answer.status == 201, answer.body
    return answer.json


def connect(admin, service, *needs):
    path = f"{SERVICES}/{service['id']}/dependencies"
    return write("PUT", path, {"needs": [one["id"] for one in needs]}, admin)


# --- services ---


def test_a_service_is_made_read_changed_and_deleted_and_each_is_audited(acme, admin):
    row = made(admin, "Check out", tier=1, team="Payments", matchers=['team="pay"'])
    assert (row["slug"], row["tier"], row["needs"]) == ("check-out", 1, [])
    path = f"{SERVICES}/{row['id']}"
    changed = write("PATCH", path, {"tier": 2, "description": "Pays"}, admin)
    assert (changed.status, changed.json["tier"]) == (200, 2)
    read = get(path, **admin)
    assert read.json["description"] == "Pays"
    assert read.json["matchers"] == ['team="pay"']
    assert (read.json["needed_by"], read.json["severity"]) == ([], None)
    listed = get(SERVICES, **admin).json["results"]
    assert [one["slug"] for one in listed] == ["check-out"]
    assert call("DELETE", path, b"", admin).status == 204
    assert get(path, **admin).status == 404
    with in_tenant(acme.id):
        done = Audit.objects.filter(object_kind="service").order_by("id")
        assert [one.action for one in done] == [
            "service.create",
            "service.change",
            "service.delete",
        ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"slug": "two words"},
        {"tier": 5},
        {"matchers": ['a=~"(?=x)"']},
        {"matchers": ["nothing"]},
        {"matchers": ['a="b"'] * 21},
        {"runbook_url": "javascript:alert(1)"},
        {"dashboard_url": "ftp://x.example/"},
        {"owner": str(uuid7())},
        {"slug": "taken"},
    ],
)
def test_what_a_service_may_not_be_is_refused_with_a_sentence(acme, admin, wrong):
    made(admin, "Taken")
    answer = post(SERVICES, {"name": "New", "slug": "new"} | wrong, **admin)
    assert answer.status == 400, answer.body
    assert answer.sentence
    with in_tenant(acme.id):
        assert Service.objects.count() == 1


def test_a_name_of_which_no_slug_can_be_made_needs_one(admin):
    assert post(SERVICES, {"name": "…"}, **admin).status == 400
    assert made(admin, "…", slug="dots")["slug"] == "dots"


def test_a_member_of_another_tenant_cannot_be_the_owner(acme, globex, admin):
    theirs = str(globex.members["charlie"].pk)
    assert post(SERVICES, {"name": "A", "owner": theirs}, **admin).status == 400
    ours = str(acme.members["bob"].pk)
    assert made(admin, "A", owner=ours)["owner"] == ours


@pytest.mark.parametrize("scopes", [("read",), ("ingest", "read", "act")])
def test_only_a_key_that_may_configure_writes(acme, mint, admin, scopes):
    row = made(admin, "Shop")
    weak = bearer(mint(acme, *scopes, name="weak"))
    path = f"{SERVICES}/{row['id']}"
    assert get(SERVICES, **weak).status == 200
    for method, where, body in (
        ("POST", SERVICES, {"name": "B"}),
        ("PATCH", path, {"tier": 1}),
        ("DELETE", path, {}),
        ("PUT", f"{path}/dependencies", {"needs": []}),
        ("POST", f"{SERVICES}/import", {"picks": [{"label": "a", "value": "b"}]}),
    ):
        assert write(method, where, body, weak).status == 403, (method, where)


def test_open_groups_follow_at_once(acme, admin):
    with in_tenant(acme.id):
        group = make_group(acme.id, severity=4, priority=3)
        alert = make_alert(acme, 1, severity=4, labels={"service": "shop"})
        group.memberships.create(
            tenant_id=acme.id,
            alert=alert,
            episode_id=alert.episode_id or uuid7(),
            joined_at=timezone.now(),
        )
    row = made(admin, "Shop", tier=1)
    seen = get(f"{API}/groups/{group.number}", **admin).json
    assert (seen["service"], seen["priority"]) == ("shop", 2)
    assert [one["code"] for one in seen["priority_reason"]] == ["severity", "tier"]
    assert get(f"{SERVICES}/{row['id']}", **admin).json["severity"] == ("error")
    assert call("DELETE", f"{SERVICES}/{row['id']}", b"", admin).status == 204
    seen = get(f"{API}/groups/{group.number}", **admin).json
    assert (seen["service"], seen["priority"]) == (None, 3)


# --- what they need ---


def test_dependencies_are_set_as_a_whole_and_impact_is_transitive(acme, admin):
    shop, api, db = (made(admin, name) for name in ("Shop", "Api", "Db"))
    assert connect(admin, shop, api).json["needs"] == [api["id"]]
    assert connect(admin, api, db).status == 200
    needed = get(f"{SERVICES}/{db['id']}", **admin).json["needed_by"]
    assert [(one["name"], one["steps"]) for one in needed] == [("Api", 1), ("Shop", 2)]
    assert connect(admin, shop).json["needs"] == []
    with in_tenant(acme.id):
        assert Audit.objects.filter(action="service.connect").count() == 3


def test_a_circle_is_refused_with_a_sentence_that_names_it(acme, admin):
    shop, api = made(admin, "Shop"), made(admin, "Api")
    connect(admin, shop, api)
    answer = connect(admin, api, shop)
    assert (answer.status, answer.json["code"]) == (400, "cycle")
    assert "Api → Shop → Api" in answer.sentence
    assert connect(admin, api, api).json["code"] == "itself"
    assert connect(admin, api, {"id": str(uuid7())}).json["code"] == "unknown"
    assert get(f"{SERVICES}/{api['id']}", **admin).json["needs"] == []


# --- import ---


def test_labels_are_proposed_and_the_picked_become_services(acme, admin):
    with in_tenant(acme.id):
        for number, job in enumerate(("node", "node", "api"), 1):
            make_alert(acme, number, labels={"job": job})
    found = get(f"{SERVICES}/import", **admin).json["proposals"]
    assert [(one["value"], one["alerts"]) for one in found] == [("node", 2), ("api", 1)]
    picks = {"picks": [{"label": "job", "value": "node"}]}
    answer = post(f"{SERVICES}/import", picks, **admin)
    assert answer.status == 201
    (row,) = answer.json["services"]
    assert (row["slug"], row["matchers"]) == ("node", ['job="node"'])
    left = get(f"{SERVICES}/import", **admin).json["proposals"]
    assert [one["value"] for one in left] == ["api"]


# --- groups by urgency ---


def test_groups_are_read_by_urgency_page_by_page(acme, admin):
    with in_tenant(acme.id):
        now = timezone.now()
        for n in range(12):
            make_group(
                acme.id,
                priority=1 + n % 3,
                severity=4 + n % 2,
                opened_at=now - timedelta(minutes=n % 4),
                state=("firing", "acknowledged", "snoozed")[n % 3],
            )
        make_group(acme.id, priority=1, state="resolved", resolved_at=now)
        places = Group.objects.exclude(state="resolved").order_by(
            "priority", "-severity", "-opened_at", "-id"
        )
        expected = [str(pk) for pk in places.values_list("pk", flat=True)]
    path, seen, pages = f"{API}/groups?order=priority&page_size=5", [], 0
    while path:
        answer = get(path, **admin)
        assert answer.status == 200, answer.body
        seen += [row["id"] for row in answer.json["results"]]
        path, pages = answer.json["next"], pages + 1
        path = path and "/t/" + path.partition("/t/")[2]
    assert (seen, pages) == (expected, 3)


def test_groups_are_filtered_by_service_and_state_in_both_orders(acme, admin):
    with in_tenant(acme.id):
        shop = Service.objects.create(tenant_id=acme.id, slug="shop", name="Shop")
        make_group(acme.id, service=shop)
        make_group(acme.id, service=shop, state="acknowledged")
        make_group(acme.id)
    for order in ("", "&order=priority"):
        rows = get(f"{API}/groups?service=shop{order}", **admin).json["results"]
        assert [row["service"] for row in rows] == ["shop", "shop"]
        query = f"{API}/groups?service=shop&state=firing{order}"
        assert len(get(query, **admin).json["results"]) == 1
        assert get(f"{API}/groups?service=none{order}", **admin).json["results"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("order=oldest", 400),
        ("order=priority&state=resolved", 400),
        ("order=priority&cursor=x", 404),
        ("order=priority&cursor=1~5~2026-01-01T00:00:00Z~x", 404),
        ("order=priority&cursor=9999999999~5~2026-01-01T00:00:00Z~x", 404),
        ("service=%00", 400),
    ],
)
def test_an_order_or_a_cursor_that_is_none_is_refused(acme, admin, query, status):
    assert get(f"{API}/groups?{query}", **admin).status == status


def test_services_of_another_tenant_are_not_there(acme, globex, admin, foreign_key):
    row = made(admin, "Shop")
    charlie = bearer(foreign_key)
    path = f"/t/globex/api/v1/services/{row['id']}"
    assert get(path, **charlie).status == 404
    assert write("PATCH", path, {"tier": 1}, charlie).status == 404
    assert write("PUT", f"{path}/dependencies", {"needs": []}, charlie).status == 404
    theirs = post("/t/globex/api/v1/services", {"name": "Shop"}, **charlie).json
    where = f"/t/globex/api/v1/services/{theirs['id']}/dependencies"
    answer = write("PUT", where, {"needs": [row["id"]]}, charlie)
    assert (answer.status, answer.json["code"]) == (400, "unknown")
