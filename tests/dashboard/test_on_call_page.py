"""What does a private address of a calendar show to whoever holds it?"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from alertcenter.alerts.lifecycle import database_time
from alertcenter.common import logs
from alertcenter.common.buckets import Buckets
from alertcenter.common.shared_buckets import SharedBuckets
from alertcenter.dashboard import on_call
from escalation import oncall
from escalation.models import CalendarFeed
from tenants.apikeys import lookup_hash
from tenants.models import Member
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
TOKEN = "k" * 43
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Buckets of our own: other tests read and guess too."""
    monkeypatch.setattr(on_call, "GUESSES", Buckets(rate=1 / 3, burst=60))
    monkeypatch.setattr(on_call, "READINGS", Buckets(rate=1 / 5, burst=30))


@pytest.fixture
def order(acme):
    with in_tenant(acme.id):
        yield oncall.make(
            acme.id,
            "Ops",
            [acme.members["alice"], acme.members["bob"]],
            time_zone="Europe/Paris",
            starts_on=(database_time() - DAY).date(),
        )


def feed(acme, **more) -> CalendarFeed:
    return CalendarFeed.objects.create(
        tenant_id=acme.id, lookup_hash=lookup_hash(TOKEN), **more
    )


def test_a_schedules_address_says_who_is_there_and_who_is_next(client, order, acme):
    oncall.make(acme.id, "Net", [acme.members["vera"]], starts_on="2026-01-01")
    feed(acme, schedule=order)
    answer = client.get(f"/on-call/{TOKEN}")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert '<p class="on-call-now"><bdi>Alice</bdi></p>' in text
    assert "→ <bdi>Bob</bdi>" in text
    assert "Net" not in text
    assert 'http-equiv="refresh" content="60"' in text
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert client.post(f"/on-call/{TOKEN}").status_code == 405


def test_a_members_address_shows_the_schedules_he_is_in(client, order, acme):
    oncall.make(acme.id, "Net", [acme.members["vera"]], starts_on="2026-01-01")
    bob = acme.members["bob"]
    Member.objects.filter(pk=bob.pk).update(language="fr")
    feed(acme, member=bob)
    text = client.get(f"/on-call/{TOKEN}").content.decode()
    assert "Ops" in text
    assert "Net" not in text
    assert '<html lang="fr"' in text
    Member.objects.filter(pk=bob.pk).update(active=False)
    assert client.get(f"/on-call/{TOKEN}").status_code == 404


def test_nobody_on_call_is_said_in_red(client, acme):
    with in_tenant(acme.id):
        empty = oncall.make(acme.id, "Ops", [], starts_on="2026-01-01")
        feed(acme, schedule=empty)
        text = client.get(f"/on-call/{TOKEN}").content.decode()
    assert '<p class="on-call-now is-nobody">nobody</p>' in text


def test_who_guesses_finds_nothing_and_has_to_wait(client, order, acme):
    feed(acme, schedule=order)
    for token in ("x", "z" * 43, TOKEN[:-1] + "j"):
        assert client.get(f"/on-call/{token}").status_code == 404
    answers = [client.get(f"/on-call/{n:043d}").status_code for n in range(62)]
    assert answers[-1] == 429


def test_logs_do_not_name_the_address():
    assert TOKEN not in logs.without_tokens(f"GET /on-call/{TOKEN} 200")


def test_readings_and_guesses_are_counted_over_all_processes(
    client, order, acme, monkeypatch
):
    """What another process has counted keeps this one from answering."""
    feed(acme, schedule=order)
    path = f"/on-call/{TOKEN}"
    for name, asked in (("GUESSES", f"/on-call/{'x' * 43}"), ("READINGS", path)):
        what = f"test-{uuid4().hex}"
        here, there = (SharedBuckets(what, rate=1 / 3600, burst=2) for _ in "ab")
        monkeypatch.setattr(on_call, name, here)
        first = client.get(asked).status_code
        assert first == (404 if name == "GUESSES" else 200)
        there.take("127.0.0.1" if name == "GUESSES" else feed_id(acme))
        answer = client.get(asked)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        monkeypatch.setattr(on_call, name, Buckets(rate=1, burst=60))


def feed_id(acme):
    return CalendarFeed.objects.get(tenant_id=acme.id).pk
