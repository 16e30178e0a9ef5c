"""Whose turn is it? Leases deliveries that are due, fairly and in order.

One statement looks over all tenants (role engine). Tenants take turns, and who already
has much in the air waits; a lane keeps its order, except that a page waits for pages
only, and that what was put off from the start holds up nothing before its time; pages
and the worse go first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from alertcenter.common import failpoints, world_time
from notifications import destinations
from notifications.leases import Lease
from notifications.models import Attempt, Delivery
from tenants.rls import tenant_context

LEASE = timedelta(seconds=30)
MOST_CLAIMS = 5

# `leased` past its time means that its sender died, perhaps after sending. What is in
# the air takes the first turns of its tenant. Written so that no plan can be bad, as
# statistics are old in a storm: one scan of what is due, then, in the order of turns
# and only as far as needed, one look by index at the head of each lane. The condition
# on `d` is judged on the locked row.
CLAIM = """
WITH due AS MATERIALIZED (
  SELECT d.id, d.tenant_id, d.lane, d.kind, d.severity, d.next_at,
    d.state = 'leased' AND d.lease_until >= now() AS in_air
  FROM delivery d
  LEFT JOIN destination x ON x.tenant_id = d.tenant_id AND x.key = d.destination
  WHERE d.state IN ('pending', 'leased', 'ambiguous') AND d.next_at <= now()
    AND d.tenant_id <> ALL (%(crowded)s::uuid[])
    AND (d.state = 'leased' OR d.next_at <= now() - %(older)s)
    AND (x.open_at IS NULL OR x.open_at <= now()
      OR (d.state = 'leased' AND d.lease_until >= now()))
), turns AS MATERIALIZED (
  SELECT id, tenant_id, lane, kind, next_at, in_air, row_number() OVER (
    PARTITION BY tenant_id
    ORDER BY in_air DESC, kind IN ('update', 'reply', 'chart'), severity DESC,
      next_at, id
  ) AS turn
  FROM due
), chosen AS (
  SELECT d.id, d.state AS before
  FROM (SELECT * FROM turns WHERE NOT in_air ORDER BY turn, next_at, id) t
  CROSS JOIN LATERAL (
    SELECT b.id FROM delivery b
    WHERE b.tenant_id = t.tenant_id AND b.lane = t.lane
      AND b.state IN ('pending', 'leased', 'ambiguous') AND b.next_at IS NOT NULL
      AND (b.kind = 'page' OR t.kind <> 'page')
      AND NOT (b.next_at > now() AND
        (b.kind <> 'page' AND b.fence = 0 OR b.put_off AND b.attempts = 0))
    ORDER BY b.tenant_id, b.lane, b.id LIMIT 1
  ) head
  JOIN delivery d ON d.id = t.id
  WHERE head.id = t.id
    AND d.state IN ('pending', 'leased', 'ambiguous') AND d.next_at <= now()
    AND (d.state <> 'leased' OR d.lease_until < now())
  ORDER BY t.turn, t.next_at, t.id
  LIMIT %(limit)s
  FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'leased', fence = fence + 1, attempts = attempts + 1,
  lease_until = now() + %(lease)s
FROM chosen WHERE chosen.id = d.id
RETURNING d.id, d.tenant_id, d.fence, d.attempts, d.doubts, chosen.before = 'leased',
  d.kind, d.channel_kind, d.channel_id, d.correlation_id, d.destination,
  extract(epoch FROM clock_timestamp())::float8
"""


def claim(
    limit: int,
    *,
    older_than: timedelta | None = None,
    crowded: Sequence[UUID] = (),
) -> list[Lease]:
    """Lease at most `limit` deliveries that are due; role engine.

    `older_than`: only what has been due so long. `crowded`: tenants to pass over.
    """
    values: dict[str, Any] = {
        "older": older_than or timedelta(),
        "lease": LEASE,
        "limit": limit,
        "crowded": list(crowded),
    }
    for _ in range(MOST_CLAIMS):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(CLAIM, values)
                rows = cursor.fetchall()
            found = [Lease(*row[:-1]) for row in rows]
            if rows:
                world_time.hear(rows[-1][-1])
            if found:
                failpoints.hit("claim.after_lock")
            _note_lost([lease for lease in found if lease.lost])
            leases = destinations.admit(found)
        if leases or not found:
            break  # else others may be due behind those whose place is full
    if leases:
        failpoints.hit("claim.after_commit")
    return leases


COLUMNS = [field.attname for field in Delivery._meta.concrete_fields]
RENEW = f"""
UPDATE delivery SET lease_until = now() + %s
WHERE tenant_id = %s AND id = %s AND fence = %s AND state = 'leased'
RETURNING {", ".join(COLUMNS)}
"""


def renew(lease: Lease) -> Delivery | None:
    """Let the lease begin anew right before sending; return the delivery as it stands,
    None when another has it.

    A process that was stopped after claiming must not send what an heir sent.
    """
    values: list[Any] = [LEASE, lease.tenant_id, lease.id, lease.fence]
    found = Delivery.objects.raw(RENEW, values)
    return next(iter(found), None)


def _note_lost(leases: Sequence[Lease]) -> None:
    """Write down the attempts whose sender died before it could do so."""
    if not leases:
        return
    with tenant_context(*{lease.tenant_id for lease in leases}):
        Attempt.objects.bulk_create(
            Attempt(
                tenant_id=lease.tenant_id,
                delivery_id=lease.id,
                number=lease.attempts - 1,
                outcome="lost",
                milliseconds=0,
            )
            for lease in leases
        )
