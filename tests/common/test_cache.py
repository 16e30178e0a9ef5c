"""Can whoever writes to Redis do more than make us forget?"""

from __future__ import annotations

import json
import os
import pickle

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from alertcenter.settings.env import read

pytestmark = pytest.mark.django_db(transaction=True)


class Bomb:
    """Makes the folder `path` when unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def session_key(client: Client) -> str:
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    return cache.make_key(f"django.contrib.sessions.cached_db{cookie}")


def test_sessions_lie_in_redis_as_json(acme):
    client = Client()
    client.force_login(acme.user("alice"))
    assert client.get("/t/acme/").status_code == 200
    with redis.Redis.from_url(read().redis_url) as server:
        held = json.loads(server.get(session_key(client)))
    assert held["_auth_user_id"] == str(acme.user("alice").pk)


def test_a_planted_pickle_is_a_miss_and_never_run(acme, tmp_path):
    client = Client()
    client.force_login(acme.user("alice"))
    planted = pickle.dumps(Bomb(str(tmp_path / "run")))
    with redis.Redis.from_url(read().redis_url) as server:
        server.set(session_key(client), planted)
        assert client.get("/t/acme/").status_code == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [0, 7, "x", None, True, {"a": [1, "é"]}])
def test_what_is_put_in_comes_out(value):
    cache.set("key", value)
    assert cache.get("key") == value
