"""Is this installation safe to start?

Those that ask the database run with `manage.py check --database default` and before
each migration. The web process refuses to start for E001 too (alertcenter.asgi).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection

from alertcenter import health
from alertcenter.supervisor.roles import LEAKPROOF, MINIMUM_VERSION

NOT_LEAKPROOF = """
SELECT name FROM unnest(%s::text[]) AS name
JOIN pg_proc ON pg_proc.oid = name::regprocedure WHERE NOT proleakproof
"""


@register(Tags.database)
def check_database(
    databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Look at server and login."""
    if not databases or DEFAULT_DB_ALIAS not in databases:
        return []
    try:
        return [*check_version(), *check_login(), *check_leakproof()]
    except DatabaseError as error:
        return [
            Error(
                f"The database does not answer: {health.first_line(error)}",
                id="alertcenter.E003",
            )
        ]


def check_version() -> list[CheckMessage]:
    """Refuse PostgreSQL before 18."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        version: int = cursor.fetchone()[0]
    if version >= MINIMUM_VERSION:
        return []
    return [
        Error(
            f"PostgreSQL {version // 10000} is too old: AlertCenter needs "
            f"{MINIMUM_VERSION // 10000} or newer (uuidv7, RETURNING old).",
            id="alertcenter.E002",
        )
    ]


def check_login() -> list[CheckMessage]:
    """Refuse in production, and warn elsewhere of, a login without bounds."""
    powers = health.dangerous_powers()
    if not powers:
        return []
    if settings.ENVIRONMENT == "production":
        return [Error(powers, id="alertcenter.E001")]
    return [Warning(powers, id="alertcenter.W001")]


def check_leakproof() -> list[CheckMessage]:
    """Warn when searches by label cannot use their index."""
    with connection.cursor() as cursor:
        cursor.execute(NOT_LEAKPROOF, [list(LEAKPROOF)])
        names = ", ".join(name for (name,) in cursor.fetchall())
    if not names:
        return []
    return [
        Warning(
            f"Not marked LEAKPROOF: {names}. Under row-level security searches by "
            "label then read all of a tenant's alerts.",
            hint="As a database superuser: ALTER FUNCTION ... LEAKPROOF.",
            id="alertcenter.W002",
        )
    ]
