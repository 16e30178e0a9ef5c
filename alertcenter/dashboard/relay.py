"""How does a change reach the live screens? As a numbered frame, stored and sent.

Called inside the transaction that changed groups: the flow's, or, for pages, the
dispatcher's. The head row of each tenant is locked until the commit, so numbers are
given in the order of the commits and no number is missing. Rows are read after the
lock: a later frame never holds an older version of a group (READ COMMITTED gives each
statement its own view).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
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
STORE = """
INSERT INTO live (tenant_id, seq, frame)
SELECT * FROM unnest(%(tenants)s::uuid[], %(numbers)s::bigint[], %(frames)s::jsonb[])
"""
MOVE_HEADS = """
UPDATE live_head h SET seq = x.seq FROM (
  SELECT tenant_id, max(seq) AS seq
  FROM unnest(%(tenants)s::uuid[], %(numbers)s::bigint[]) AS y(tenant_id, seq)
  GROUP BY tenant_id) x
WHERE h.tenant_id = x.tenant_id
"""

Frame = dict[str, Any]
# Tenant, number, JSON.
Written = tuple[UUID, int, bytes]
_breaker = Breaker()
_encoder = msgspec.json.Encoder(enc_hook=str)


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
    written = _written(frames)
    _store(written)
    transaction.on_commit(lambda: send(written))
    return [frame for of_tenant in frames.values() for frame in of_tenant]


def prune() -> int:
    """Delete the frames older than ten minutes of the context's tenants."""
    return Live.objects.filter(at__lt=Now() - KEPT).delete()[0]


def send(written: Sequence[Written]) -> None:
    """Hand frames to Redis, waiting a quarter of a second at most."""

    def deliver() -> None:
        pipe = client().pipeline(transaction=False)
        for tenant_id, _seq, text in written:
            pipe.publish(CHANNEL + tenant_id.hex, text)
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


def _written(frames: Mapping[UUID, list[Frame]]) -> list[Written]:
    """Return the frames as they are stored and sent."""
    return [
        (tenant_id, frame["to"], _encoder.encode(frame))
        for tenant_id, of_tenant in frames.items()
        for frame in of_tenant
    ]


def _store(written: Sequence[Written]) -> None:
    tenants, numbers, texts = zip(*written, strict=True)
    values = {
        "tenants": list(tenants),
        "numbers": list(numbers),
        "frames": [text.decode() for text in texts],
    }
    with connection.cursor() as cursor:
        cursor.execute(STORE, values)
        cursor.execute(MOVE_HEADS, values)
