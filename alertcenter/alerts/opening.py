"""How do many groups open at once? In one statement, their numbers in a row."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
from django.db import connection

from alertcenter.alerts.models import Group
from alertcenter.alerts.routing import Placement
from alertcenter.common.ids import uuid7

NUMBERS = """
INSERT INTO group_counter (tenant_id, last) VALUES (%(tenant)s, %(n)s)
ON CONFLICT (tenant_id) DO UPDATE SET last = group_counter.last + %(n)s
RETURNING last
"""
# One look into its index for each: a key may have years of history.
PREVIOUS = """
SELECT x.key, p.id FROM unnest(%s::text[]) AS x(key) CROSS JOIN LATERAL (
  SELECT id FROM alert_group WHERE tenant_id = %s AND key = x.key AND state = 'resolved'
  ORDER BY number DESC LIMIT 1) p
"""
# A statement of our own: built from objects, it would be half of what a storm costs.
OPEN = """
INSERT INTO alert_group (tenant_id, id, number, key, route_id, previous_id, labels,
  state, severity, title, opened_at, changed_at, acked_by, firing_count, alert_count,
  version)
SELECT %s, x.id, x.number, x.key, x.route, x.previous, x.labels,
  'firing', 1, '', now(), now(), '', 0, 0, 1
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::uuid[], %s::uuid[], %s::jsonb[])
  AS x(id, number, key, route, previous, labels) ORDER BY x.key
ON CONFLICT DO NOTHING RETURNING *
"""


def open_groups(
    tenant_id: UUID, placements: Sequence[Placement]
) -> list[tuple[Group, Placement]]:
    """Insert groups; those whose key another transaction took are left out."""
    if not placements:
        return []
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {"tenant": tenant_id, "n": len(placements)})
        first = cursor.fetchone()[0] - len(placements) + 1
        cursor.execute(PREVIOUS, [[p.key for p in placements], tenant_id])
        previous: dict[str, UUID] = dict(cursor.fetchall())
    encode = msgspec.json.Encoder().encode
    rows = [
        (
            str(uuid7()),
            first + offset,
            placement.key,
            placement.route.id and str(placement.route.id),
            previous.get(placement.key),
            encode(placement.labels).decode(),
        )
        for offset, placement in enumerate(placements)
    ]
    columns = (list(column) for column in zip(*rows, strict=True))
    by_key = {placement.key: placement for placement in placements}
    made = Group.objects.raw(OPEN, [tenant_id, *columns])
    return [(group, by_key[group.key]) for group in made]
