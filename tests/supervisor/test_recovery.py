"""What dies comes back: PostgreSQL, Redis, web and the others, after kill -9."""

from __future__ import annotations

import contextlib
import http.client

import psycopg2
import pytest
import redis

from alertcenter.settings.home import run_directory
from tests.stack import Stack, until

pytestmark = [pytest.mark.flow, pytest.mark.chaos]


def ready(stack: Stack) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def answers_sql(stack: Stack) -> bool:
    try:
        return stack.sql("SELECT 1") == [(1,)]
    except psycopg2.OperationalError:
        return False


def answers_ping(stack: Stack) -> bool:
    path = run_directory(stack.home) / "redis.sock"
    client = redis.Redis(unix_socket_path=str(path))
    with contextlib.closing(client):
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def back(stack: Stack, name: str, pid: int) -> bool:
    try:
        return stack.pid_of(name) != pid
    except ValueError:  # just being written
        return False


@pytest.mark.parametrize("name", ["web", "dispatcher", "worker", "beat"])
def test_a_killed_process_is_started_again(stack, name):
    pid = stack.kill(name)
    until(lambda: back(stack, name, pid), 15)
    until(lambda: ready(stack), 20)
    assert f"{name} ended (killed by SIGKILL)" in stack.errors()


def test_killed_postgres_comes_back_with_what_was_committed(stack):
    stack.sql("CREATE TABLE IF NOT EXISTS kept (n int)")
    stack.sql("INSERT INTO kept VALUES (7)")
    pid = stack.kill("postgres")
    until(lambda: back(stack, "postgres", pid) and answers_sql(stack), 30)
    assert stack.sql("SELECT max(n) FROM kept") == [(7,)]
    stack.sql("DROP TABLE kept")
    until(lambda: ready(stack), 20)


def test_killed_redis_comes_back(stack):
    pid = stack.kill("redis")
    until(lambda: back(stack, "redis", pid) and answers_ping(stack), 15)
    until(lambda: ready(stack), 20)
