"""How is a rotation written, and does whoever is on call stay so?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from alertcenter.alerts.lifecycle import database_time
from escalation import oncall
from escalation.models import Layer, Schedule, Turn
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def order(acme) -> Schedule:
    """Alice has had the first week, Bob has the second."""
    with in_tenant(acme.id):
        return oncall.make(
            acme.id,
            "Ops",
            [acme.members["alice"], acme.members["bob"]],
            starts_on=(database_time() - WEEK - timedelta(days=2)).date(),
        )


def layer_of(order: Schedule) -> Layer:
    with in_tenant(order.tenant_id):
        return Layer.objects.get(schedule=order)


def given(order: Schedule, people: list, **more) -> dict[str, object]:
    """Return the form of the order's layer, with these in its turns."""
    layer = layer_of(order)
    data: dict[str, object] = {
        "schedule": str(order.pk),
        "name": "Weeks",
        "level": "0",
        "holidays": "any",
        "every": str(layer.every),
        "frequency": layer.frequency,
        "starts_on": layer.starts_on.isoformat(),
        "handoff": "09:00",
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "turns-TOTAL_FORMS": str(len(people)),
        "turns-INITIAL_FORMS": "0",
        "turns-MIN_NUM_FORMS": "0",
        "turns-MAX_NUM_FORMS": "1000",
    }
    for number, (place, member) in enumerate(people):
        data[f"turns-{number}-position"] = str(place)
        data[f"turns-{number}-member"] = str(member.pk)
    return data | more


def change(order: Schedule) -> str:
    return reverse("admin:escalation_layer_change", args=[layer_of(order).pk])


def now_on_call(order: Schedule, later: timedelta = timedelta()) -> str:
    with in_tenant(order.tenant_id):
        return oncall.names_of(oncall.on_call(order, database_time() + later))


def drop_turns(order: Schedule) -> None:
    with in_tenant(order.tenant_id):
        Turn.objects.filter(layer__schedule=order).delete()


def test_turns_that_are_put_in_front_leave_on_call_who_is(alice, order, acme):
    vera = acme.members["vera"]
    assert now_on_call(order) == "Bob"
    with in_tenant(acme.id):
        turns = list(Turn.objects.filter(layer__schedule=order))
    data = given(order, [(1, vera)])
    data |= {"turns-TOTAL_FORMS": "3", "turns-INITIAL_FORMS": "2"}
    for number, turn in enumerate(turns):
        data[f"turns-{number}-id"] = str(turn.pk)
        data[f"turns-{number}-position"] = str(number + 2)
        data[f"turns-{number}-member"] = str(turn.member_id)
    data |= {"turns-2-position": "1", "turns-2-member": str(vera.pk)}
    assert alice.post(change(order), data).status_code == 302
    assert now_on_call(order) == "Bob"
    assert [now_on_call(order, WEEK * n) for n in (1, 2, 3)] == ["Vera", "Alice", "Bob"]


def test_hours_are_rows_and_days_are_ticked(alice, order):
    data = given(order, [], weekdays=["mon", "tue", "sat"], lasts="8h")
    data |= {
        "hours-0-days": ["mon", "tue"],
        "hours-0-begins": "09:00",
        "hours-0-ends": "17:30",
        "hours-1-days": ["sat"],
        "hours-1-begins": "22:00",
        "hours-1-ends": "",
        "hours-2-begins": "10:00",
        "hours-2-gone": "1",
    }
    assert alice.post(change(order), data).status_code == 302
    layer = layer_of(order)
    assert layer.weekdays == ["mon", "tue", "sat"]
    assert layer.lasts_minutes == 480
    assert layer.hours == [
        {"days": ["mon", "tue"], "begins": "09:00", "ends": "17:30"},
        {"days": ["sat"], "begins": "22:00", "ends": "00:00"},
    ]
    shown = alice.get(change(order)).content.decode()
    assert 'name="hours-1-begins" value="22:00"' in shown
    assert 'value="8h"' in shown
    cleared = given(order, [])
    assert alice.post(change(order), cleared).status_code == 302
    assert (layer_of(order).hours, layer_of(order).lasts_minutes) == ([], None)


def test_what_is_no_time_is_told_at_its_field(alice, order):
    refused: list[dict[str, Any]] = [
        {"hours-0-begins": "25:00"},
        {"weekdays": []},
        {"ends_on": "2020-01-01"},
        {"lasts": "soon"},
    ]
    for wrong in refused:
        answer = alice.post(change(order), given(order, [], **wrong))
        assert answer.status_code == 200, wrong
        assert b"errornote" in answer.content


def preview(client, order: Schedule, data: dict[str, object]):
    address = reverse("admin:escalation_layer_preview")
    return client.post(f"{address}?layer={layer_of(order).pk}", data)


def test_the_preview_shows_four_weeks_and_saves_nothing(alice, order, acme):
    vera, bob = acme.members["vera"], acme.members["bob"]
    answer = preview(alice, order, given(order, [(1, vera), (2, bob), (2, vera)]))
    assert answer.status_code == 200
    assert len(answer.context["days"]) == 28
    layer, final = answer.context["rows"]
    now = database_time().timestamp() * 1000
    there = {
        bar.title.partition(":")[0]
        for bar in layer.bars
        if bar.starts <= now < bar.ends
    }
    assert there == {"Bob", "Vera"}
    assert len(final.bars) == len(layer.bars)
    assert now_on_call(order) == "Bob"
    assert layer_of(order).name == ""


def test_the_preview_of_half_a_form_says_what_is_missing(alice, order):
    answer = preview(alice, order, given(order, [], starts_on=""))
    assert answer.status_code == 200
    assert b"This field is required" in answer.content
    odd = {"turns-0-position": "x", "turns-0-member": "y"}
    assert preview(alice, order, given(order, []) | odd).status_code == 200
    assert alice.post(reverse("admin:escalation_layer_preview"), {}).status_code == 200


def test_nobody_else_previews(bob, charlie, globex, order):
    assert preview(bob, order, given(order, [])).status_code == 403
    assert preview(charlie, order, given(order, [])).status_code == 404


def test_a_new_layer_leads_back_to_the_calendar(alice, order, acme):
    data = given(order, [(1, acme.members["vera"])], level="2")
    answer = alice.post(reverse("admin:escalation_layer_add"), data | {"_save": "1"})
    assert answer.url.endswith(f"{order.pk}/calendar/")
    assert now_on_call(order) == "Vera"


def test_empty_rows_are_turns_of_their_own(alice, order):
    answer = alice.get(change(order))
    (formset,) = [f.formset for f in answer.context["inline_admin_formsets"]]
    places = [form["position"].value() for form in formset.forms]
    assert places == [1, 2, 3, 4]
    assert alice.get(reverse("admin:escalation_layer_add")).status_code == 200
