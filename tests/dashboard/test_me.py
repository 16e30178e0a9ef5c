"""A member without a way into the settings sees his shifts, swaps them, and says when
he is away and works; of others he changes nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from alertcenter.common.ids import uuid7
from escalation import oncall
from escalation.models import Absence, Availability, Override, Schedule, Swap
from tenants.models import Audit
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
ME = "/t/acme/me/"


def browser(cast, name: str) -> Client:
    """A browser of somebody who has no way into the settings."""
    client = Client()
    user = cast.user(name)
    user.is_staff = False
    user.save()
    client.force_login(user)
    return client


@pytest.fixture
def bob(acme) -> Client:
    return browser(acme, "bob")


@pytest.fixture
def order(acme):
    """Bob and Alice take turns of a week; somebody is on call always."""
    with in_tenant(acme.id):
        return oncall.make(
            acme.id,
            "Night & day",
            [acme.members["bob"], acme.members["alice"]],
            starts_on=date(2026, 1, 1),
        )


def clock(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def said(response) -> str:
    return str(response.content.decode())


def swap_of(acme, order, name: str, taker: str = "") -> Swap:
    now = timezone.now()
    with in_tenant(acme.id):
        return Swap.objects.create(
            tenant_id=acme.id,
            schedule=order,
            beneficiary=acme.members[name],
            benefactor=acme.members[taker] if taker else None,
            starts_at=now + timedelta(days=1),
            ends_at=now + timedelta(days=2),
        )


def test_one_sees_ones_shifts_and_who_is_on_call(acme, bob, order):
    page = bob.get(ME)
    text = said(page)
    shifts = page.context["shifts"]
    assert 2 <= len(shifts) <= 3
    with in_tenant(acme.id):
        for shift in shifts:
            middle = shift["starts_at"] + (shift["ends_at"] - shift["starts_at"]) / 2
            assert oncall.on_call(order, middle) == [acme.members["bob"]]
    assert "Night &amp; day" in text
    assert page.context["orders"][0].names in text
    assert ME in said(bob.get("/t/acme/"))
    assert bob.get("/me/").headers["Location"] == ME


def test_an_override_counts(acme, bob, order):
    now = timezone.now()
    with in_tenant(acme.id):
        Override.objects.create(
            tenant_id=acme.id,
            schedule=order,
            kind="only",
            member=acme.members["alice"],
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=40),
        )
    page = bob.get(ME)
    assert page.context["shifts"] == []
    assert "You are not on call in the next 30 days." in said(page)


def test_a_shift_is_asked_for_and_the_request_taken_back(acme, bob, order):
    given = {"schedule": order.pk, "starts_at": clock(1), "ends_at": clock(2)}
    answer = bob.post(f"{ME}swaps/", given | {"note": "wedding"}, follow=True)
    assert "You are on call until somebody takes it." in said(answer)
    with in_tenant(acme.id):
        swap = Swap.objects.get()
        assert (swap.beneficiary, swap.benefactor) == (acme.members["bob"], None)
        assert Audit.objects.filter(action="swap.create").exists()
    bob.post(f"{ME}swaps/{swap.pk}/remove/")
    with in_tenant(acme.id):
        assert not Swap.objects.exists()


def test_somebody_takes_a_swap_and_gives_it_back(acme, bob, order):
    swap = swap_of(acme, order, "alice")
    assert "Take it" in said(bob.get(ME))
    bob.post(f"{ME}swaps/{swap.pk}/take/")
    with in_tenant(acme.id):
        swap.refresh_from_db()
        assert swap.benefactor == acme.members["bob"]
        at = swap.starts_at + timedelta(hours=1)
        assert oncall.on_call(order, at) == [acme.members["bob"]]
    assert "You took it from Alice." in said(bob.get(ME))
    bob.post(f"{ME}swaps/{swap.pk}/give-back/")
    with in_tenant(acme.id):
        swap.refresh_from_db()
        assert swap.benefactor is None


def test_what_is_taken_is_not_taken_again_nor_given_back_by_others(acme, bob, order):
    swap = swap_of(acme, order, "alice", taker="vera")
    answer = bob.post(f"{ME}swaps/{swap.pk}/take/", follow=True)
    assert "Somebody has taken them." in said(answer)
    for action in ("give-back", "remove", "steal"):
        assert bob.post(f"{ME}swaps/{swap.pk}/{action}/").status_code == 404
    with in_tenant(acme.id):
        swap.refresh_from_db()
        assert swap.benefactor == acme.members["vera"]


def test_who_may_not_act_swaps_nothing(acme, order):
    vera = browser(acme, "vera")
    swap = swap_of(acme, order, "alice")
    assert "Take it" not in said(vera.get(ME))
    assert vera.post(f"{ME}swaps/{swap.pk}/take/").status_code == 403
    given = {"schedule": order.pk, "starts_at": clock(1), "ends_at": clock(2)}
    assert vera.post(f"{ME}swaps/", given).status_code == 403
    with in_tenant(acme.id):
        assert Swap.objects.filter(benefactor=None).count() == 1


def test_an_absence_is_added_marks_shifts_and_is_removed(acme, bob, order):
    with in_tenant(acme.id):
        Schedule.objects.update(stand_in=False)
    given = {"starts_at": clock(-1), "ends_at": clock(29), "note": "<b>sea</b>"}
    text = said(bob.post(f"{ME}absences/", given, follow=True))
    assert "you are away then" in text
    assert "&lt;b&gt;sea&lt;/b&gt;" in text
    with in_tenant(acme.id):
        row = Absence.objects.get()
        assert row.member == acme.members["bob"]
        audit = Audit.objects.get(action="absence.create")
        assert "sea" not in str(audit.data)
    bob.post(f"{ME}absences/{row.pk}/remove/")
    with in_tenant(acme.id):
        assert not Absence.objects.exists()
        assert Audit.objects.filter(action="absence.delete").exists()


def test_absences_of_others_and_of_calendars_stay(acme, bob):
    now = timezone.now()
    rows = []
    with in_tenant(acme.id):
        for name, uid in (("alice", ""), ("bob", "x@calendar")):
            rows.append(
                Absence.objects.create(
                    tenant_id=acme.id,
                    member=acme.members[name],
                    starts_at=now,
                    ends_at=now + timedelta(days=1),
                    uid=uid,
                    note=f"of {name}",
                )
            )
    text = said(bob.get(ME))
    assert "of alice" not in text
    assert "of bob" in text
    codes = [bob.post(f"{ME}absences/{row.pk}/remove/").status_code for row in rows]
    assert codes == [404, 403]
    with in_tenant(acme.id):
        assert Absence.objects.count() == 2


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("", ""),
        ("x", "y"),
        ("2026-12-02T10:00", "2026-12-01T10:00"),
        ("0001-01-01T00:00", "9999-12-31T23:59"),
    ],
)
def test_times_that_are_none_are_said(acme, bob, begins, ends):
    given = {"starts_at": begins, "ends_at": ends}
    answer = bob.post(f"{ME}absences/", given, follow=True)
    assert answer.context["messages"]
    with in_tenant(acme.id):
        assert not Absence.objects.exists()


def test_times_are_by_the_members_clock(acme, bob):
    with in_tenant(acme.id):
        member = acme.members["bob"]
        member.time_zone = "Asia/Tokyo"
        member.save()
    given = {"starts_at": "2027-01-01T09:00", "ends_at": "2027-01-02T09:00"}
    bob.post(f"{ME}absences/", given)
    with in_tenant(acme.id):
        row = Absence.objects.get()
        assert row.starts_at.isoformat() == "2027-01-01T00:00:00+00:00"


def test_hours_are_written_and_forgotten(acme, bob):
    given = {
        "hours-0-days": ["mon", "tue"],
        "hours-0-begins": "09:00",
        "hours-0-ends": "17:30",
    }
    assert "Your hours are saved." in said(bob.post(f"{ME}hours/", given, follow=True))
    with in_tenant(acme.id):
        row = Availability.objects.get()
        assert row.member == acme.members["bob"]
        assert row.hours[0]["begins"] == "09:00"
        assert row.hours[0]["days"] == ["mon", "tue"]
    assert 'value="17:30"' in said(bob.get(ME))
    bob.post(f"{ME}hours/", given | {"hours-0-gone": "1"})
    with in_tenant(acme.id):
        assert Availability.objects.get().hours == []
        assert Audit.objects.filter(action="availability.change").count() == 2
    wrong = bob.post(f"{ME}hours/", given | {"hours-0-begins": "25:00"}, follow=True)
    assert "is no time such as 09:00" in said(wrong)


def test_strangers_and_operators_have_no_page_here(acme, globex, bob, operator_client):
    stranger = browser(globex, "charlie")
    assert stranger.get(ME).status_code == 404
    assert Client().get(ME).status_code == 302
    assert operator_client.get(ME).status_code == 404
    for path in (f"swaps/{uuid7()}/take/", f"absences/{uuid7()}/remove/"):
        assert bob.post(ME + path).status_code == 404
        assert bob.get(ME + path).status_code == 405


@pytest.fixture
def operator_client(db):
    client = Client()
    client.force_login(User.objects.create_superuser("root", "r@example.com", "x"))
    return client
