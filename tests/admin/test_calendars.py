"""Who writes when people are there, imports calendars, and makes private ones?"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from escalation import oncall
from escalation.models import Absence, Availability, CalendarFeed, CalendarImport
from tenants.fields import reveal
from tenants.models import Audit, Member
from tenants.rls import in_tenant
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SECRET = "webcal://cal.example/private-7391"


@pytest.fixture
def order(acme):
    with in_tenant(acme.id):
        return oncall.make(
            acme.id, "Ops", [acme.members["bob"]], starts_on=date(2026, 1, 1)
        )


def add(model: str) -> str:
    return reverse(f"admin:escalation_{model}_add")


def availability(acme: Cast, name: str, **more: Any) -> dict[str, Any]:
    return {
        "member": acme.members[name].pk,
        "hours-0-days": ["mon", "tue", "wed", "thu", "fri"],
        "hours-0-begins": "09:00",
        "hours-0-ends": "17:00",
        "holiday_country": "DE",
        "holiday_subdivision": "by",
        "skills": "database, network, database",
        "calendar": SECRET,
    } | more


def test_a_member_writes_his_own_availability_and_nobody_elses(acme, bob):
    page = reverse("admin:my_availability")
    assert bob.get(page).headers["Location"] == add("availability")
    assert bob.get(add("availability")).status_code == 200
    answer = bob.post(add("availability"), availability(acme, "bob"))
    assert answer.status_code == 302, answer.content.decode()
    with in_tenant(acme.id):
        row = Availability.objects.get()
        assert row.member == acme.members["bob"]
        assert row.hours[0] == {
            "days": ["mon", "tue", "wed", "thu", "fri"],
            "begins": "09:00",
            "ends": "17:00",
        }
        assert (row.holiday_subdivision, row.skills) == ("BY", ["database", "network"])
        assert reveal(row, "absences_url") == SECRET
        changed = reverse("admin:escalation_availability_change", args=[row.pk])
        assert Audit.objects.filter(action="availability.create").count() == 1
    shown = bob.get(bob.get(page).headers["Location"]).content.decode()
    assert 'name="hours-0-begins" value="09:00"' in shown
    assert "7391" not in shown
    assert bob.post(changed, availability(acme, "bob", calendar="")).status_code == 302
    with in_tenant(acme.id):
        assert reveal(Availability.objects.get(), "absences_url") == SECRET
    answer = bob.post(add("availability"), availability(acme, "alice"))
    assert answer.status_code == 403


def test_who_configures_writes_everybodys_and_a_colleague_does_not(acme, alice, vera):
    assert alice.post(add("availability"), availability(acme, "bob")).status_code == 302
    with in_tenant(acme.id):
        pk = Availability.objects.get().pk
    changed = reverse("admin:escalation_availability_change", args=[pk])
    assert vera.post(changed, availability(acme, "bob")).status_code == 403


def test_forgetting_the_calendar_takes_what_was_read_and_leaves_what_was_written(
    acme, bob
):
    bob.post(add("availability"), availability(acme, "bob"))
    times = {"starts_at": "2026-12-01T00:00Z", "ends_at": "2026-12-02T00:00Z"}
    with in_tenant(acme.id):
        row = Availability.objects.get()
        for uid in ("", "x"):
            Absence.objects.create(
                tenant_id=acme.id, member=acme.members["bob"], uid=uid, **times
            )
    changed = reverse("admin:escalation_availability_change", args=[row.pk])
    bob.post(changed, availability(acme, "bob", calendar="", forget="on"))
    with in_tenant(acme.id):
        assert Availability.objects.get().absences_url is None
        assert [one.uid for one in Absence.objects.all()] == [""]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("holiday_country", "ZZ", "valid choice"),
        ("holiday_subdivision", "Bavaria", "is not known. Known are: BB, BE"),
        ("hours-0-begins", "9-5", "9-5 is no time such as 09:00"),
        ("hours-0-ends", "26:00", "26:00 is no time such as 09:00"),
        ("calendar", "ftp://x/y", "begins with https://"),
        ("calendar", "javascript:alert(1)", "begins with https://"),
        ("skills", "x" * 60, "short words"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(acme, bob, field, value, said):
    given = availability(acme, "bob", **{field: value})
    page = bob.post(add("availability"), given)
    assert page.status_code == 200
    assert said in page.content.decode()


def test_a_member_writes_absences_and_a_calendars_are_left_alone(acme, bob, alice):
    form = {
        "member": acme.members["bob"].pk,
        "starts_at": "2026-12-01T00:00",
        "ends_at": "2026-12-24T00:00",
        "note": "<b>sea</b>",
    }
    assert bob.post(add("absence"), form).status_code == 302
    with in_tenant(acme.id):
        row = Absence.objects.get()
        Absence.objects.update(uid="from-a-calendar")
    page = reverse("admin:escalation_absence_change", args=[row.pk])
    assert "<b>sea" not in bob.get(page).content.decode()
    for person in (bob, alice):
        assert person.post(page, form).status_code == 403


def test_an_absence_is_by_the_clock_of_who_is_away(acme, alice):
    """Also in the hour that comes twice: it ends with the second."""
    with in_tenant(acme.id):
        Member.objects.filter(pk=acme.members["bob"].pk).update(
            time_zone="America/New_York"
        )
    form = {
        "member": acme.members["bob"].pk,
        "starts_at": "2026-11-01T01:30",
        "ends_at": "2026-11-01T01:30",
    }
    assert alice.post(add("absence"), form).status_code == 302
    with in_tenant(acme.id):
        row = Absence.objects.get()
    assert row.starts_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert row.ends_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    page = reverse("admin:escalation_absence_change", args=[row.pk])
    assert 'value="2026-11-01T01:30"' in alice.get(page).content.decode()


def test_an_import_keeps_its_address_secret_and_says_what_is_wrong(
    acme, alice, bob, order
):
    form = {"schedule": order.pk, "address": SECRET}
    assert bob.post(add("calendarimport"), form).status_code == 403
    missing = alice.post(add("calendarimport"), form | {"address": ""})
    assert "Give the calendar" in missing.content.decode()
    assert alice.post(add("calendarimport"), form).status_code == 302
    with in_tenant(acme.id):
        row = CalendarImport.objects.get()
        assert reveal(row, "url") == SECRET
        CalendarImport.objects.update(
            error="status\n503", failures=4, unknown=["<i>carol</i>"]
        )
    page = reverse("admin:escalation_calendarimport_change", args=[row.pk])
    shown = alice.get(page).content.decode()
    assert "answered with the status 503" in shown
    assert "&lt;i&gt;carol" in shown
    assert "7391" not in shown
    alice.post(reverse("admin:escalation_calendarimport_read_now", args=[row.pk]))
    with in_tenant(acme.id):
        assert (CalendarImport.objects.get().failures) == 0


def address_in(page: str) -> str:
    found = re.search(r'id="new-feed">([^<]+)<', page)
    assert found, page
    return found[1]


def test_a_feeds_address_is_shown_once_and_deleting_it_revokes(acme, alice, order):
    shown = alice.get(
        reverse("admin:escalation_schedule_change", args=[order.pk])
    ).content.decode()
    assert f"{add('calendarfeed')}?schedule={order.pk}" in shown
    answer = alice.post(add("calendarfeed"), {"schedule": order.pk, "member": ""})
    path = address_in(answer.content.decode()).partition("/calendar/")[2]
    assert Client().get(f"/calendar/{path}").status_code == 200
    with in_tenant(acme.id):
        feed = CalendarFeed.objects.get()
    page = reverse("admin:escalation_calendarfeed_change", args=[feed.pk])
    assert path[:20] not in alice.get(page).content.decode()
    removal = reverse("admin:escalation_calendarfeed_delete", args=[feed.pk])
    assert alice.post(removal, {"post": "yes"}).status_code == 302
    assert Client().get(f"/calendar/{path}").status_code == 404
    with in_tenant(acme.id):
        acts = Audit.objects.filter(object_kind="calendarfeed").order_by("id")
        assert [a.action for a in acts] == [
            "calendarfeed.create", "calendarfeed.revoke",
        ]  # fmt: skip


def test_a_member_makes_a_feed_of_his_own_shifts_only(acme, bob, order):
    own, other = (acme.members[name].pk for name in ("bob", "alice"))
    assert bob.post(add("calendarfeed"), {"schedule": order.pk}).status_code == 403
    assert bob.post(add("calendarfeed"), {"member": other}).status_code == 403
    answer = bob.post(add("calendarfeed"), {"member": own})
    assert "/calendar/" in address_in(answer.content.decode())


def test_feeds_of_nothing_and_too_many_are_refused(acme, alice, order):
    page = alice.post(add("calendarfeed"), {"schedule": "", "member": ""})
    assert "Choose a schedule" in page.content.decode()
    for _n in range(20):
        alice.post(add("calendarfeed"), {"schedule": order.pk})
    page = alice.post(add("calendarfeed"), {"schedule": order.pk})
    assert "revoke some" in page.content.decode()


def test_what_a_calendar_calls_an_absence_is_its_owners_and_the_configurers(
    acme, alice, bob, vera
):
    with in_tenant(acme.id):
        row = Absence.objects.create(
            tenant_id=acme.id,
            member=acme.members["bob"],
            starts_at="2026-12-01T00:00Z",
            ends_at="2026-12-02T00:00Z",
            note="oncologist",
            uid="from-a-calendar",
        )
    rows = reverse("admin:escalation_absence_changelist")
    page = reverse("admin:escalation_absence_change", args=[row.pk])
    for address in (rows, page):
        for person, sees in ((bob, True), (alice, True), (vera, False)):
            answer = person.get(address)
            assert answer.status_code == 200
            assert ("oncologist" in answer.content.decode()) is sees
    found = vera.get(f"{rows}?q=oncologist").content.decode()
    assert page not in found
