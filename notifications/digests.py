"""What waits too long for one place is said in one message that lists what it holds.

When a place takes less than comes (its rate, what it asked for, its troubles), pages
gather. Once more than `MOST_WAITING` wait and the oldest has waited `PATIENCE`, the
worst ones stay as they are and the rest become one digest. Its pages are kept, as
"merged", with the digest's id: nothing is lost, and everything can be looked up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.utils import InterfaceError, OperationalError

from notifications import outbox
from notifications.channels.registry import tools
from notifications.message import AlertLine, Message
from notifications.models import Delivery
from tenants.models import Tenant
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

MOST_WAITING = 10
STAY = 3
PATIENCE_SECONDS = 5
# Of one digest; what is more is merged by the next sweep.
MOST_MERGED = 500
MOST_LISTED = 10
MOST_PLACES = 50

CROWDED = """
SELECT d.tenant_id, d.destination FROM delivery d
JOIN destination x ON x.tenant_id = d.tenant_id AND x.key = d.destination
WHERE d.state = 'pending' AND d.kind = 'page' AND NOT d.put_off
  AND d.attempts = 0 AND d.channel_kind <> ALL (%(tools)s)
  AND d.message ->> 'kind' <> 'digest'
GROUP BY d.tenant_id, d.destination
HAVING count(*) > %(most)s
  AND min(d.created_at) < now() - %(patience)s * interval '1 second'
LIMIT %(places)s
"""
# A page that was put back at the door has a fence and has never been tried.
WAITING = """
SELECT id FROM delivery
WHERE tenant_id = %s AND destination = %s AND state = 'pending' AND kind = 'page'
  AND attempts = 0 AND message ->> 'kind' <> 'digest'
  AND NOT put_off
ORDER BY severity DESC, id
LIMIT %s
FOR UPDATE SKIP LOCKED
"""
MERGE = """
UPDATE delivery SET state = 'merged', merged_into = %s, next_at = NULL
WHERE tenant_id = %s AND id = ANY (%s::uuid[])
"""


def sweep() -> int:
    """Merge where too much waits; return how many pages were merged. Role engine."""
    values: dict[str, Any] = {
        "tools": tools(),
        "most": MOST_WAITING,
        "patience": PATIENCE_SECONDS,
        "places": MOST_PLACES,
    }
    with connection.cursor() as cursor:
        cursor.execute(CROWDED, values)
        crowded = cursor.fetchall()
    merged = 0
    for tenant_id, destination in crowded:
        try:
            with transaction.atomic(), tenant_context(tenant_id):
                merged += merge(tenant_id, destination)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one place's trouble must not hide the others
            log.exception("digest_failed", extra={"tenant": str(tenant_id)})
    return merged


def merge(tenant_id: UUID, destination: str) -> int:
    """Merge what waits for one place; return how many pages."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [tenant_id, destination, STAY + MOST_MERGED])
        ids = [row[0] for row in cursor.fetchall()][STAY:]
    if len(ids) <= MOST_WAITING - STAY:
        return 0
    found = Delivery.objects.in_bulk(ids)
    rows = [found[pk] for pk in ids]
    (digest,) = outbox.put(tenant_id, [entry_of(tenant_id, rows)])
    with connection.cursor() as cursor:
        cursor.execute(MERGE, [digest, tenant_id, [str(pk) for pk in ids]])
    return len(ids)


def entry_of(tenant_id: UUID, rows: Sequence[Delivery]) -> outbox.Entry:
    """Return the digest of these deliveries, the worst first."""
    first = rows[0]
    return outbox.Entry(
        idem=f"digest/{first.pk}/{first.fence}",
        message=message_of(Tenant.objects.get(pk=tenant_id), rows),
        channel_id=first.channel_id,
        channel_kind=first.channel_kind,
        member_id=first.member_id,
        address=first.address,
        severity=first.severity,
    )


def pages_of(row: Delivery) -> QuerySet[Delivery]:
    """Return the pages that a digest holds; also of one in another's place."""
    holders = [row.pk]
    holder = row
    while holder.instead_of is not None and holder.instead_of not in holders:
        holders.append(holder.instead_of)
        earlier = Delivery.objects.filter(
            tenant_id=row.tenant_id, pk=holder.instead_of
        ).first()
        if earlier is None:
            break
        holder = earlier
    return Delivery.objects.filter(tenant_id=row.tenant_id, merged_into__in=holders)


def message_of(tenant: Tenant, rows: Sequence[Delivery]) -> Message:
    """Return the facts of a digest: its groups as lines."""
    messages = [Message.from_json(row.message) for row in rows]
    lines = [
        AlertLine(
            title=f"#{one.number} {one.title}" if one.number else one.title,
            severity=one.severity,
            state=one.state,
            link=one.url,
            starts_at=one.opened_at,
        )
        for one in messages[:MOST_LISTED]
    ]
    opened = [one.opened_at for one in messages if one.opened_at]
    return Message(
        kind="digest",
        tenant=tenant.name,
        title=messages[0].title,
        severity=max(one.severity for one in messages),
        state="firing",
        number=0,
        group_id="",
        url=f"{settings.BASE_URL}/t/{tenant.slug}/",
        opened_at=min(opened, default=""),
        changed_at=max(opened, default=""),
        firing_count=len(rows),
        alert_count=len(rows),
        alerts=tuple(lines),
    )
