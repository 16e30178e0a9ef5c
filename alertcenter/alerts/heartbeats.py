"""What does a ping change? Who writes a heartbeat's state? This module and its sweep.

A ping, its heartbeat's new state and the alert that opens or closes by it are one
transaction. All times are the database's.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from alertcenter.alerts import inside, lifecycle
from alertcenter.alerts.events import Event
from alertcenter.alerts.expected import next_due, next_expected
from alertcenter.alerts.fingerprint import named_key
from alertcenter.alerts.models import Alert, Heartbeat, HeartbeatPing
from alertcenter.alerts.models.heartbeat import (
    LONGEST_BODY,
    HeartbeatState,
    PingKind,
)
from alertcenter.alerts.sources.adapter import event, storable
from tenants import audit
from tenants.actors import Actor
from tenants.apikeys import lookup_hash
from tenants.rls import in_tenant

SOURCE = "heartbeat"
KEPT_PINGS = 100
EXCERPT = 500
ATTEMPTS = 20
DOWN, PAUSED = HeartbeatState.DOWN, HeartbeatState.PAUSED

WRITTEN = (
    "state",
    "last_ping_at",
    "last_start_at",
    "last_exit",
    "last_body",
    "expected_at",
    "due_at",
    "changed_at",
)
FORGET = """
DELETE FROM heartbeat_ping WHERE tenant_id = %s AND heartbeat_id = %s AND id <= (
  SELECT id FROM heartbeat_ping WHERE tenant_id = %s AND heartbeat_id = %s
  ORDER BY id DESC OFFSET %s LIMIT 1)
"""


class Overtaken(Exception):
    """While we waited for the row, an alert opened or closed by a later transaction.

    Ours is older, and its alert's times would be in the wrong order: once more, anew.
    """


@dataclass(frozen=True)
class Ping:
    """What a ping said; `body` is what the job printed."""

    kind: PingKind
    exit_code: int | None = None
    body: str = ""

    @property
    def is_bad(self) -> bool:
        return self.kind == PingKind.FAIL or bool(self.exit_code)


# --- addresses ---


def give_address(heartbeat: Heartbeat) -> str:
    """Return a new ping token, of which the unsaved row keeps only the hash."""
    token = secrets.token_hex(16)
    heartbeat.token_hash = lookup_hash(token)
    return token


def renew_address(heartbeat: Heartbeat, *, actor: Actor) -> str:
    """Return a new token; the old one opens nothing from now on."""
    token = give_address(heartbeat)
    heartbeat.save(update_fields=["token_hash"])
    note(heartbeat, "renew", actor)
    return token


def find(token: str) -> tuple[UUID, UUID] | None:
    """Return (tenant, heartbeat) that the token stands for. Needs no context."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve_heartbeat(%s)", [lookup_hash(token)])
        found: tuple[UUID, UUID] | None = cursor.fetchone()
    return found


def excerpt(body: bytes) -> str:
    """Return the beginning of what a job printed, as it can be stored and shown."""
    return storable(body[:LONGEST_BODY].decode("utf-8", "replace"))


# --- pings ---


