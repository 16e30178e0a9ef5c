"""Was this very request answered before? Its sender says so by an Idempotency-Key.

The receipt is committed together with the events. Whoever sends the same again gets
the same answer, and nothing is written; another body under the same key is refused
(draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts.events import ItemError
from alertcenter.alerts.waiting import Accepted, Once

LONGEST_KEY = 255
KEPT_HOURS = 24
UNSTORABLE = "the database cannot store this event"

CLAIM = """
INSERT INTO receipt (tenant_id, key, body, at, kept, dropped, refused)
VALUES (%s, %s, %s, now(), 0, 0, '{}')
ON CONFLICT (tenant_id, key) DO NOTHING RETURNING id
"""
KNOWN = """
SELECT body, kept, dropped, refused FROM receipt WHERE tenant_id = %s AND key = %s
"""
FILL = """
UPDATE receipt SET kept = %s, dropped = %s, refused = %s
WHERE tenant_id = %s AND key = %s
"""
PRUNE = """
DELETE FROM receipt WHERE id IN (
  SELECT id FROM receipt WHERE at < now() - make_interval(hours => %s)
  ORDER BY at LIMIT %s)
"""


class KeyReused(Exception):
    """The same key came with another body: which one was meant is unknown."""


@dataclass(frozen=True, slots=True)
class BadKey(Exception):
    """The key cannot be one."""


def once(protocol: str, key: str, body: bytes) -> Once:
    """Return what names a request. Raises BadKey."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise BadKey
    return Once(
        sha256(f"{protocol}/{key}".encode()).hexdigest(), sha256(body).hexdigest()
    )


def claim(cursor: Any, tenant_id: UUID, request: Once) -> Accepted | None:
    """Return the answer given before, or None when the request is now ours to do.

    Waits for whoever is at the same request. Raises KeyReused.
    """
    cursor.execute(CLAIM, [str(tenant_id), request.key, request.body])
    if cursor.fetchone():
        return None
    cursor.execute(KNOWN, [str(tenant_id), request.key])
    body, kept, dropped, refused = cursor.fetchone()
    if body != request.body:
        raise KeyReused
    errors = [ItemError(index, UNSTORABLE) for index in refused]
    return Accepted(kept, dropped, errors=errors, replayed=True)


def fill(cursor: Any, tenant_id: UUID, request: Once, answer: Accepted) -> None:
    """Write the answer into the receipt."""
    refused = [error.index for error in answer.errors]
    cursor.execute(
        FILL, [answer.kept, answer.dropped, refused, str(tenant_id), request.key]
    )


def prune(limit: int = 5_000) -> int:
    """Forget receipts that are a day old; return how many. Needs the context."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, [KEPT_HOURS, limit])
        return int(cursor.rowcount)
