"""Who is on call, as the database has it?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from escalation import layer_rows, oncall, rota
from escalation.hours import Span
from escalation.models import (
    Absence,
    Availability,
    CalendarImport,
    ImportedShift,
    Layer,
    Override,
    Schedule,
    Swap,
    TemporarySchedule,
    TemporaryShift,
    Turn,
)
from escalation.steps import conditions
from tenants.models import Member
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@pytest.fixture
def order(acme):
    with in_tenant(acme.id):
        people = [acme.members["alice"], acme.members["bob"]]
        yield oncall.make(acme.id, "Ops", people, starts_on=date(2026, 1, 5))


def names(order: Schedule, at: datetime) -> str:
    return oncall.names_of(oncall.on_call(order, at))


def test_members_take_turns(order):
    assert [names(order, MONDAY + WEEK * n) for n in range(3)] == [
        "Alice", "Bob", "Alice",
    ]  # fmt: skip
    assert names(order, MONDAY - HOUR) == ""
    found = oncall.everyone_on_call(order.tenant_id, MONDAY)
    assert [(o.names, o.until, o.next_names) for o in found] == [
        ("Alice", MONDAY + WEEK, "Bob")
    ]
    assert oncall.names_of(oncall.next_on_call(order, MONDAY)) == "Bob"


def test_who_is_switched_off_keeps_the_others_turns_where_they_are(order, acme):
    Member.objects.filter(pk=acme.members["alice"].pk).update(active=False)
    assert [names(order, MONDAY + WEEK * n) for n in range(2)] == ["Bob", "Bob"]


def test_who_is_switched_off_is_away_also_beside_absences_of_his_own(order, acme):
    alice = acme.members["alice"]
    mine = {"tenant_id": acme.id, "member": alice}
    Absence.objects.create(**mine, starts_at=MONDAY + DAY, ends_at=MONDAY + DAY + HOUR)
    Availability.objects.create(**mine, holiday_country="DE")
    Member.objects.filter(pk=alice.pk).update(active=False)
    at = [MONDAY, MONDAY + DAY, MONDAY + 2 * DAY, MONDAY + 2 * WEEK]
    assert {names(order, moment) for moment in at} == {"Bob"}


def test_what_changes_a_schedule_is_read_with_it(order, acme):
    own = {"tenant_id": acme.id, "schedule": order}
    alice, bob, vera = (acme.members[n] for n in ("alice", "bob", "vera"))
    Override.objects.create(
        **own, kind="add", member=vera, starts_at=MONDAY, ends_at=MONDAY + HOUR
    )
    Swap.objects.create(
        **own,
        beneficiary=alice,
        benefactor=bob,
        starts_at=MONDAY,
        ends_at=MONDAY + DAY,
    )
    Swap.objects.create(
        **own, beneficiary=alice, starts_at=MONDAY, ends_at=MONDAY + WEEK
    )
    range_ = TemporarySchedule.objects.create(
        **own, starts_at=MONDAY + 2 * DAY, ends_at=MONDAY + 3 * DAY
    )
    TemporaryShift.objects.create(
        tenant_id=acme.id,
        temporary=range_,
        member=vera,
        starts_at=MONDAY + 2 * DAY,
        ends_at=MONDAY + 2 * DAY + HOUR,
    )
    at = [MONDAY, MONDAY + HOUR, MONDAY + DAY, MONDAY + 2 * DAY]
    said = ["Bob, Vera", "Bob", "Alice", "Vera"]
    assert [names(order, moment) for moment in at] == said
    within = Span(MONDAY, MONDAY + WEEK)
    whole = oncall.load(acme.id, [order.pk], within)[order.pk]
    assert rota.gaps(whole, within) == [Span(MONDAY + 2 * DAY + HOUR, MONDAY + 3 * DAY)]


def test_calendars_add_shifts_and_overrides(order, acme):
    for overrides, level in ((False, 5), (True, 0)):
        calendar = CalendarImport.objects.create(
            tenant_id=acme.id, schedule=order, url="https://x", overrides=overrides
        )
        ImportedShift.objects.create(
            tenant_id=acme.id,
            calendar=calendar,
            member=acme.members["vera" if overrides else "bob"],
            level=level,
            starts_at=MONDAY + (HOUR if overrides else 0 * HOUR),
            ends_at=MONDAY + 2 * HOUR,
        )
    at = [MONDAY, MONDAY + HOUR, MONDAY + 2 * HOUR]
    assert [names(order, moment) for moment in at] == ["Bob", "Vera", "Alice"]


def test_the_next_stands_in_during_absences_and_own_holidays_if_wished(order, acme):
    alice = acme.members["alice"]
    mine = {"tenant_id": acme.id, "member": alice}
    Absence.objects.create(**mine, starts_at=MONDAY, ends_at=MONDAY + HOUR)
    Availability.objects.create(**mine, holiday_country="DE", holiday_subdivision="BY")
    epiphany = datetime(2026, 1, 6, 12, tzinfo=UTC)
    at = [MONDAY, MONDAY + HOUR, epiphany, epiphany + DAY]
    assert [names(order, moment) for moment in at] == ["Bob", "Alice", "Bob", "Alice"]
    order.stand_in = False
    order.save()
    assert {names(order, moment) for moment in at} == {"Alice"}


def test_layers_have_zones_levels_and_holidays_of_their_own(order, acme):
    order.holiday_country = "US"
    order.save()
    festive = Layer.objects.create(
        tenant_id=acme.id,
        schedule=order,
        level=3,
        time_zone="America/New_York",
        frequency="daily",
        starts_on=date(2026, 1, 1),
        handoff=time(0),
        holidays="only",
    )
    Turn.objects.create(tenant_id=acme.id, layer=festive, member=acme.members["vera"])
    july = datetime(2026, 7, 3, 5, tzinfo=UTC)  # the 4th is a Saturday
    assert names(order, july) == "Vera"
    assert names(order, july - 2 * HOUR) != "Vera"


def test_many_schedules_are_read_in_few_statements(
    order, acme, django_assert_max_num_queries
):
    for number in range(20):
        oncall.make(
            acme.id, f"S{number}", [acme.members["bob"]], starts_on=date(2026, 1, 1)
        )
    with django_assert_max_num_queries(12):
        found = oncall.on_call_by(acme.id, None, MONDAY)
    assert len(found) == 21
    assert all(found.values())


def test_another_tenants_schedule_is_not_there(order, globex):
    with in_tenant(globex.id):
        assert oncall.on_call_by(globex.id, [order.pk], MONDAY) == {}


# --- rows that no form has written ---


BROKEN: dict[str, dict[str, Any]] = {
    "a zone that is no more": {"time_zone": "Mars/Base"},
    "a zone that is a folder": {"time_zone": "America"},
    "hours that are none": {"hours": [{"begins": "25:00"}]},
    "hours that are no list": {"hours": "always"},
    "days that are none": {"weekdays": ["someday"]},
    "no frequency": {"frequency": "yearly"},
    "no length": {"every": 0},
    "a start in the last year": {"starts_on": date(9999, 12, 31)},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_layer_leaves_the_others_and_other_schedules_on_call(
    order, acme, what
):
    vera = acme.members["vera"]
    other = oncall.make(acme.id, "Other", [vera], starts_on=date(2026, 1, 5))
    broken = Layer.objects.create(
        tenant_id=acme.id, schedule=order, level=1, starts_on=date(2026, 1, 5)
    )
    Turn.objects.create(tenant_id=acme.id, layer=broken, member=vera)
    Layer.objects.filter(pk=broken.pk).update(**BROKEN[what])
    found = {one.schedule.name: one for one in oncall.everyone_on_call(acme.id, MONDAY)}
    assert found["Other"].members == [vera]
    # A layer of an unknown zone goes on by the world's clock; the others are left out.
    expected = "Vera" if "zone" in what else "Alice"
    assert (other.pk, found["Ops"].names) == (other.pk, expected)


def test_a_member_of_an_unknown_zone_breaks_no_schedule(order, acme):
    bob = acme.members["bob"]
    Availability.objects.create(tenant_id=acme.id, member=bob, holiday_country="DE")
    Member.objects.filter(pk=bob.pk).update(time_zone="Mars/Base")
    Schedule.objects.filter(pk=order.pk).update(time_zone="Mars/Base")
    assert names(order, MONDAY) == "Alice"


def test_a_layer_that_ends_in_the_last_year_never_ends(order):
    order.time_zone = "America/New_York"
    order.save()
    Layer.objects.update(ends_on=date(9999, 12, 31), handoff=time(20))
    assert names(order, MONDAY + DAY) == "Alice"


def test_long_layers_are_not_kept_in_memory(order, acme):
    layer = Layer.objects.get()
    Turn.objects.bulk_create(
        Turn(tenant_id=acme.id, layer=layer, member=acme.members["bob"], position=n)
        for n in range(3, 103)
    )
    before = layer_rows._known_rotation.cache_info()
    assert names(order, MONDAY) == "Alice"
    assert layer_rows._known_rotation.cache_info() == before


def test_hours_that_cannot_be_read_let_a_policy_go_on(acme):
    bob = acme.members["bob"]
    with in_tenant(acme.id):
        Availability.objects.create(
            tenant_id=acme.id, member=bob, hours=[{"begins": "25:00"}]
        )
        Member.objects.filter(pk=bob.pk).update(time_zone="Mars/Base")
        within = Span(MONDAY, MONDAY + DAY)
        assert conditions.at_work(acme.id, bob.pk, within) == [within]
