"""Do private calendar addresses show shifts to who has them, and to nobody else?"""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import icalendar
import pytest
from django.test import Client

from alertcenter.alerts.lifecycle import database_time
from alertcenter.api import calendar, limits
from alertcenter.common.buckets import Buckets
from alertcenter.common.logs import without_tokens
from alertcenter.common.shared_buckets import SharedBuckets
from escalation import feeds, oncall
from escalation.models import CalendarFeed, Layer
from tenants.actors import THE_ENGINE
from tenants.apikeys import lookup_hash
from tenants.models import Audit, Member
from tenants.rls import in_tenant
from tests.api.client import bearer, call, get
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
API = "/t/acme/api/v1/calendars"


@pytest.fixture(autouse=True)
def _fresh_buckets(monkeypatch):
    limits.LIMITS.__init__()  # type: ignore[misc]
    monkeypatch.setattr(calendar, "READINGS", Buckets(calendar.RATE, calendar.BURST))


@pytest.fixture
def order(acme):
    """Alice and Bob, a week each, for a year or so."""
    with in_tenant(acme.id):
        people = [acme.members["alice"], acme.members["bob"]]
        starts_on = (database_time() - timedelta(days=200)).date()
        return oncall.make(acme.id, "Ops; nights", people, starts_on=starts_on)


def make(acme: Cast, schedule=None, member=None) -> str:
    with in_tenant(acme.id):
        _feed, token = feeds.make(
            acme.id, schedule=schedule, member=member, actor=THE_ENGINE
        )
    return f"/calendar/{token}.ics"


