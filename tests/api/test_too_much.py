"""Is a schedule that would take seconds of a processor answered with a sentence?"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from alertcenter.alerts.lifecycle import database_time
from alertcenter.api import calendar, slack_commands
from alertcenter.api.slack_commands import Asked
from alertcenter.common.buckets import Buckets
from alertcenter.dashboard import on_call
from escalation import feeds, oncall, quality, rota, weaknesses
from escalation.hours import Span
from escalation.models import Absence, Layer, Schedule, TemporarySchedule, Turn
from escalation.models.changes import TemporaryShift
from tenants.actors import THE_ENGINE
from tenants.rls import in_tenant
from tests.api.client import bearer, get

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
WORDS = "too many turns"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nothing_is_reckoned(monkeypatch):
    """Whoever reckons what is too much would be noticed; buckets are our own."""

    def never(*_given, **_more):
        raise AssertionError("reckoned all the same")

    monkeypatch.setattr(rota, "final", never)
    monkeypatch.setattr(quality, "report", never)
    monkeypatch.setattr(calendar, "READINGS", Buckets(rate=1, burst=30))
    monkeypatch.setattr(on_call, "READINGS", Buckets(rate=1, burst=30))


@pytest.fixture
def absurd(acme) -> Schedule:
    """A turn an hour among two hundred places, and everybody is often away."""
    with in_tenant(acme.id):
        alice = acme.members["alice"]
        schedule = oncall.make(acme.id, "Ops", [], starts_on=date(2026, 1, 1))
        layer = Layer.objects.get()
        Layer.objects.update(frequency="hourly", every=1)
        Turn.objects.bulk_create(
            Turn(tenant_id=acme.id, layer=layer, member=alice, position=n)
            for n in range(1, 201)
        )
        now = database_time()
        Absence.objects.bulk_create(
            Absence(
                tenant_id=acme.id,
                member=alice,
                starts_at=now + (2 * n + 1) * HOUR,
                ends_at=now + (2 * n + 2) * HOUR,
            )
            for n in range(40)
        )
        return schedule


@pytest.fixture
def alice(acme) -> Client:
    client = Client()
    client.force_login(acme.user("alice"))
    return client


def token(acme, schedule=None, member=None) -> str:
    with in_tenant(acme.id):
        return feeds.make(acme.id, schedule=schedule, member=member, actor=THE_ENGINE)[
            1
        ]


def test_a_calendar_feed(acme, absurd):
    for one in (token(acme, absurd), token(acme, None, acme.members["alice"])):
        answer = get(f"/calendar/{one}.ics")
        assert answer.status == 422
        assert WORDS in answer.body.decode()
        assert "no-cache" in answer.headers["cache-control"]
    other = get(f"/calendar/{token(acme, None, acme.members['bob'])}.ics")
    assert other.status == 200, "a schedule he is not in keeps nothing from him"


def test_the_page_by_a_private_address_says_who_is_there_all_the_same(acme, absurd):
    for one in (token(acme, absurd), token(acme, None, acme.members["alice"])):
        answer = Client().get(f"/on-call/{one}")
        assert answer.status_code == 200
        text = answer.content.decode()
        assert WORDS in text
        assert '<p class="on-call-now"><bdi>Alice</bdi></p>' in text


def test_a_members_own_page(alice, acme, absurd):
    page = alice.get("/t/acme/me/")
    assert page.status_code == 200
    assert WORDS in page.content.decode()
    bob = Client()
    bob.force_login(acme.user("bob"))
    page = bob.get("/t/acme/me/")
    assert page.status_code == 200
    assert WORDS not in page.content.decode(), "he is not in it"


def test_the_calendar_its_report_and_the_schedules_page(alice, absurd):
    for view in ("month", "week"):
        path = reverse("admin:escalation_schedule_calendar", args=[absurd.pk])
        page = alice.get(path, {"view": view})
        assert page.status_code == 200
        assert page.content.decode().count(WORDS) == 3, "rows, quality, fairness"
        assert '<strong class="pill good">Alice</strong>' in page.content.decode()
    page = alice.get(reverse("admin:escalation_schedule_change", args=[absurd.pk]))
    assert WORDS in page.content.decode()


def test_the_preview_of_a_layer(alice, absurd, acme):
    with in_tenant(acme.id):
        layer = Layer.objects.get()
        turns = list(Turn.objects.all())
    given = {
        "schedule": str(absurd.pk),
        "level": "0",
        "holidays": "any",
        "every": "1",
        "frequency": "hourly",
        "starts_on": "2026-01-01",
        "handoff": "09:00",
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    }
    for number, turn in enumerate(turns):
        given |= {
            f"turns-{number}-position": str(turn.position),
            f"turns-{number}-member": str(turn.member_id),
        }
    path = reverse("admin:escalation_layer_preview")
    page = alice.post(f"{path}?layer={layer.pk}", given)
    assert page.status_code == 200
    assert WORDS in page.content.decode()


def test_slack_says_who_is_there_and_why_no_more(acme, absurd):
    with in_tenant(acme.id):
        asked = Asked(acme.tenant, acme.members["bob"], "", 0)
        said = slack_commands.on_call(asked).text
    assert said.startswith("*Ops*: Alice. ")
    assert WORDS in said


def test_the_api_says_so_and_refuses_shifts(mint, acme, absurd):
    reading = bearer(mint(acme, "read"))
    (found,) = get(f"{API}/on_call", **reading).json["schedules"]
    assert [one["name"] for one in found["on_call"]] == ["Alice"]
    assert (found["too_much"], found["until"], found["next"]) == (True, None, [])
    one = get(f"{API}/schedules/{absurd.pk}/on_call", **reading).json
    assert one == found
    assert get(f"{API}/schedules/{absurd.pk}/shifts", **reading).status == 400


def test_a_policy_that_needs_it_is_marked(acme, absurd):
    with in_tenant(acme.id):
        now = database_time()
        (cover,) = weaknesses._covers(acme.id, [str(absurd.pk)], now).values()
    assert cover.too_much


def test_many_fair_schedules_are_too_much_together(acme, monkeypatch):
    """A thousand do not take a thousand times what one may."""
    now = database_time()
    within = Span(now, now + timedelta(days=8))
    with in_tenant(acme.id):
        for name in ("a", "b", "c"):
            oncall.make(acme.id, name, [acme.members["bob"]], starts_on=now.date())
        one = next(iter(oncall.load(acme.id, None, within).values()))
        most = 2 * rota.effort(one, within)
        monkeypatch.undo()
        monkeypatch.setattr(rota.Budget.__init__, "__defaults__", (most,))
        monkeypatch.setattr(rota, "LOOKS", (timedelta(days=8),))
        found = oncall.everyone_on_call(acme.id, now)
    assert [one.too_much for one in found] == [False, False, True]


def test_shifts_of_temporary_schedules_are_counted(acme):
    now = database_time()
    with in_tenant(acme.id):
        schedule = oncall.make(acme.id, "Fair", [], starts_on=now.date())
        mine = {"tenant_id": acme.id}
        rows = [
            TemporarySchedule(
                **mine, schedule=schedule, starts_at=now, ends_at=now + 500 * HOUR
            )
            for _ in range(3)
        ]
        TemporarySchedule.objects.bulk_create(rows)
        TemporaryShift.objects.bulk_create(
            TemporaryShift(
                **mine,
                temporary=row,
                member=acme.members["bob"],
                starts_at=now + n * HOUR,
                ends_at=now + (n + 1) * HOUR,
            )
            for row in rows
            for n in range(500)
        )
        within = Span(now, now + 500 * HOUR)
        (given,) = oncall.load(acme.id, None, within).values()
    assert not rota.Budget().takes(given, within)
