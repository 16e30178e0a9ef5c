"""What does every test get? Real servers, a migrated database, the web's own login."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import redis
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import settings
from psycopg2 import sql
from xdist.scheduler import LoadScopeScheduling

from alertcenter.settings.env import ROOT, read
from alertcenter.supervisor.catalogues import compile_catalogues
from tests.cast import acme, globex  # noqa: F401 - fixtures for all
from tests.sending import send  # noqa: F401 - a fixture for all
from tests.servers import SERVERS, Servers
from tests.stack import Stack

# A busy machine is no fault; and the pipeline tries the same examples each time.
settings.register_profile("patient", deadline=None)
settings.load_profile("ci" if os.environ.get("ALERTCENTER_REQUIRE_ALL") else "patient")

# What starts whole installations begins first: it takes longest.
FIRST = ("flows", "browser", "chaos", "timemachine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first."""
    items.sort(key=lambda item: item.path.parent.name not in FIRST)


class InTwoProcesses(LoadScopeScheduling):
    """Which tests stay together when `make test` runs them in two processes?

    A file's, for they share fixtures, and all in a browser, for they share a town.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "browser" if "/browser/" in path else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InTwoProcesses:
    """Group tests ourselves: xdist's own groups are not heard by this pytest."""
    return InTwoProcesses(config, log)


@pytest.fixture(scope="session", autouse=True)
def servers() -> Servers:
    """Start the run's PostgreSQL and Redis; they end with the run."""
    compile_catalogues(ROOT / "locale")
    SERVERS.start()
    return SERVERS


@pytest.fixture(scope="session")
def django_db_setup(servers, django_db_blocker) -> Iterator[None]:
    """Migrate as ac_owner; tests then connect as ac_app, as the web does.

    The server is private to the run, so the database needs no `test_` name, and
    `manage.py` in a subprocess sees the same one.
    """
    with django_db_blocker.unblock():
        with login_as("owner"):
            call_command("migrate", interactive=False, verbosity=0)
        seeds = _filled_tables(servers)
        connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase,
            "_fixture_teardown",
            lambda _case: empty_tables(servers, keep=seeds),
        )
        yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(autouse=True)
def _empty_redis(servers) -> Iterator[None]:
    """Nothing cached in one test is there in the next."""
    yield
    client = redis.Redis.from_url(read().redis_url)
    with contextlib.closing(client):
        client.flushall()


@pytest.fixture
def as_engine(transactional_db) -> Iterator[None]:
    """Let the test connect as ac_engine: dispatcher, worker, beat."""
    with login_as("engine"):
        yield


@pytest.fixture
def as_owner(transactional_db) -> Iterator[None]:
    """Let the test connect as ac_owner: migrations."""
    with login_as("owner"):
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A whole running installation without the demo, shared by the run's tests."""
    running = Stack()
    try:
        running.start()
        yield running
        running.stop()
    finally:
        running.remove()


@contextlib.contextmanager
def login_as(role: str) -> Iterator[None]:
    """Change the login of every new connection in this process."""
    if connection.in_atomic_block:
        raise RuntimeError(
            "A login cannot change inside a transaction: "
            "use @pytest.mark.django_db(transaction=True)."
        )
    before = dict(connection.settings_dict)
    connection.close()
    wanted = read().database(role)
    connection.settings_dict |= {key: wanted[key] for key in ("USER", "PASSWORD")}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict |= {key: before[key] for key in ("USER", "PASSWORD")}


# --- emptying after tests that commit; ac_app may not TRUNCATE ---


# TRUNCATE gives a hundred tables and their indexes new files, a quarter of a second for
# a few rows; but what is deleted leaves its traces, so now and then it is done.
TRUNCATED_EACH = 200
_emptied = itertools.count(1)


def empty_tables(servers: Servers, keep: set[str]) -> None:
    """Empty every filled table but those that migrations fill."""
    names = sorted(_filled_tables(servers) - keep)
    if not names:
        return
    tables = [sql.Identifier(name) for name in names]
    with _superuser(servers) as cursor:
        cursor.execute("SET lock_timeout = '10s'")  # a forgotten transaction
        if next(_emptied) % TRUNCATED_EACH == 0:
            truncate = sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE")
            cursor.execute(truncate.format(sql.SQL(", ").join(tables)))
            return
        # As a replica would: neither foreign keys nor triggers are asked.
        cursor.execute("SET session_replication_role = replica")
        delete = [sql.SQL("DELETE FROM {}").format(table) for table in tables]
        cursor.execute(sql.SQL("; ").join(delete))
        cursor.execute(
            "SELECT setval(s.oid, 1, false) FROM pg_class s JOIN pg_depend d"
            " ON d.objid = s.oid AND d.classid = 'pg_class'::regclass"
            " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
            " JOIN pg_class t ON t.oid = d.refobjid"
            " WHERE s.relkind = 'S' AND t.relname = ANY (%s)",
            [names],
        )


def _filled_tables(servers: Servers) -> set[str]:
    with _superuser(servers) as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND NOT relispartition AND relnamespace = 'public'::regnamespace"
        )
        names = [name for (name,) in cursor.fetchall()]
        if not names:
            return set()
        one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
        parts = [one.format(sql.Literal(n), sql.Identifier(n)) for n in names]
        cursor.execute(sql.SQL(" UNION ALL ").join(parts))
        return {name for (name,) in cursor.fetchall()}


@contextlib.contextmanager
def _superuser(servers: Servers) -> Iterator[psycopg2.extensions.cursor]:
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    with contextlib.closing(own), own.cursor() as cursor:
        yield cursor