def events(body: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def test_a_schedules_feed_says_who_is_on_call_when(acme, order):
    answer = get(make(acme, order))
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "no-cache" in answer.headers["cache-control"]
    assert b"X-WR-CALNAME:On call: Ops\\; nights" in answer.body
    found = sorted(events(answer.body), key=lambda e: e.start)
    assert {str(e["SUMMARY"]) for e in found} == {"Alice", "Bob"}
    assert 29 <= len(found) <= 32
    assert all(e.end - e.start == timedelta(days=7) for e in found)
    with in_tenant(acme.id):
        now = database_time()
        for one in found:
            assert oncall.names_of(oncall.on_call(order, one.start)) == one["SUMMARY"]
    assert found[0].end > now - timedelta(days=31)
    assert found[-1].start < now + timedelta(days=182)


def test_a_members_feed_shows_own_shifts_of_all_schedules_or_of_one(acme, order):
    with in_tenant(acme.id):
        bob = acme.members["bob"]
        oncall.make(acme.id, "Other", [bob], starts_on=date(2026, 1, 1))
    both = events(get(make(acme, None, bob)).body)
    assert {str(e["SUMMARY"]) for e in both} == {
        "On call: Ops; nights",
        "On call: Other",
    }
    alone = events(get(make(acme, order, bob)).body)
    assert {str(e["SUMMARY"]) for e in alone} == {"On call: Ops; nights"}
    with in_tenant(acme.id):
        for one in alone:
            assert oncall.on_call(order, one.start) == [bob]


def test_what_has_not_changed_is_answered_with_304(acme, order):
    path = make(acme, order)
    first = get(path)
    tag = first.headers["etag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}'):
        answer = get(path, **{"If-None-Match": given})
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == tag
    with in_tenant(acme.id):
        Layer.objects.update(first_turn=1)
    second = get(path, **{"If-None-Match": tag})
    assert second.status == 200
    assert second.headers["etag"] != tag


def test_the_same_shift_is_the_same_event_also_from_another_feed(acme, order):
    one, other = (
        {e["UID"]: e.end for e in events(get(make(acme, order)).body)} for _ in "ab"
    )
    assert one == other


def test_gaps_are_shown_to_who_wants_them(acme, order):
    path = make(acme, order)
    with in_tenant(acme.id):
        Layer.objects.update(lasts_minutes=6 * 24 * 60)
    assert not any("Nobody" in e["SUMMARY"] for e in events(get(path).body))
    found = events(get(f"{path}?gaps=1").body)
    gaps = [e for e in found if e["SUMMARY"] == "Nobody is on call"]
    assert len(gaps) >= 29
    assert {e.end - e.start for e in gaps[1:-1]} == {timedelta(days=1)}


def test_an_address_without_a_feed_is_404_and_guessing_is_slowed(acme, order):
    path = make(acme, order)
    with in_tenant(acme.id):
        feeds.revoke(CalendarFeed.objects.get(), actor=THE_ENGINE)
    assert get(path).status == 404
    assert get("/calendar/x.ics").status == 404
    assert get("/calendar/").status == 404
    assert call("POST", path).status == 405
    guesses = {get(f"/calendar/{'a' * 40}{n:03}.ics").status for n in range(60)}
    assert guesses == {404, 429}


def test_who_asks_too_often_waits_and_others_do_not(acme, order):
    one, other = make(acme, order), make(acme, order)
    found = [get(one) for _ in range(35)]
    assert found[0].status == 200
    assert found[-1].status == 429
    assert int(found[-1].headers["retry-after"]) > 0
    assert get(other).status == 200


def test_use_is_noted_once_an_hour(acme, order):
    path = make(acme, order)
    get(path)
    with in_tenant(acme.id):
        first = CalendarFeed.objects.get().last_used_at
    assert first is not None
    get(path)
    with in_tenant(acme.id):
        assert CalendarFeed.objects.get().last_used_at == first
        CalendarFeed.objects.update(last_used_at=first - timedelta(hours=2))
    get(path)
    with in_tenant(acme.id):
        last = CalendarFeed.objects.get().last_used_at
    assert last is not None
    assert last > first


def test_who_has_left_sees_nothing_more(acme, order):
    path = make(acme, order, acme.members["bob"])
    assert get(path).status == 200
    with in_tenant(acme.id):
        Member.objects.filter(pk=acme.members["bob"].pk).update(active=False)
    assert get(path).status == 404


def test_a_feed_shows_its_own_tenant_only(acme, globex, order):
    with in_tenant(globex.id):
        theirs = oncall.make(
            globex.id, "Theirs", [globex.members["charlie"]], starts_on=date(2026, 1, 1)
        )
    found = events(get(make(globex, theirs)).body)
    assert {str(e["SUMMARY"]) for e in found} == {"Charlie"}


def test_names_stay_on_their_line(acme, order):
    with in_tenant(acme.id):
        Member.objects.filter(pk=acme.members["bob"].pk).update(
            name="Bob\r\nATTENDEE:mailto:x@y.z, <b>; \\n" + "ü" * 100
        )
    body = get(make(acme, order)).body
    assert b"\nATTENDEE" not in body
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    names = {str(e["SUMMARY"]) for e in events(body)}
    assert "Bob ATTENDEE:mailto:x@y.z, <b>; \\n" + "ü" * 100 in names


def test_no_log_holds_the_address(acme, order, caplog):
    path = make(acme, order)
    token = path.split("/")[2]
    assert token[:20] not in without_tokens(f"Not Found: {path}")
    with caplog.at_level(logging.DEBUG):
        get(path)
        get(path.replace("/calendar/", "/calendar/x"))
    assert token[:20] not in "".join(
        without_tokens(r.getMessage()) for r in caplog.records
    )
    with in_tenant(acme.id):
        assert token not in str(list(CalendarFeed.objects.values()))


# --- resources ---


def session(cast: Cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.user(name))
    return client


def post(client: Client, **body: object):
    return client.post(API, json.dumps(body, default=str), "application/json")


def test_a_member_makes_and_revokes_his_own(acme, order):
    bob, pk = session(acme, "bob"), acme.members["bob"].pk
    answer = post(bob, member=pk)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    path = made["url"].partition("/calendar/")[2]
    assert get(f"/calendar/{path}").status == 200
    listed = bob.get(API).json()["results"]
    assert [(one["id"], one["member"]) for one in listed] == [(made["id"], str(pk))]
    assert "url" not in listed[0]
    assert bob.delete(f"{API}/{made['id']}").status_code == 204
    assert get(f"/calendar/{path}").status == 404
    with in_tenant(acme.id):
        acts = list(
            Audit.objects.filter(object_kind="calendarfeed")
            .order_by("id")
            .values_list("action", "actor_label")
        )
    assert acts == [("calendarfeed.create", "Bob"), ("calendarfeed.revoke", "Bob")]


def test_others_and_schedules_take_the_scope_admin(acme, order, mint):
    bob = session(acme, "bob")
    alice = acme.members["alice"].pk
    assert post(bob, member=alice).status_code == 403
    assert post(bob, schedule=order.pk).status_code == 403
    assert post(bob).status_code == 400
    owner = session(acme, "alice")
    made = post(owner, schedule=order.pk)
    assert made.status_code == 201
    assert bob.get(API).json()["results"] == []
    assert bob.delete(f"{API}/{made.json()['id']}").status_code == 404
    headers = bearer(mint(acme, "read", "admin")) | {"Content-Type": "application/json"}
    answer = call(
        "POST", API, json.dumps({"schedule": str(order.pk)}).encode(), headers
    )
    assert answer.status == 201
    weak = bearer(mint(acme, "read")) | {"Content-Type": "application/json"}
    body = json.dumps({"schedule": str(order.pk)}).encode()
    assert call("POST", API, body, weak).status == 403


def test_there_is_an_end_to_feeds(acme, order):
    owner = session(acme, "alice")
    found = {post(owner, schedule=order.pk).status_code for _ in range(21)}
    assert found == {201, 400}


def test_outsiders_find_nothing(acme, globex, order):
    charlie = session(globex, "charlie")
    assert post(charlie, schedule=order.pk).status_code == 404
    theirs = "/t/globex/api/v1/calendars"
    body = json.dumps({"schedule": str(order.pk)})
    assert charlie.post(theirs, body, "application/json").status_code == 404
    body = json.dumps({"member": str(acme.members["bob"].pk)})
    assert charlie.post(theirs, body, "application/json").status_code == 404
    make(acme, order)
    with in_tenant(acme.id):
        pk = CalendarFeed.objects.get().pk
    assert charlie.delete(f"{theirs}/{pk}").status_code == 404


def test_readings_are_counted_over_all_processes(acme, order, monkeypatch):
    path = make(acme, order)
    digest = lookup_hash(path.removeprefix("/calendar/").removesuffix(".ics"))
    what = f"test-{uuid4().hex}"
    here, there = (SharedBuckets(what, rate=1 / 3600, burst=2) for _ in "ab")
    monkeypatch.setattr(calendar, "READINGS", here)
    assert get(path).status == 200
    there.take(digest)
    answer = get(path)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0
