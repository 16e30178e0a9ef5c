"""Is this the first start, and what does a new installation get?"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import psycopg2

from alertcenter.settings.env import Env

ADMIN = "admin"
PASSWORD_FILE = "first-password"  # noqa: S105 - a file's name
DEMO_ENVIRONMENTS = ("development", "test")


def has_users(env: Env) -> bool:
    """Tell whether anybody can log in; asked after migrating, as the owner."""
    connection = psycopg2.connect(**owner_parameters(env))
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM auth_user)")
        row = cursor.fetchone()
    return bool(row and row[0])


def owner_parameters(env: Env) -> dict[str, Any]:
    """psycopg2's parameters for the login that owns the tables."""
    settings = env.database("owner")
    given = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }
    given = {name: value for name, value in given.items() if value}
    return dict(settings["OPTIONS"]) | given


def wants_demo(env: Env, no_demo: bool) -> bool:
    return not no_demo and env.environment in DEMO_ENVIRONMENTS


def keep_password(env: Env) -> str:
    """Return the administrator's first password.

    It is kept in a file until it was shown, so that a start that is broken off
    half-way does not lose it.
    """
    path = password_file(env)
    if path.exists():
        return path.read_text().strip()
    password = env.text("ALERTCENTER_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(password)
    return password


def password_file(env: Env) -> Path:
    return env.home / PASSWORD_FILE
