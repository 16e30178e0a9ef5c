"""How does a change reach the live screens? As a numbered frame, stored and sent.

Called by `alertcenter.flow` inside its transaction. The head row of each tenant is
locked until the commit, so numbers are given in the order of the commits and no
number is missing. Rows are read after the lock: a later frame never holds an older
version of a group (READ COMMITTED gives each statement its own view).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from alertcenter.common.cache import Breaker
from alertcenter.dashboard import queries
from alertcenter.dashboard.models import Live

log = logging.getLogger(__name__)

CHANNEL = "ac:live:"
KEPT = timedelta(minutes=10)
# A frame stays near 100 KB, so that a screen never waits long for one.
GROUPS_A_FRAME = 100
REDIS_SECONDS = 0.25

MAKE_HEADS = """
INSERT INTO live_head (tenant_id, seq) SELECT id, 0 FROM unnest(%s::uuid[]) AS id
ON CONFLICT (tenant_id) DO NOTHING
"""
LOCK_HEADS = """
SELECT tenant_id, seq FROM live_head WHERE tenant_id = ANY (%s::uuid[])
ORDER BY tenant_id FOR UPDATE
"""
MOVE_HEAD = "UPDATE live_head SET seq = %s WHERE tenant_id = %s"

Frame = dict[str, Any]
_breaker = Breaker()


def publish(groups: Mapping[UUID, set[UUID]]) -> list[Frame]:
    """Store frames with the present rows of `groups`, and send them on commit.

    `groups` maps tenants to their changed groups; the caller's context must cover
    these tenants. Returns the frames. A dead Redis is no error: screens then
    read the stored frames.
    """
    wanted = {tenant: ids for tenant, ids in groups.items() if ids}
    if not wanted:
        return []
    frames: dict[UUID, list[Frame]] = {}
    for tenant_id, seq in _lock_heads(sorted(wanted)):
        rows = queries.group_rows(tenant_id, wanted[tenant_id])
        frames[tenant_id] = list(_frames(seq, rows, wanted[tenant_id]))
    _store(frames)
    transaction.on_commit(lambda: send(frames))
    return [frame for of_tenant in frames.values() for frame in of_tenant]


def prune() -> int:
    """Delete the frames older than ten minutes of the context's tenants."""
    return Live.objects.filter(at__lt=Now() - KEPT).delete()[0]


def send(frames: Mapping[UUID, list[Frame]]) -> None:
    """Hand frames to Redis, waiting a quarter of a second at most."""

    def deliver() -> None:
        pipe = client().pipeline(transaction=False)
        for tenant_id, of_tenant in frames.items():
            for frame in of_tenant:
                pipe.publish(CHANNEL + tenant_id.hex, json.dumps(frame))
        pipe.execute()

    _breaker.call(deliver, None)


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """Return this process' connection for publishing."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),  # the stored frame is the second try
    )


def _lock_heads(tenant_ids: list[UUID]) -> list[tuple[UUID, int]]:
    with connection.cursor() as cursor:
        cursor.execute(MAKE_HEADS, [tenant_ids])
        cursor.execute(LOCK_HEADS, [tenant_ids])
        return list(cursor.fetchall())


def _frames(seq: int, rows: list[queries.Row], wanted: set[UUID]) -> Iterator[Frame]:
    """Yield numbered deltas; groups that no longer exist are "gone"."""
    at = timezone.now().isoformat()
    gone = sorted({str(pk) for pk in wanted} - {row["id"] for row in rows})
    for start in range(0, max(len(rows), 1), GROUPS_A_FRAME):
        seq += 1
        yield {
            "t": "delta",
            "from": seq,
            "to": seq,
            "at": at,
            "groups": rows[start : start + GROUPS_A_FRAME],
            "gone": gone if start == 0 else [],
        }


def _store(frames: Mapping[UUID, list[Frame]]) -> None:
    Live.objects.bulk_create(
        Live(tenant_id=tenant_id, seq=frame["to"], frame=frame)
        for tenant_id, of_tenant in frames.items()
        for frame in of_tenant
    )
    with connection.cursor() as cursor:
        for tenant_id, of_tenant in frames.items():
            cursor.execute(MOVE_HEAD, [of_tenant[-1]["to"], tenant_id])
