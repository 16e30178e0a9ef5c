"""Heartbeats for tests: made, let to lapse, swept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F

from alertcenter import engine
from alertcenter.alerts import heartbeats
from alertcenter.alerts.heartbeat_sweep import sweep_overdue
from alertcenter.alerts.heartbeats import Ping
from alertcenter.alerts.models import Alert, Heartbeat
from alertcenter.alerts.models.heartbeat import PingKind
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.conftest import login_as

SUCCESS, START = Ping(PingKind.SUCCESS), Ping(PingKind.START)
FAIL, LOG = Ping(PingKind.FAIL), Ping(PingKind.LOG)


def make(cast: Cast, slug: str = "backup", **values: Any) -> tuple[Heartbeat, str]:
    """Make a heartbeat; return it and its token."""
    given = {"name": slug.title(), "grace_seconds": 60} | values
    if "cron" not in given:
        given.setdefault("period_seconds", 3600)
    with in_tenant(cast.id):
        row = Heartbeat(tenant_id=cast.id, slug=slug, **given)
        token = heartbeats.give_address(row)
        row.full_clean()
        row.save()
    return row, token


def ping(row: Heartbeat, said: Ping = SUCCESS) -> bool:
    return heartbeats.ping(row.tenant_id, row.pk, said)


def again(row: Heartbeat) -> Heartbeat:
    """Return the row as it stands."""
    with in_tenant(row.tenant_id):
        return Heartbeat.objects.get(pk=row.pk)


def pass_time(row: Heartbeat, seconds: int) -> None:
    """Let it look as if so much time had passed."""
    by = timedelta(seconds=seconds)
    names = ("last_ping_at", "last_start_at", "expected_at", "due_at", "changed_at")
    with in_tenant(row.tenant_id):
        Heartbeat.objects.filter(pk=row.pk).update(
            **{name: F(name) - by for name in names}
        )


def sweep() -> int:
    """Do what the engine does each second, with its login."""
    connection.close()
    with login_as("engine"):
        return engine.all_tenants_do(sweep_overdue)()


def alerts(cast: Cast) -> list[Alert]:
    with in_tenant(cast.id):
        found = Alert.objects.filter(tenant_id=cast.id, source="heartbeat")
        return list(found.order_by("starts_at"))
