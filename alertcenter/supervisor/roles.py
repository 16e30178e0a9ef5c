"""Which logins and rights does the database have before the first migration?

Nobody who serves requests may own a table or step around row-level security:
ac_owner migrates, ac_app serves, ac_engine escalates and delivers. ac_resolver
cannot log in; it owns the few functions that look before a tenant is known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class

from alertcenter.supervisor.errors import StartError

OWNER, APP, ENGINE, RESOLVER = "ac_owner", "ac_app", "ac_engine", "ac_resolver"
LOGINS = {OWNER: "db_owner", APP: "db_app", ENGINE: "db_engine"}  # role: secret
MINIMUM_VERSION = 180000

# Not leakproof by default, so that under row-level security their indexes are
# never used (decisions.md 1). They compare; they neither log nor fail on values.
LEAKPROOF = (
    "pg_catalog.jsonb_contains(jsonb, jsonb)",
    "pg_catalog.ts_match_vq(tsvector, tsquery)",
)


def prepare_database(
    parameters: Mapping[str, Any], secrets: Mapping[str, str], name: str
) -> None:
    """Make roles and database `name`; safe to run at every start.

    `parameters` are psycopg2's for a login that may create roles. Raises
    StartError when the server is too old, unreachable, or refuses.
    """
    try:
        with _cursor(dict(parameters)) as cursor:
            check_version(cursor)
            _make_roles(cursor, secrets)
            _make_database(cursor, name)
        with _cursor(dict(parameters) | {"dbname": name}) as cursor:
            _prepare_schema(cursor, name)
            _mark_leakproof(cursor)
    except psycopg2.Error as error:
        raise StartError(_sentence(error)) from error


def check_server(parameters: Mapping[str, Any]) -> None:
    """Refuse a server that cannot be reached or is too old. Raises StartError."""
    try:
        with _cursor(dict(parameters)) as cursor:
            check_version(cursor)
    except psycopg2.Error as error:
        raise StartError(_sentence(error)) from error


def check_version(cursor: Cursor) -> None:
    cursor.execute("SHOW server_version_num")
    found = int(_one(cursor))
    if found < MINIMUM_VERSION:
        raise StartError(
            f"PostgreSQL {found // 10000} is too old: AlertCenter needs "
            f"version {MINIMUM_VERSION // 10000} or newer."
        )


# --- roles ---


def _make_roles(cursor: Cursor, secrets: Mapping[str, str]) -> None:
    cursor.execute(
        "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    may_create_databases = bool(_one(cursor))
    for role, secret in LOGINS.items():
        _make_role(cursor, role, "LOGIN")
        _set_password(cursor, role, secrets[secret])
    _make_role(cursor, RESOLVER, "NOLOGIN")
    if may_create_databases:
        _run(cursor, "ALTER ROLE {} CREATEDB", OWNER)
    # SET lets migrations hand functions over to the resolver. No INHERIT: through it
    # the owner would see every tenant by the resolver's policies.
    _run(cursor, "GRANT {} TO {} WITH SET TRUE, INHERIT FALSE", RESOLVER, OWNER)


def _make_role(cursor: Cursor, role: str, kind: str) -> None:
    cursor.execute(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", [role]
    )
    row = cursor.fetchone()
    if row is None:
        statement = "CREATE ROLE {} " + kind + " NOSUPERUSER NOBYPASSRLS"
        _run(cursor, statement, role)
    elif any(row):
        raise StartError(
            f"The database role {role} is superuser or bypasses row-level security: "
            f"take that away, or drop it."
        )


def _set_password(cursor: Cursor, role: str, password: str) -> None:
    statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
    cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


# --- the database and its schema ---


def _make_database(cursor: Cursor, name: str) -> None:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    if cursor.fetchone() is None:
        _become_member(cursor, OWNER)
        statement = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'"
        _run(cursor, statement, name, OWNER)


def _prepare_schema(cursor: Cursor, name: str) -> None:
    _run(cursor, "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO {}", name, OWNER)
    _run(cursor, "GRANT CONNECT ON DATABASE {} TO {}, {}", name, APP, ENGINE)
    cursor.execute(
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'"
    )
    if _one(cursor) != OWNER:
        _become_member(cursor, OWNER)
        _run(cursor, "ALTER SCHEMA public OWNER TO {}", OWNER)
    with _acting_as(cursor, OWNER):
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        _run(cursor, "GRANT USAGE ON SCHEMA public TO {}, {}", APP, ENGINE)
        # The owner of a function needs CREATE where the function lives.
        _run(cursor, "GRANT USAGE, CREATE ON SCHEMA public TO {}", RESOLVER)


def _mark_leakproof(cursor: Cursor) -> None:
    """Only a superuser may; elsewhere `manage.py check` warns of slower searches."""
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if not _one(cursor):
        return
    for function in LEAKPROOF:
        cursor.execute(
            "SELECT proleakproof FROM pg_proc WHERE oid = %s::regprocedure", [function]
        )
        if not _one(cursor):
            cursor.execute(f"ALTER FUNCTION {function} LEAKPROOF")


def _become_member(cursor: Cursor, role: str) -> None:
    """Whoever makes a role is its administrator, but may not yet act as it."""
    cursor.execute("SELECT pg_has_role(current_user, %s, 'SET')", [role])
    if not _one(cursor):
        _run(cursor, "GRANT {} TO CURRENT_USER WITH SET TRUE", role)


@contextlib.contextmanager
def _acting_as(cursor: Cursor, role: str) -> Iterator[None]:
    _become_member(cursor, role)
    _run(cursor, "SET ROLE {}", role)
    try:
        yield
    finally:
        cursor.execute("RESET ROLE")


# --- plumbing ---


@contextlib.contextmanager
def _cursor(parameters: dict[str, Any]) -> Iterator[Cursor]:
    connection: Connection = psycopg2.connect(**parameters)
    connection.autocommit = True  # CREATE DATABASE refuses a transaction
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _run(cursor: Cursor, statement: str, *names: str) -> None:
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _one(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _sentence(error: psycopg2.Error) -> str:
    # The last address tried; libpq's indented lines are advice, not reasons.
    lines = [line for line in str(error).splitlines() if line == line.lstrip() != ""]
    reason = lines[-1] if lines else type(error).__name__
    reason = reason.split("FATAL:")[-1].split("ERROR:")[-1].strip(" .")
    return f"The database cannot be used, check DATABASE_URL: {reason}."
