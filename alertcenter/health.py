"""Does it live, is it ready, what are its figures?

/livez asks this process only, /readyz what a request needs, /metrics is for a
Prometheus on this machine or one with the token.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import split_domain_port
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from redis.backoff import NoBackoff
from redis.retry import Retry

from alertcenter import watching
from alertcenter.common.http import is_loopback

OK, DEGRADED, FAILING = "ok", "degraded", "failing"
REDIS_SECONDS = 0.25
MARKS_OF_A_PROXY = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")

# A table without tenant that the web may write; the row never stays.
WRITE = """
INSERT INTO django_session (session_key, session_data, expire_date)
VALUES ('readyz-' || pg_backend_pid(), '', now())
"""
POWERS = """
SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user
"""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is "ok" or the sentence that says what is wrong."""

    state: str = OK
    needed: bool = True


@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """Answer as long as this process can."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when requests can be served; without Redis too, slower.

    Why not, with the names of hosts and logins, is for those who may see the figures.
    """
    findings = look()
    bad = [one for one in findings.values() if one.state != OK]
    ready = not any(one.needed for one in bad)
    status = "unready" if not ready else DEGRADED if bad else OK
    body = {
        "status": status,
        "checks": {
            name: one.state if one.state == OK or may_see_metrics(request) else FAILING
            for name, one in findings.items()
        },
    }
    response = JsonResponse(body, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Show the figures of this installation to whoever may see them."""
    if not may_see_metrics(request):
        return HttpResponse(
            "Metrics are shown to this machine, or for the token in "
            "ALERTCENTER_METRICS_TOKEN as `Authorization: Bearer`.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
        )
    forget_the_dead()
    response: HttpResponse = ExportToDjangoView(request)
    response.content += watching.figures()
    return response


def forget_the_dead() -> None:
    """Drop the gauges of processes that ended; their counters stay counted."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return
    for path in Path(folder).glob("gauge_live*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not is_alive(int(pid)):
            path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, as somebody else
        return True
    return True


def may_see_metrics(request: HttpRequest) -> bool:
    """Whoever has the token, and programs of this machine.

    A proxy on this machine connects from loopback for strangers: whatever bears the
    marks of one is refused, and what asks for the name that strangers use.
    """
    given = request.headers.get("Authorization", "")
    wanted = f"Bearer {settings.METRICS_TOKEN}"
    if settings.METRICS_TOKEN and hmac.compare_digest(given.encode(), wanted.encode()):
        return True
    if any(name in request.headers for name in MARKS_OF_A_PROXY):
        return False
    host, _port = split_domain_port(request.get_host())
    names_this_machine = host == "localhost" or is_loopback(host)
    return names_this_machine and is_loopback(request.META.get("REMOTE_ADDR", ""))


def look() -> dict[str, Finding]:
    """Return what was found, by name."""
    found = {"database": database(), "redis": redis_server()}
    if found["database"].state == OK:
        found["login"] = login()
        found["migrations"] = migrations()
        found["engine"] = engine()
    return found


def database() -> Finding:
    """Whether a row can be written."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(WRITE)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return Finding(f"The database takes no writes: {first_line(error)}")
    return Finding()


def login() -> Finding:
    """Whether production runs with a login that row-level security binds."""
    powers = dangerous_powers()
    if powers and settings.ENVIRONMENT == "production":
        return Finding(powers)
    return Finding()


def refusal() -> str:
    """Return why this process must not serve at all, or "".

    An absent database is no reason: it may come, and /readyz says so meanwhile.
    """
    if settings.ENVIRONMENT != "production":
        return ""
    try:
        return dangerous_powers()
    except DatabaseError:
        return ""
    finally:
        connection.close()


def dangerous_powers() -> str:
    """Return a sentence when this login steps around row-level security, else ""."""
    with connection.cursor() as cursor:
        cursor.execute(POWERS)
        name, is_super, bypasses = cursor.fetchone()
    if not (is_super or bypasses):
        return ""
    power = "is a superuser" if is_super else "bypasses row-level security"
    return (
        f"The database login {name} {power}: tenants would not be kept apart. "
        "Use a login made for AlertCenter, or let `manage.py up` make it."
    )


def migrations() -> Finding:
    """Whether the tables are those this version expects."""
    return Finding() if migrated() else Finding("Migrations wait to be applied.")


def engine() -> Finding:
    """Whether a dispatcher works; requests are taken without one."""
    return Finding(watching.sentence() or OK, needed=False)


def migrated() -> bool:
    """Whether every migration is applied; asked until it once was so."""
    if _known_migrated.cache_info().currsize:
        return True
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    return _known_migrated()


@lru_cache(maxsize=1)
def _known_migrated() -> bool:
    return True


def redis_server() -> Finding:
    """Whether Redis answers; nothing is lost without it."""
    try:
        _redis().ping()
    except redis.RedisError as error:
        sentence = f"Redis does not answer, pages are slower: {first_line(error)}"
        return Finding(sentence, needed=False)
    return Finding()


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def first_line(error: Exception) -> str:
    """Return the first line of what `error` says."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
