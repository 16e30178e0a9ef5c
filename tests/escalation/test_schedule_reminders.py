"""Is each thing about a schedule told once, to whom it concerns, in time?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from alertcenter.alerts.lifecycle import database_time
from escalation import oncall, schedule_reminders
from escalation.models import Layer, Schedule, ScheduleNotice, Swap
from escalation.shifts import Shift
from notifications.models import Delivery
from tenants import access
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def order(acme):
    """Alice and Bob take days; Alice is the owner."""
    with in_tenant(acme.id):
        yield oncall.make(
            acme.id,
            "Ops",
            [acme.members["alice"], acme.members["bob"]],
            days=1,
            owner=acme.members["alice"],
            starts_on=(database_time() - 4 * DAY).date(),
        )


def said(acme) -> list[tuple[str, str]]:
    """Return who was told what, oldest first."""
    rows = Delivery.objects.filter(tenant_id=acme.id).order_by("id")
    return [(row.member.name, row.message["title"]) for row in rows if row.member]


def look(order: Schedule) -> None:
    Schedule.objects.filter(pk=order.pk).update(checked_at=None)
    schedule_reminders.check_tenant(order.tenant_id)


def test_a_schedule_without_holes_needs_no_word(order, acme):
    look(order)
    assert said(acme) == []


def test_gaps_are_told_to_the_owner_once(order, acme):
    layer = Layer.objects.get(schedule=order)
    layer.hours = [{"begins": "08:00", "ends": "20:00"}]
    layer.save()
    for _ in range(3):
        look(order)
    (delivery,) = Delivery.objects.filter(tenant_id=acme.id)
    assert delivery.member == acme.members["alice"]
    assert delivery.address == "alice@acme.example"
    # One of each weekday, though there are thirty nights.
    lines = delivery.message["alerts"]
    assert len(lines) == 7
    assert all("nobody is on call" in line["title"] for line in lines)
    layer.hours = [{"begins": "08:00", "ends": "18:00"}]
    layer.save()
    look(order)
    assert len(said(acme)) == 2


def test_what_was_mended_and_comes_back_is_told_again(order, acme):
    layer = Layer.objects.get(schedule=order)
    for hours in ([{"begins": "08:00"}], [], [{"begins": "08:00"}]):
        layer.hours = hours
        layer.save()
        look(order)
    told = ScheduleNotice.objects.filter(schedule=order)
    assert told.count() == 7
    layer.hours = []
    layer.save()
    look(order)
    assert told.count() == 0


def test_what_comes_back_after_more_than_a_month_is_told_again(order, acme):
    now = database_time()
    assert schedule_reminders.is_new(order, "gap/5 18:00", now)
    assert not schedule_reminders.is_new(order, "gap/5 18:00", now)
    assert not schedule_reminders.is_new(order, "gap/5 18:00", now + 7 * DAY)
    assert schedule_reminders.is_new(order, "gap/5 18:00", now + 45 * DAY)


def test_who_is_on_call_by_two_schedules_is_told_of_in_both(order, acme):
    bob = acme.members["bob"]
    other = oncall.make(
        acme.id, "Net", [bob], owner=bob, starts_on=(database_time() - DAY).date()
    )
    look(order)
    schedule_reminders.check_tenant(acme.id)
    assert {name for name, _title in said(acme)} == {"Alice", "Bob"}
    lines = [
        line["title"]
        for row in Delivery.objects.filter(tenant_id=acme.id)
        for line in row.message["alerts"]
    ]
    assert lines
    assert all("Bob is booked twice" in line for line in lines)
    other.delete()


def test_each_schedule_is_looked_at_once_an_hour(order, acme):
    schedule_reminders.check_tenant(acme.id)
    first = Schedule.objects.get(pk=order.pk).checked_at
    assert first is not None
    layer = Layer.objects.get(schedule=order)
    layer.lasts_minutes = 60
    layer.save()
    schedule_reminders.check_tenant(acme.id)
    assert said(acme) == []
    Schedule.objects.filter(pk=order.pk).update(checked_at=first - HOUR - MINUTE)
    schedule_reminders.check_tenant(acme.id)
    assert len(said(acme)) == 1


def ask(order: Schedule, acme, ahead: timedelta, asked: timedelta) -> Swap:
    now = database_time()
    swap = Swap.objects.create(
        tenant_id=acme.id,
        schedule=order,
        beneficiary=acme.members["bob"],
        starts_at=now + ahead,
        ends_at=now + ahead + DAY,
        note="Wedding",
    )
    Swap.objects.filter(pk=swap.pk).update(asked_at=now - asked)
    return swap


def test_an_open_request_is_told_to_who_could_take_it(order, acme):
    swap = ask(order, acme, 7 * DAY - MINUTE, DAY)
    for _ in range(3):
        schedule_reminders.remind_tenant_of_swaps(acme.id)
    (told,) = said(acme)
    assert told == ("Alice", "Who takes over from Bob?")
    # The next moment is three days before.
    now = database_time()
    Swap.objects.filter(pk=swap.pk).update(
        starts_at=now + 3 * DAY, reminded_at=now - 4 * DAY
    )
    schedule_reminders.remind_tenant_of_swaps(acme.id)
    assert len(said(acme)) == 2


@pytest.mark.parametrize(
    ("ahead", "asked", "due"),
    [
        (28 * DAY + MINUTE, DAY, False),
        (28 * DAY - MINUTE, DAY, True),
        (13 * DAY, DAY, False),  # asked for after the moment was over
        (12 * HOUR - MINUTE, HOUR, True),
        (HOUR, HOUR, False),
        (-HOUR, 40 * DAY, False),  # it has begun
    ],
)
def test_moments_before_a_swap(order, acme, ahead, asked, due):
    ask(order, acme, ahead, asked)
    assert schedule_reminders.remind_tenant_of_swaps(acme.id) == int(due)


def test_a_request_that_was_taken_reminds_nobody(order, acme):
    swap = ask(order, acme, 7 * DAY - MINUTE, DAY)
    Swap.objects.filter(pk=swap.pk).update(benefactor=acme.members["alice"])
    assert schedule_reminders.remind_tenant_of_swaps(acme.id) == 0


def test_a_shift_that_begins_is_told_of_once_where_the_schedule_says_so(order, acme):
    assert schedule_reminders.remind_tenant_of_shifts(acme.id) == 0
    Schedule.objects.filter(pk=order.pk).update(remind_minutes=24 * 60)
    assert schedule_reminders.remind_tenant_of_shifts(acme.id) == 1
    assert schedule_reminders.remind_tenant_of_shifts(acme.id) == 0
    ((name, title),) = said(acme)
    assert name in ("Alice", "Bob")
    assert title.startswith("Your shift “Ops” begins at")


def test_who_stays_on_call_is_reminded_of_nothing(acme):
    now = database_time()
    alice, bob = acme.members["alice"].pk, acme.members["bob"].pk
    final = [
        Shift(now - HOUR, now + HOUR, (alice,)),
        Shift(now + HOUR, now + 2 * HOUR, (alice, bob)),
    ]
    assert list(schedule_reminders.beginning(final, now)) == [(now + HOUR, bob)]


def test_what_is_long_over_is_forgotten(order, acme):
    schedule_reminders.is_new(order, "gap/1 00:00", database_time() - 40 * DAY)
    schedule_reminders.is_new(order, "gap/2 00:00", database_time())
    assert schedule_reminders.prune([acme.id]) == 1
    assert ScheduleNotice.objects.count() == 1


def test_another_tenants_rows_are_not_told_of(order, acme, globex):
    Layer.objects.filter(schedule=order).update(lasts_minutes=60)
    with in_tenant(globex.id):
        assert schedule_reminders.check_tenant(globex.id) == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM schedule_notice")
            assert cursor.fetchone() == (0,)


def test_one_tenants_broken_row_keeps_no_reminder_from_the_others(
    order, acme, globex, caplog, monkeypatch
):
    both = [(acme.id, "acme"), (globex.id, "globex")]
    monkeypatch.setattr(access, "tenants", lambda: both)

    def work(tenant_id) -> int:
        if tenant_id == acme.id:
            raise ValueError("a row that nobody foresaw")
        return 1

    assert schedule_reminders.each_tenant(work) == 1
    assert "schedules_not_looked_at" in caplog.text


def test_one_swap_that_cannot_be_told_of_keeps_no_other_from_it(order, acme):
    # As written before dates had bounds: in Alice's zone there is no such moment.
    acme.members["alice"].time_zone = "Asia/Tokyo"
    acme.members["alice"].save()
    endless = ask(order, acme, 3 * DAY + MINUTE, 8 * DAY)
    Swap.objects.filter(pk=endless.pk).update(ends_at="9999-12-31T23:59:59Z")
    ask(order, acme, 3 * DAY + MINUTE, 8 * DAY)
    schedule_reminders.remind_tenant_of_swaps(acme.id)
    assert [who for who, _title in said(acme)] == ["Alice"]
