"""How does a test make rows of long ago, and let them go?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from django.db import connection

from alertcenter.alerts.models import Transition
from tenants import retention
from tenants.models import RetentionRun, Tenant
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.conftest import login_as

NOW = datetime.now(UTC)
OLD_CHANGES = """
INSERT INTO transition (tenant_id, at, kind, from_state, to_state, actor_kind, actor_id,
  actor_label, reason, data, correlation_id)
SELECT %s, %s::timestamptz + n * interval '1 millisecond', 'noted', '', '', 'engine',
  '', '', '', '{}', ''
FROM generate_series(1, %s) n
"""


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@contextmanager
def superuser(servers) -> Iterator[Any]:
    own = psycopg2.connect(**servers.superuser)
    own.autocommit = True
    with closing(own), own.cursor() as cursor:
        yield cursor


def put_changes(tenant_id, at: datetime, rows: int) -> None:
    with in_tenant(tenant_id), connection.cursor() as cursor:
        cursor.execute(OLD_CHANGES, [tenant_id, at, rows])


def changes(tenant_id) -> int:
    with in_tenant(tenant_id):
        return Transition.objects.filter(tenant_id=tenant_id).count()


def set_terms(cast: Cast, **days: int | None) -> None:
    with in_tenant(cast.id):
        Tenant.objects.filter(pk=cast.id).update(**days)


def run_now() -> RetentionRun:
    with login_as("engine"):
        assert retention.work(always=True)
        return RetentionRun.objects.get(pk=RetentionRun.objects.latest("id").pk)


def names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT child FROM ac_partitions()")
        return {name for (name,) in cursor.fetchall()}
