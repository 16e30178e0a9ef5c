"""When are calendars read, and what stands after it? Against a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models.functions import Now

from alertcenter.alerts.lifecycle import database_time
from escalation import calendar_reading, ical_in, oncall
from escalation.calendar_fetch import MOST_REDIRECTS
from escalation.calendar_people import people_of, shifts_of
from escalation.calendar_words import said
from escalation.hours import Span
from escalation.models import Absence, Availability, CalendarImport, ImportedShift
from notifications.models import Delivery
from tenants.models import Member
from tenants.rls import in_tenant
from tests.cast import Cast, make_member
from tests.escalation import icals
from tests.escalation.icals import calendar, one, shift
from tests.fakes.calendars import FakeCalendars
from tests.fakes.tool import LOOPBACK

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _reached(settings, as_engine) -> None:
    settings.OUTBOUND_ALLOW = LOOPBACK


@pytest.fixture
def server() -> Iterator[FakeCalendars]:
    with FakeCalendars() as fake:
        yield fake


@pytest.fixture
def now(acme) -> datetime:
    with in_tenant(acme.id):
        return database_time().replace(minute=0, second=0, microsecond=0)


def imported(acme: Cast, url: str, **more: object) -> CalendarImport:
    """Write a schedule of nobody, which alice owns, with this calendar."""
    with in_tenant(acme.id):
        schedule = oncall.make(
            acme.id,
            "Ops",
            [],
            owner=acme.members["alice"],
            starts_on=date(2026, 1, 1),
        )
        return CalendarImport.objects.create(
            tenant_id=acme.id, schedule=schedule, url=url, **more
        )


def read(acme: Cast, *rows: CalendarImport | Availability) -> int:
    """Let these be due, and do what is due, in this process."""
    with in_tenant(acme.id):
        for row in rows:
            type(row).objects.filter(pk=row.pk).update(due_at=Now())
    return calendar_reading.read_due(ical_in.read)


def shifts(acme: Cast) -> list[tuple[str, int, datetime, datetime]]:
    with in_tenant(acme.id):
        rows = ImportedShift.objects.order_by("starts_at", "member__name")
        return list(rows.values_list("member__name", "level", "starts_at", "ends_at"))


def fresh(row: CalendarImport) -> CalendarImport:
    with in_tenant(row.tenant_id):
        return type(row).objects.get(pk=row.pk)


def test_a_calendars_shifts_are_who_is_on_call(acme, server, now):
    server.body = calendar(
        shift("Bob", now, now + HOUR),
        shift("[L2] ALICE@acme.example", now + HOUR, now + 2 * HOUR),
        shift("alice, bob", now + 2 * HOUR, now + 3 * HOUR),
        shift("carol", now + 3 * HOUR, now + 4 * HOUR),
    )
    row = imported(acme, f"{server.url}/secret.ics")
    assert read(acme) == 1  # new ones are due at once
    assert shifts(acme) == [
        ("Bob", 0, now, now + HOUR),
        ("Alice", 2, now + HOUR, now + 2 * HOUR),
        ("Alice", 0, now + 2 * HOUR, now + 3 * HOUR),
        ("Bob", 0, now + 2 * HOUR, now + 3 * HOUR),
    ]
    row = fresh(row)
    assert (row.error, row.unknown, row.failures) == ("", ["carol"], 0)
    assert row.fetched_at is not None
    assert row.due_at > row.fetched_at
    with in_tenant(acme.id):
        names = [
            oncall.names_of(oncall.on_call(row.schedule, now + n * HOUR))
            for n in range(4)
        ]
    assert names == ["Bob", "Alice", "Alice, Bob", ""]
    assert calendar_reading.read_due(ical_in.read) == 0


def test_the_vendors_calendars_name_our_people(acme):
    within = Span(datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    with in_tenant(acme.id):
        people = people_of(acme.id)
    for text in (icals.GOOGLE, icals.APPLE, icals.ONCALL, icals.PAGERDUTY):
        events = ical_in.read(text, ZoneInfo("UTC"), within)
        found, unknown = shifts_of(events, people)
        assert found, text
        assert not unknown, text


def test_what_is_replaced_is_replaced_as_a_whole_and_the_rest_keeps_its_rows(
    acme, server, now
):
    kept = shift("bob", now, now + HOUR)
    server.body = calendar(kept, shift("alice", now + HOUR, now + 2 * HOUR))
    row = imported(acme, server.url)
    read(acme, row)
    with in_tenant(acme.id):
        first = set(ImportedShift.objects.values_list("pk", "member__name"))
    server.body = calendar(kept, shift("alice", now + 5 * HOUR, now + 6 * HOUR))
    read(acme, row)
    assert [s[2] for s in shifts(acme)] == [now, now + 5 * HOUR]
    with in_tenant(acme.id):
        again = set(ImportedShift.objects.values_list("pk", "member__name"))
    assert [name for _pk, name in first & again] == ["Bob"]


def test_what_has_not_changed_is_not_read_again(acme, server, now):
    server.body = calendar(shift("bob", now, now + HOUR))
    row = imported(acme, server.url)
    calls: list[int] = []

    def reader(*given):
        calls.append(1)
        return ical_in.read(*given)

    def again() -> None:
        with in_tenant(acme.id):
            CalendarImport.objects.filter(pk=row.pk).update(due_at=Now())
        assert calendar_reading.read_due(reader) == 1

    again()
    again()
    assert "if-none-match" in server.asked[-1][1]  # answered with 304
    server.tags = False
    again()
    assert len(calls) == 1
    with in_tenant(acme.id):  # a new person may be who was unknown
        Member.objects.filter(pk=acme.members["vera"].pk).update(name="Verena")
    again()
    assert len(calls) == 2
    assert "if-none-match" not in server.asked[-1][1]


def test_members_who_share_a_name_are_nobody_and_the_inactive_too(acme, server, now):
    make_member(acme.tenant, "bob2", "responder")
    with in_tenant(acme.id):
        Member.objects.filter(user__username="bob2").update(name="Bobby")
        Member.objects.filter(user__username="bob").update(name="Bobby")
        Member.objects.filter(user__username="vera").update(active=False)
    server.body = calendar(
        shift("Bobby, bob2, vera", now, now + HOUR),
    )
    row = imported(acme, server.url)
    read(acme, row)
    assert [name for name, *_ in shifts(acme)] == ["Bobby"]
    assert fresh(row).unknown == ["Bobby", "vera"]


def test_what_cannot_be_read_leaves_the_shifts_and_waits_longer_each_time(
    acme, server, now
):
    server.body = calendar(shift("bob", now, now + HOUR))
    row = imported(acme, server.url)
    read(acme, row)
    before, good = shifts(acme), fresh(row).fetched_at
    server.body = b"<html>log in</html>"
    pauses = []
    for _n in range(6):
        read(acme, row)
        found = fresh(row)
        with in_tenant(acme.id):
            pauses.append(
                round((found.due_at - database_time()) / timedelta(minutes=1))
            )
    assert pauses == [5, 10, 20, 40, 60, 60]
    assert shifts(acme) == before
    assert found.error == "none"
    assert "no calendar" in said(found.error)
    assert found.fetched_at == good
    server.body = calendar(shift("alice", now, now + HOUR))
    read(acme, row)
    found = fresh(row)
    assert (found.error, found.failures, found.told_at) == ("", 0, None)


def test_the_owner_is_told_once_after_three_failures(acme, server):
    server.status = 503
    row = imported(acme, server.url)
    told = []
    for _n in range(5):
        read(acme, row)
        with in_tenant(acme.id):
            told.append(Delivery.objects.count())
    assert told == [0, 0, 1, 1, 1]
    with in_tenant(acme.id):
        delivery = Delivery.objects.get()
    assert delivery.member_id == acme.members["alice"].pk
    assert "“Ops”" in delivery.message["title"]
    assert "503" in delivery.message["title"]
    assert server.url not in str(delivery.message)


def test_who_was_not_read_for_a_day_is_told_of_at_the_first_failure(
    acme, server, as_owner
):
    server.status = 404
    row = imported(acme, server.url)
    with in_tenant(acme.id):
        CalendarImport.objects.update(fetched_at=Now() - timedelta(hours=25))
    read(acme, row)
    with in_tenant(acme.id):
        assert Delivery.objects.count() == 1


def test_two_engines_do_not_read_the_same_calendar_at_once(acme, server):
    server.body = calendar(one())
    imported(acme, server.url)
    ready, found = Barrier(4), []

    def claim() -> None:
        ready.wait(10)
        found.append(calendar_reading.claim_one(CalendarImport, "url"))
        connection.close()

    threads = [Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in found) == 1


def test_an_address_that_changed_meanwhile_is_not_overwritten(acme, server, now):
    server.body = calendar(shift("bob", now, now + HOUR))
    row = imported(acme, server.url)

    def reader(*given):
        with in_tenant(acme.id):
            mine = CalendarImport.objects.get(pk=row.pk)
            mine.ask_anew()
            mine.save()
        return ical_in.read(*given)

    calendar_reading.read_due(reader)
    assert shifts(acme) == []
    assert fresh(row).fetched_at is None


def test_one_tenants_many_calendars_do_not_stand_before_anothers(acme, globex, server):
    server.body = calendar(one())
    row = imported(acme, server.url)
    with in_tenant(acme.id):
        for _n in range(50):
            CalendarImport.objects.create(
                tenant_id=acme.id, schedule=row.schedule, url=server.url
            )
        CalendarImport.objects.update(due_at=Now() - timedelta(days=1))
    with in_tenant(globex.id):
        theirs = oncall.make(globex.id, "Theirs", [], starts_on=date(2026, 1, 1))
        CalendarImport.objects.create(
            tenant_id=globex.id, schedule=theirs, url=server.url
        )
    turns = 0
    while (claim := calendar_reading.claim_one(CalendarImport, "url")) is not None:
        if claim.tenant_id == globex.id:
            break
        turns += 1
    assert turns < 40  # by lot: one of two each time


# --- addresses ---


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "webcal://localhost:{port}/",
    ],
)
def test_addresses_inside_are_not_asked(acme, server, settings, url):
    settings.OUTBOUND_ALLOW = []
    port = server.url.rpartition(":")[2]
    row = imported(acme, url.format(port=port))
    read(acme, row)
    assert fresh(row).error.startswith("unreachable\n")
    assert "inside" in fresh(row).error
    assert server.asked == []


def test_redirects_are_followed_each_judged_as_the_first(acme, server, now, settings):
    server.body = calendar(shift("bob", now, now + HOUR))
    server.leads_to = {"/a": "/b", "/b": f"{server.url}/c"}
    row = imported(acme, f"{server.url}/a")
    read(acme, row)
    assert len(shifts(acme)) == 1
    server.leads_to = {"/a": "http://10.0.0.1/x"}
    read(acme, row)
    assert "inside" in fresh(row).error
    for nowhere in ("file:///etc/passwd", "http://[", "https://[::1"):
        server.leads_to = {"/a": nowhere}
        read(acme, row)
        assert fresh(row).error.startswith("unreachable\n")


def test_a_circle_of_redirects_ends(acme, server):
    server.leads_to = {"/a": "/a"}
    row = imported(acme, f"{server.url}/a")
    read(acme, row)
    assert len(server.asked) == MOST_REDIRECTS + 1
    assert fresh(row).error.startswith("unreachable\n")


def test_what_nobody_foresaw_is_noted_too(acme, server, now):
    server.body = calendar(shift("bob", now, now + HOUR))
    row = imported(acme, server.url)

    def reader(*_given: object) -> list[ical_in.Event]:
        raise AttributeError("of a library")

    assert calendar_reading.read_due(reader) == 1
    assert (fresh(row).error, fresh(row).failures) == ("unreadable\nAttributeError", 1)


def test_a_calendar_without_end_is_cut_off(acme, server):
    server.body = b"BEGIN:VCALENDAR\r\n" + b"X" * (6 * 1024 * 1024)
    row = imported(acme, server.url)
    read(acme, row)
    assert fresh(row).error == "size\n5 MB"


# --- absences ---


def absences(acme: Cast) -> list[tuple[str, datetime, datetime, str]]:
    with in_tenant(acme.id):
        rows = Absence.objects.order_by("starts_at")
        return list(rows.values_list("uid", "starts_at", "ends_at", "note"))


def test_absences_are_replaced_as_a_set_and_hand_written_ones_stay(acme, server, now):
    with in_tenant(acme.id):
        bob = acme.members["bob"]
        Member.objects.filter(pk=bob.pk).update(time_zone="Europe/Berlin")
        row = Availability.objects.create(
            tenant_id=acme.id, member=bob, absences_url=f"{server.url}/bob"
        )
        Absence.objects.create(
            tenant_id=acme.id, member=bob, starts_at=now, ends_at=now + HOUR
        )
    day = (now + timedelta(days=3)).date()
    whole = (
        f"UID:v\nDTSTART;VALUE=DATE:{day:%Y%m%d}\nTRANSP:TRANSPARENT\nSUMMARY:Holiday"
    )
    server.body = calendar(
        shift("Dentist", now + HOUR, now + 2 * HOUR, uid="d"),
        shift("Lunch", now + 3 * HOUR, now + 4 * HOUR, uid="l")
        + "\nTRANSP:TRANSPARENT",
        whole,
    )
    assert read(acme, row) == 1
    found = absences(acme)
    assert [(uid, note) for uid, _b, _e, note in found] == [
        ("", ""), ("d", "Dentist"), ("v", "Holiday"),
    ]  # fmt: skip
    assert found[2][1].astimezone(ZoneInfo("Europe/Berlin")).hour == 0
    server.body = calendar(whole)
    read(acme, row)
    assert [uid for uid, *_ in absences(acme)] == ["", "v"]
    server.status = 500
    read(acme, row)
    assert [uid for uid, *_ in absences(acme)] == ["", "v"]
    with in_tenant(acme.id):
        calendar_reading.forget_absences(Availability.objects.get())
    assert [uid for uid, *_ in absences(acme)] == [""]


def test_whoever_is_absent_by_his_calendar_is_stood_in_for(acme, server, now):
    with in_tenant(acme.id):
        bob, alice = acme.members["bob"], acme.members["alice"]
        order = oncall.make(
            acme.id, "Ops", [bob, alice], starts_on=(now - timedelta(days=1)).date()
        )
        on = oncall.on_call(order, now)[0]
        row = Availability.objects.create(
            tenant_id=acme.id, member=on, absences_url=server.url
        )
    server.body = calendar(shift("Away", now - HOUR, now + HOUR))
    read(acme, row)
    with in_tenant(acme.id):
        assert oncall.on_call(order, now)[0] == (alice if on == bob else bob)


def test_without_an_address_nothing_is_asked(acme, server):
    with in_tenant(acme.id):
        Availability.objects.create(tenant_id=acme.id, member=acme.members["bob"])
    assert calendar_reading.read_due(ical_in.read) == 0
