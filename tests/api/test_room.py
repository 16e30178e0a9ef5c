"""Is one too many refused, in the API and in the admin, with a sentence?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from alertcenter.alerts.lifecycle import database_time
from escalation import limits, oncall
from escalation.limits import Bound
from escalation.models import (
    Absence,
    CalendarImport,
    Layer,
    Override,
    Policy,
    Schedule,
    Step,
    Swap,
    Team,
    TeamMember,
    TemporarySchedule,
    Turn,
)
from tenants.rls import in_tenant
from tests.api.client import bearer, call, post

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
JSON = {"Content-Type": "application/json"}
HOUR = timedelta(hours=1)


@pytest.fixture
def admin(mint, acme) -> dict[str, str]:
    return bearer(mint(acme, "read", "act", "admin"))


@pytest.fixture
def order(acme) -> Schedule:
    with in_tenant(acme.id):
        return oncall.make(
            acme.id, "Ops", [acme.members["alice"]], starts_on="2026-01-05"
        )


@pytest.fixture
def alice(acme) -> Client:
    client = Client()
    client.force_login(acme.user("alice"))
    return client


def only(monkeypatch, table: str, most: int = 1) -> None:
    """Let the first bound of a table be small, the others as they are."""
    first, *others = limits.BOUNDS[table]
    small = (first._replace(most=most), *others)
    monkeypatch.setitem(limits.BOUNDS, table, small)


def layer(*turns: list[str]) -> dict[str, Any]:
    return {"starts_on": "2026-01-05", "turns": list(turns)}


def test_every_bound_counts_what_there_is_and_says_so(acme, order, monkeypatch):
    now = database_time()
    lasting = {"starts_at": now, "ends_at": now + HOUR}
    vera = acme.members["vera"]
    mine = {"tenant_id": acme.id}
    of = mine | {"schedule": order}
    new = {
        "schedule": lambda: Schedule(**mine, name="Net"),
        "layer": lambda: Layer(**of, starts_on=now.date()),
        "policy": lambda: Policy(**mine, name="Net"),
        "team": lambda: Team(**mine, name="Net"),
        "calendar_import": lambda: CalendarImport(**of, url="https://a.example/"),
        "schedule_override": lambda: Override(**of, **lasting, member=vera),
        "temporary_schedule": lambda: TemporarySchedule(**of, **lasting),
        "shift_swap": lambda: Swap(**of, **lasting, beneficiary=vera),
        "absence": lambda: Absence(**mine, **lasting, member=vera),
    }
    assert set(new) == set(limits.BOUNDS)
    with in_tenant(acme.id):
        for table, make in new.items():
            row = make()
            row.clean()
            row.save()
            for bound in limits.BOUNDS[table]:
                monkeypatch.setitem(limits.BOUNDS, table, (bound._replace(most=1),))
                with pytest.raises(ValidationError) as caught:
                    make().clean()
                assert caught.value.code == "too_many", table
                assert "There are 1 already" in caught.value.messages[0]
            row.clean()  # what is there may still be changed


def test_what_is_over_or_was_read_leaves_room(acme, order, monkeypatch):
    now, vera = database_time(), acme.members["vera"]
    past = {"starts_at": now - 2 * HOUR, "ends_at": now - HOUR}
    coming = {"starts_at": now, "ends_at": now + HOUR}
    one = {"tenant_id": acme.id, "schedule": order, "member": vera}
    bound = limits.BOUNDS["schedule_override"][1]._replace(most=1)
    monkeypatch.setitem(limits.BOUNDS, "schedule_override", (bound,))
    monkeypatch.setitem(
        limits.BOUNDS,
        "absence",
        tuple(b._replace(most=1) for b in limits.BOUNDS["absence"]),
    )
    with in_tenant(acme.id):
        for _ in range(3):
            row = Override(**one, **past)
            row.clean()
            row.save()
        Override(**one, **coming).clean()
        other = {"tenant_id": acme.id, "member": vera}
        Absence.objects.create(**other, **coming, uid="holiday@cal")
        Absence(**other, **coming).clean()


def test_a_schedule_too_many_is_refused_by_api_and_form(
    acme, admin, alice, order, monkeypatch
):
    only(monkeypatch, "schedule")
    answer = post(f"{API}/schedules", {"name": "Net"}, **admin)
    assert answer.status == 400
    assert "There are 1 already" in answer.body.decode()
    given = {
        "name": "Net",
        "time_zone": "UTC",
        "layers-TOTAL_FORMS": "0",
        "layers-INITIAL_FORMS": "0",
    }
    page = alice.post(reverse("admin:escalation_schedule_add"), given)
    assert page.status_code == 200
    assert "There are 1 already" in page.content.decode()
    with in_tenant(acme.id):
        assert Schedule.objects.count() == 1


def test_hundreds_of_thousands_of_turns_are_refused(acme, admin, order):
    vera = str(acme.members["vera"].pk)
    path = f"{API}/schedules/{order.pk}"
    # As many as a body holds, and each of the limits by one.
    for layers in (
        [layer(*([vera] for _ in range(20_000)))],
        [layer(*([vera] for _ in range(limits.MOST_TURNS + 1)))],
        [layer([vera] * (limits.MOST_TOGETHER + 1))],
        [layer(*([vera] * 20 for _ in range(limits.MOST_PLACES // 20 + 1)))],
        [layer([vera]) for _ in range(limits.MOST_LAYERS + 1)],
    ):
        body = json.dumps({"layers": layers}).encode()
        answer = call("PATCH", path, body, JSON | admin)
        assert answer.status == 400, layers[0]["turns"][:1]
    body = json.dumps({"layers": [layer(*([vera] for _ in range(200_000)))]}).encode()
    assert call("PATCH", path, body, JSON | admin).status == 413
    with in_tenant(acme.id):
        assert Turn.objects.count() == 1


def test_forms_with_too_many_rows_are_refused(acme, alice, order, monkeypatch):
    with in_tenant(acme.id):
        row = Layer.objects.get()
        vera = acme.members["vera"].pk
    rows: dict[str, Any] = {
        "turns-TOTAL_FORMS": str(limits.MOST_PLACES + 1),
        "turns-INITIAL_FORMS": "0",
    }
    given = {
        "schedule": order.pk,
        "level": 0,
        "holidays": "any",
        "every": 1,
        "frequency": "daily",
        "starts_on": "2026-01-05",
        "handoff": "09:00",
        "weekdays": ["mon"],
        "turns-0-position": 1,
        "turns-0-member": vera,
    }
    address = reverse("admin:escalation_layer_change", args=[row.pk])
    page = alice.post(address, given | rows)
    assert page.status_code == 200
    assert f"at most {limits.MOST_PLACES} forms" in page.content.decode()
    with in_tenant(acme.id):
        assert Turn.objects.count() == 1
    team = {
        "name": "DBA",
        "memberships-TOTAL_FORMS": str(limits.MOST_TEAM_MEMBERS + 1),
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-member": vera,
        "memberships-0-position": 1,
    }
    assert alice.post(reverse("admin:escalation_team_add"), team).status_code == 200
    policy = {
        "name": "Long",
        "ack_timeout_seconds": 0,
        "steps-TOTAL_FORMS": str(limits.MOST_STEPS + 1),
        "steps-INITIAL_FORMS": "0",
        "steps-0-position": 1,
        "steps-0-kind": "wait",
        "steps-0-wait_seconds": 60,
    }
    assert alice.post(reverse("admin:escalation_policy_add"), policy).status_code == 200
    with in_tenant(acme.id):
        assert not TeamMember.objects.exists()
        assert not Step.objects.exists()


def test_bounds_name_columns_that_their_tables_have():
    models = {
        model._meta.db_table: model
        for model in (
            *(Schedule, Layer, Policy, Team, CalendarImport, Override),
            *(TemporarySchedule, Swap, Absence),
        )
    }
    for table, bounds in limits.BOUNDS.items():
        names = {field.attname for field in models[table]._meta.concrete_fields}
        wanted = {bound.of for bound in bounds if bound.of}
        assert wanted <= names, table
        assert all(isinstance(bound, Bound) for bound in bounds)
