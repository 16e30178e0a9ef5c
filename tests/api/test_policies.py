"""Policies over the API: made, changed, asked what they would do; for one tenant."""

from __future__ import annotations

import json

import pytest

from alertcenter.common.ids import uuid7
from escalation.models import Policy, Step, StepTurn
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)
POLICIES = "/t/acme/api/v1/policies"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def admin(mint, acme) -> dict[str, str]:
    return bearer(mint(acme, "read", "admin"))


def write(method, path, body, headers):
    return call(method, path, json.dumps(body).encode(), JSON | headers)


def person(acme, name):
    return str(acme.members[name].pk)


def test_a_policy_is_made_read_changed_and_deleted_and_each_is_audited(acme, admin):
    steps = [
        {"kind": "if_severity", "params": {"severity": "error", "otherwise": "stop"}},
        {"kind": "wait", "wait_seconds": 300},
        {
            "kind": "round_robin",
            "params": {"members": [person(acme, "vera"), person(acme, "bob")]},
        },
    ]
    body = {"name": "Levels", "steps": steps, "ack_timeout_seconds": 1800}
    made = post(POLICIES, body, **admin)
    assert made.status == 201, made.body
    assert made.json["sentences"][2] == "Notify the next of Vera, Bob."
    assert made.json["weaknesses"][0]["code"] == "condition"
    path = f"{POLICIES}/{made.json['id']}"
    last = Step.objects
    with in_tenant(acme.id):
        step = last.get(kind="round_robin")
        assert step.params["members"][0] == person(acme, "vera")
        StepTurn.objects.create(tenant_id=acme.id, step_id=step.pk)
    changed = write("PATCH", path, {"steps": steps[1:], "name": "Two"}, admin)
    assert (changed.status, changed.json["name"]) == (200, "Two")
    assert [s["kind"] for s in changed.json["steps"]] == ["wait", "round_robin"]
    assert changed.json["steps"][1]["id"] == str(step.pk), "turns go on"
    assert changed.json["weaknesses"] == []
    assert get(POLICIES, **admin).json["results"][0]["ack_timeout_seconds"] == 1800
    assert call("DELETE", path, b"", admin).status == 204
    assert get(path, **admin).status == 404
    with in_tenant(acme.id):
        acts = Audit.objects.filter(action__startswith="policy.")
        found = acts.order_by("id").values_list("action", flat=True)
        assert list(found) == ["policy.create", "policy.change", "policy.delete"]


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"kind": "dance"}, "kind"),
        ({"kind": "member"}, "member"),
        ({"kind": "member", "member": str(uuid7())}, "member"),
        ({"kind": "members", "params": {"members": [str(uuid7())]}}, "members"),
        ({"kind": "hand_over", "params": {"policy": str(uuid7())}}, "policy"),
        ({"kind": "repeat", "params": {"times": 99}}, "times"),
        ({"kind": "resolve", "params": {"x": 1}}, "x"),
        ({"kind": "if_time", "params": {"days": [["mon"], {}]}}, "days"),
        ({"kind": "resolve", "params": []}, "params"),
    ],
)
def test_what_is_wrong_is_said_of_its_step_and_nothing_is_written(
    acme, admin, step, field
):
    body = {"name": "P", "steps": [{"kind": "wait", "wait_seconds": 5}, step]}
    answer = post(POLICIES, body, **admin)
    assert answer.status == 400, answer.body
    assert field in answer.body.decode()
    with in_tenant(acme.id):
        assert not Policy.objects.exists()


def test_who_would_be_told_when(acme, admin):
    body = {
        "name": "P",
        "steps": [
            {"kind": "member", "member": person(acme, "bob")},
            {"kind": "wait", "wait_seconds": 300},
            {"kind": "skilled", "params": {"label": "tech"}},
            {"kind": "repeat", "params": {"times": 1}},
        ],
    }
    path = f"{POLICIES}/{post(POLICIES, body, **admin).json['id']}/timeline"
    found = get(f"{path}?severity=info&label=tech=x", **admin).json
    assert [(e["step"], e["seconds"], e["who"]) for e in found["events"][:2]] == [
        (1, 0.0, "Bob"),
        (3, 300.0, "who has the skill of label tech"),
    ]
    assert (found["ends"], found["tells_somebody"]) == ("end", True)
    assert found["events"][1]["reason"] == "nobody"
    assert get(f"{path}?at=never", **admin).status == 400


def test_a_key_that_reads_may_not_write(acme, mint, admin):
    reader = bearer(mint(acme, "read"))
    assert post(POLICIES, {"name": "P", "steps": []}, **reader).status == 403
    assert get(POLICIES, **reader).status == 200


def test_another_tenants_key_finds_nothing(acme, globex, mint, admin):
    body = {"name": "P", "steps": [{"kind": "resolve"}]}
    pk = post(POLICIES, body, **admin).json["id"]
    stranger = bearer(mint(globex, "read", "admin"))
    for path in (POLICIES, f"{POLICIES}/{pk}", f"{POLICIES}/{pk}/timeline"):
        assert get(path, **stranger).status == 404
    mine = f"/t/globex/api/v1/policies/{pk}"
    assert get(mine, **stranger).status == 404
