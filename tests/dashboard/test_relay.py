"""Frames are numbered without gaps, stored, and sent when the change commits."""

from __future__ import annotations

import json
import threading
import time

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from alertcenter.common.cache import Breaker
from alertcenter.dashboard import relay
from alertcenter.dashboard.models import Live, LiveHead
from alertcenter.settings.env import read
from tenants.rls import in_tenant, tenant_context
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db


def test_frames_of_one_tenant_are_numbered_without_a_gap(acme):
    with in_tenant(acme.id):
        group = make_group(acme.id)
        first = relay.publish({acme.id: {group.pk}})
        second = relay.publish({acme.id: {group.pk}})
        assert [frame["to"] for frame in first + second] == [1, 2]
        assert first[0]["groups"][0]["number"] == group.number
        stored = Live.objects.filter(tenant_id=acme.id).order_by("seq")
        assert [row.seq for row in stored] == [1, 2]


def test_a_group_that_no_longer_exists_is_gone(acme):
    with in_tenant(acme.id):
        group = make_group(acme.id)
        Live.objects.all().delete()
        pk = group.pk
        group.delete()
        (frame,) = relay.publish({acme.id: {pk}})
    assert frame["groups"] == []
    assert frame["gone"] == [str(pk)]


def test_many_groups_are_cut_into_frames(acme, monkeypatch):
    monkeypatch.setattr(relay, "GROUPS_A_FRAME", 2)
    with in_tenant(acme.id):
        ids = {make_group(acme.id).pk for _ in range(5)}
        frames = relay.publish({acme.id: ids})
    assert [(f["from"], len(f["groups"])) for f in frames] == [(1, 2), (2, 2), (3, 1)]


def test_one_call_serves_several_tenants_each_with_its_own_numbers(acme, globex):
    with transaction.atomic(), tenant_context(acme.id, globex.id):
        mine, theirs = make_group(acme.id), make_group(globex.id)
        relay.publish({acme.id: {mine.pk}})
        frames = relay.publish({acme.id: {mine.pk}, globex.id: {theirs.pk}})
    assert sorted(frame["to"] for frame in frames) == [1, 2]
    for frame in frames:
        assert len(frame["groups"]) == 1


def test_nothing_to_publish_takes_no_number(acme):
    with in_tenant(acme.id):
        assert relay.publish({acme.id: set()}) == []
        assert not LiveHead.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_redis_gets_the_frame_when_the_transaction_commits(acme):
    client = redis.Redis.from_url(read().redis_url)
    listener = client.pubsub()
    listener.psubscribe("ac:live:*")
    listener.get_message(timeout=1)
    with in_tenant(acme.id):
        group = make_group(acme.id)
        relay.publish({acme.id: {group.pk}})
        assert listener.get_message(timeout=0.05) is None
    message = listener.get_message(timeout=2)
    assert message["channel"].decode() == f"ac:live:{acme.id.hex}"
    assert json.loads(message["data"])["groups"][0]["id"] == str(group.pk)
    listener.close()
    client.close()


@pytest.mark.django_db(transaction=True)
def test_a_dead_redis_neither_fails_nor_delays_the_change(acme, monkeypatch):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(relay, "client", relay.client.__wrapped__)
    monkeypatch.setattr(relay, "_breaker", Breaker())
    begun = time.monotonic()
    with in_tenant(acme.id):
        relay.publish({acme.id: {make_group(acme.id).pk}})
    assert time.monotonic() - begun < 1
    with in_tenant(acme.id):
        assert Live.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_never_share_or_skip_a_number(acme):
    with in_tenant(acme.id):
        group = make_group(acme.id)

    def write() -> None:
        for _ in range(10):
            with in_tenant(acme.id):
                relay.publish({acme.id: {group.pk}})
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with in_tenant(acme.id):
        numbers = list(Live.objects.order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, 21))


@pytest.mark.usefixtures("as_engine")
def test_prune_drops_old_frames_only(acme, globex):
    with in_tenant(acme.id):
        relay.publish({acme.id: {make_group(acme.id).pk}})
        relay.publish({acme.id: {make_group(acme.id).pk}})
        with connection.cursor() as cursor:
            cursor.execute("UPDATE live SET at = now() - interval '1 hour' WHERE seq=1")
    with in_tenant(acme.id, globex.id):
        assert relay.prune() == 1
    with in_tenant(acme.id):
        assert [row.seq for row in Live.objects.all()] == [2]
