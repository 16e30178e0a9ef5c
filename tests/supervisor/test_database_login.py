"""As whom do the tests themselves talk to the database?"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection

from alertcenter.common import cache as forgiving


def current_user() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_tests_run_with_the_webs_login():
    assert current_user() == "ac_app"


def test_a_test_can_be_the_engine(as_engine):
    assert current_user() == "ac_engine"


def test_a_test_can_be_the_owner(as_owner):
    assert current_user() == "ac_owner"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(_round):
    assert not User.objects.exists()
    User.objects.create_user("dora")


@pytest.mark.django_db
def test_after_a_committing_test_the_tables_are_empty():
    assert not User.objects.exists()


def test_the_cache_answers_misses_while_redis_is_away(servers, monkeypatch):
    cache.set("a", 1)
    assert cache.get("a") == 1
    monkeypatch.setattr(forgiving, "_breaker", forgiving.Breaker())
    servers.valkey.stop()
    try:
        assert cache.get("a", "miss") == "miss"
        assert cache.get_many(["a"]) == {}
        assert cache.add("a", 2) is False
        cache.set("a", 3)
        with pytest.raises(ValueError, match="not found"):
            cache.incr("a")
    finally:
        servers.valkey.start()
    monkeypatch.setattr(forgiving, "_breaker", forgiving.Breaker())
    assert cache.get("a") is None
