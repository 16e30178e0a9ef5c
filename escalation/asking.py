"""Who has yet to acknowledge, where everybody must?

A step that wants everybody writes a row for each; an acknowledgement marks the row of
who gave it, and only the last one acknowledges the group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from tenants.actors import MEMBER, Actor

ASK = """
INSERT INTO asked (tenant_id, run_id, group_id, member_id, asked_at)
SELECT %s, %s, %s, m, now() FROM unnest(%s::uuid[]) AS m
ON CONFLICT (tenant_id, run_id, member_id) DO NOTHING
"""
ACKNOWLEDGED = """
SELECT member_id FROM asked
WHERE tenant_id = %s AND run_id = %s AND acked_at IS NOT NULL
"""
MARK = """
UPDATE asked a SET acked_at = now() FROM run r
WHERE a.tenant_id = %s AND a.group_id = ANY (%s::uuid[]) AND a.member_id::text = %s
  AND a.acked_at IS NULL
  AND r.tenant_id = a.tenant_id AND r.id = a.run_id AND r.state = 'active'
RETURNING a.group_id
"""
LEFT = """
SELECT a.group_id, m.name FROM asked a
JOIN run r ON r.tenant_id = a.tenant_id AND r.id = a.run_id AND r.state = 'active'
JOIN member m ON m.tenant_id = a.tenant_id AND m.id = a.member_id AND m.active
WHERE a.tenant_id = %s AND a.group_id = ANY (%s::uuid[]) AND a.acked_at IS NULL
ORDER BY m.name, m.id
"""


def ask(
    tenant_id: UUID, run_id: UUID, group_id: UUID, member_ids: Iterable[UUID]
) -> None:
    """Note that these members must acknowledge."""
    with connection.cursor() as cursor:
        cursor.execute(ASK, [tenant_id, run_id, group_id, list(member_ids)])


def acknowledged(tenant_id: UUID, run_id: UUID) -> set[UUID]:
    """Return who of those asked by a run has."""
    with connection.cursor() as cursor:
        cursor.execute(ACKNOWLEDGED, [tenant_id, run_id])
        return {row[0] for row in cursor.fetchall()}


def answer(tenant_id: UUID, group_ids: Sequence[UUID], actor: Actor) -> set[UUID]:
    """Mark that a person acknowledged these locked groups; return those in which
    that was asked of him."""
    if actor.kind != MEMBER or not group_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(MARK, [tenant_id, list(group_ids), actor.id])
        return {row[0] for row in cursor.fetchall()}


def left(tenant_id: UUID, group_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the names of those who have not, by group."""
    found: dict[UUID, list[str]] = defaultdict(list)
    if group_ids:
        with connection.cursor() as cursor:
            cursor.execute(LEFT, [tenant_id, list(group_ids)])
            for group_id, name in cursor.fetchall():
                found[group_id].append(name)
    return found