def ping(tenant_id: UUID, heartbeat_id: UUID, said: Ping) -> bool:
    """Take one ping; return whether the heartbeat is still there. No open transaction.

    Raises Overtaken if others are quicker again and again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with in_tenant(tenant_id):
                heartbeat = locked(heartbeat_id)
                if heartbeat is not None:
                    take(heartbeat, said, lifecycle.database_time())
                return heartbeat is not None
        except Overtaken:
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.002 * attempt)
    return False


def locked(heartbeat_id: UUID) -> Heartbeat | None:
    """Return the heartbeat, locked. Raises Overtaken."""
    rows = Heartbeat.objects.select_for_update().filter(pk=heartbeat_id)
    heartbeat = rows.first()
    if heartbeat and heartbeat.changed_at >= lifecycle.database_time():
        raise Overtaken
    return heartbeat


def take(heartbeat: Heartbeat, said: Ping, at: datetime) -> None:
    """Write what was said at `at` of a locked heartbeat, and tell if it matters."""
    remember(heartbeat, said, at)
    if said.kind == PingKind.LOG:
        return
    if said.kind == PingKind.START:
        started(heartbeat, at)
    else:
        finished(heartbeat, said, at)
    heartbeat.save(update_fields=WRITTEN)


def started(heartbeat: Heartbeat, at: datetime) -> None:
    """From its start a job has the grace to finish, however far off the next run is."""
    heartbeat.last_start_at = at
    if heartbeat.state in (DOWN, PAUSED):
        return
    heartbeat.state = HeartbeatState.STARTED
    until = at + timedelta(seconds=heartbeat.grace_seconds)
    heartbeat.due_at = min(heartbeat.due_at or until, until)


def finished(heartbeat: Heartbeat, said: Ping, at: datetime) -> None:
    """The job is through, well or not."""
    heartbeat.last_ping_at = max(at, heartbeat.last_ping_at or at)
    heartbeat.last_exit, heartbeat.last_body = said.exit_code, said.body
    if heartbeat.state == PAUSED:
        return
    if said.is_bad:
        heartbeat.state, heartbeat.due_at = DOWN, None
        tell([heartbeat], failed(heartbeat), at=lifecycle.database_time())
        return
    was_down = heartbeat.state == DOWN
    wait_from(heartbeat, heartbeat.last_ping_at)
    if was_down:
        words = f"{heartbeat.name} is up"
        tell([heartbeat], words, at=lifecycle.database_time(), firing=False)


def wait_from(heartbeat: Heartbeat, moment: datetime) -> None:
    """Expect the next ping, the last one having come at `moment`."""
    heartbeat.state = HeartbeatState.UP
    heartbeat.expected_at = next_expected(heartbeat, moment)
    heartbeat.due_at = next_due(heartbeat, moment)


def remember(heartbeat: Heartbeat, said: Ping, at: datetime) -> None:
    """Keep the ping, and let go of the oldest."""
    HeartbeatPing.objects.create(
        tenant_id=heartbeat.tenant_id,
        heartbeat=heartbeat,
        at=at,
        kind=said.kind,
        exit_code=said.exit_code,
        body=said.body[:EXCERPT],
    )
    mine = [heartbeat.tenant_id, heartbeat.pk]
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [*mine, *mine, KEPT_PINGS])


# --- alerts ---


def failed(heartbeat: Heartbeat) -> str:
    if heartbeat.last_exit:
        return f"{heartbeat.name} failed with exit code {heartbeat.last_exit}"
    return f"{heartbeat.name} failed"


def tell(
    heartbeats: list[Heartbeat],
    title: str = "",
    *,
    at: datetime,
    firing: bool = True,
) -> None:
    """Open or close the alerts of heartbeats; without a title they are expired."""
    pairs = []
    for heartbeat in heartbeats:
        heartbeat.changed_at = at
        words = title or f"{heartbeat.name} is expired"
        pairs.append((heartbeat.tenant_id, event_of(heartbeat, words, firing)))
    inside.accept(pairs, scope=SOURCE)


def event_of(heartbeat: Heartbeat, title: str, firing: bool) -> Event:
    seen, expected = heartbeat.last_ping_at, heartbeat.expected_at
    return event(
        SOURCE,
        title=title,
        key=str(heartbeat.pk),
        firing=firing,
        severity=heartbeat.severity,
        labels={
            "alertname": "Heartbeat",
            "heartbeat": heartbeat.slug,
            **heartbeat.labels,
        },
        annotations={
            "description": heartbeat.message,
            "last_seen": seen.isoformat(timespec="seconds") if seen else "",
            "expected": expected.isoformat(timespec="seconds") if expected else "",
            "output": heartbeat.last_body,
        },
    )


def dedup_key(heartbeat: Heartbeat) -> str:
    """Return the key under which the heartbeat's alert stands."""
    return named_key(SOURCE, str(heartbeat.pk))


# --- what people do; in the caller's transaction and context ---


def pause(heartbeat: Heartbeat, *, actor: Actor) -> None:
    """Wait for nothing until it is resumed; an open alert is resolved."""
    heartbeat.enabled, heartbeat.state = False, PAUSED
    heartbeat.expected_at = heartbeat.due_at = None
    heartbeat.save(update_fields=["enabled", "state", "expected_at", "due_at"])
    close_alert(heartbeat, actor)
    note(heartbeat, "pause", actor)


def resume(heartbeat: Heartbeat, *, actor: Actor) -> None:
    """Wait again, as if it had been heard of just now."""
    heartbeat.enabled = True
    if heartbeat.last_ping_at:
        wait_from(heartbeat, lifecycle.database_time())
    else:
        heartbeat.state = HeartbeatState.NEW
    heartbeat.save(update_fields=["enabled", "state", "expected_at", "due_at"])
    note(heartbeat, "resume", actor)


def reschedule(heartbeat: Heartbeat) -> None:
    """Wait by the new period or cron; a row's other columns may be older than it."""
    rows = Heartbeat.objects.select_for_update().filter(pk=heartbeat.pk)
    current = rows.get()
    if current.due_at is None:
        return
    if current.last_ping_at and current.state != HeartbeatState.STARTED:
        wait_from(current, current.last_ping_at)
        current.save(update_fields=["state", "expected_at", "due_at"])


def remove(heartbeat: Heartbeat, *, actor: Actor) -> None:
    """Delete it; an open alert is resolved, for no ping can do it any more."""
    # Locked before its alert, as pings do it.
    Heartbeat.objects.select_for_update().filter(pk=heartbeat.pk).first()
    close_alert(heartbeat, actor)
    note(heartbeat, "delete", actor, name=heartbeat.name)
    heartbeat.delete()


def close_alert(heartbeat: Heartbeat, actor: Actor) -> None:
    alerts = Alert.objects.filter(
        tenant_id=heartbeat.tenant_id, dedup_key=dedup_key(heartbeat), state="firing"
    )
    ids = list(alerts.values_list("pk", flat=True))
    if ids:
        lifecycle.resolve_alerts(heartbeat.tenant_id, ids, actor=actor)


def note(heartbeat: Heartbeat, verb: str, actor: Actor, **data: str) -> None:
    audit.record(
        heartbeat.tenant_id,
        actor,
        f"heartbeat.{verb}",
        kind="heartbeat",
        object_id=heartbeat.pk,
        **data,
    )
