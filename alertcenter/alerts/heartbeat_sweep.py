"""Which heartbeats were not heard of? Asked by the engine each second.

Sightings of watched alerts come first, so that none of them is called missing; then
what is late is marked, and what is overdue becomes an alert, once: the rows are claimed
and told of in one transaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction

from alertcenter.alerts import heartbeats, lifecycle
from alertcenter.alerts.expected import BadCron, next_due
from alertcenter.alerts.matchers import MatcherError, all_match, parse
from alertcenter.alerts.models import Heartbeat
from alertcenter.alerts.models.heartbeat import HeartbeatState, PingKind, is_plain
from alertcenter.alerts.severity import shown
from alertcenter.common import failpoints

log = logging.getLogger(__name__)

# Errors of a row's content, as the writer knows them.
POISON = (DataError, IntegrityError)
SIGHTING = heartbeats.Ping(PingKind.SUCCESS, body="alert")

LATE = """
UPDATE heartbeat SET state = 'late' WHERE id IN (
  SELECT id FROM heartbeat WHERE state = 'up' AND expected_at <= now()
  ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
"""
# What changed in a transaction that began after this one waits for the next sweep.
OVERDUE = """
UPDATE heartbeat SET state = 'down', due_at = NULL, changed_at = now() WHERE id IN (
  SELECT id FROM heartbeat WHERE due_at <= now() AND changed_at < now()
  ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING *
"""
SIGHTINGS = """
SELECT w.id, a.labels, a.severity, a.last_at
FROM jsonb_to_recordset(%s::jsonb)
  AS w(id uuid, tenant uuid, labels jsonb, since timestamptz)
JOIN alert a ON a.tenant_id = w.tenant AND a.labels @> w.labels
WHERE a.state = 'firing' AND a.last_at > w.since AND a.source <> %s
ORDER BY a.last_at
"""


def sweep_overdue(_tenants: Sequence[UUID], limit: int = 500) -> int:
    """Tell of what was not heard of; return how many. Needs the tenants' context."""
    take_sightings()
    with connection.cursor() as cursor:
        cursor.execute(LATE, [limit])
    overdue = list(Heartbeat.objects.raw(OVERDUE, [limit]))
    if overdue:
        failpoints.hit("heartbeat.after_claim")
        tell(overdue)
    return len(overdue)


def tell(overdue: Sequence[Heartbeat]) -> None:
    """Open their alerts; one that cannot be stored must not silence the others."""
    try:
        with transaction.atomic():
            heartbeats.tell(list(overdue), at=lifecycle.database_time())
    except POISON:
        if len(overdue) == 1:
            log.exception(
                "heartbeat_not_told", extra={"tenant": str(overdue[0].tenant_id)}
            )
            return
        middle = len(overdue) // 2
        tell(overdue[:middle])
        tell(overdue[middle:])


# --- alerts that stand for a ping, as Prometheus' Watchdog ---


def take_sightings() -> None:
    """Let firing alerts that were seen again count as pings of who watches them."""
    watchers = Heartbeat.objects.filter(enabled=True).exclude(match=[])
    watching = {row.pk: row for row in watchers.defer("last_body")}
    wanted = [line for row in watching.values() if (line := asked(row))]
    if not wanted:
        return
    seen: dict[UUID, datetime] = {}
    with connection.cursor() as cursor:
        cursor.execute(SIGHTINGS, [json.dumps(wanted, default=str), heartbeats.SOURCE])
        for pk, labels, severity, last_at in cursor.fetchall():
            labels = json.loads(labels) if isinstance(labels, str) else labels
            matchers = [parse(text) for text in watching[pk].match]
            if all_match(matchers, shown(labels, severity)):
                seen[pk] = last_at
    for row in free(seen):
        take_one(row, seen[row.pk])


def asked(row: Heartbeat) -> dict[str, Any] | None:
    """Return what the statement needs to know; None for conditions it cannot read."""
    try:
        matchers = [parse(text) for text in row.match]
    except MatcherError:
        return None
    plain = {one.name: one.value for one in matchers if is_plain(one)}
    since = row.last_ping_at or row.created_at
    return {"id": row.pk, "tenant": row.tenant_id, "labels": plain, "since": since}


def free(seen: dict[UUID, datetime]) -> list[Heartbeat]:
    """Return those that nobody else is at, locked."""
    now = lifecycle.database_time()
    return list(
        Heartbeat.objects.select_for_update(skip_locked=True)
        .filter(pk__in=seen, changed_at__lt=now)
        .order_by("pk")
    )


def take_one(row: Heartbeat, at: datetime) -> None:
    """Take the sighting as a ping, unless it is too old to be good news."""
    if row.last_ping_at and at <= row.last_ping_at:
        return  # another process was quicker
    try:
        stale = next_due(row, at) <= lifecycle.database_time()
    except BadCron:
        log.warning("heartbeat_bad_cron", extra={"tenant": str(row.tenant_id)})
        return
    if stale and row.state == HeartbeatState.DOWN:
        return
    try:
        with transaction.atomic():
            heartbeats.take(row, SIGHTING, at)
    except POISON:
        log.exception("heartbeat_not_seen", extra={"tenant": str(row.tenant_id)})
