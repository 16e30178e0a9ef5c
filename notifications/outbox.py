"""How is a message promised? Rows written in the transaction that causes them.

Writing one twice does nothing (`idem` is unique in its tenant). Celery is told after
the commit, as a nudge only: what it misses is found by polling.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from alertcenter.common import tracing
from notifications import nudging
from notifications.message import Message


@dataclass(frozen=True)
class Entry:
    """One message for one recipient on one channel."""

    idem: str
    message: Message
    channel_id: UUID | None
    channel_kind: str
    member_id: UUID | None = None
    address: str = ""
    group_id: UUID | None = None
    kind: str = "page"
    severity: int = 3

    @property
    def lane(self) -> str:
        """What must stay in order: one group's messages to one place."""
        place = self.channel_id or self.channel_kind
        return short(f"{place}:{self.address}:{self.group_id}")


LONGEST_NAME = 200


def short(name: str) -> str:
    """Return `name` as it is stored; a long one by its hash."""
    if len(name) <= LONGEST_NAME:
        return name
    return hashlib.blake2b(name.encode(), digest_size=32).hexdigest()


# The database makes the ids, which order a lane: its clock is the only one that all
# writers share, and who writes later about a group holds the group's lock later.
PUT = """
INSERT INTO delivery (tenant_id, idem, lane, kind, channel_id, channel_kind,
  member_id, address, group_id, message, severity, state, fence, attempts,
  provider_id, error, correlation_id)
SELECT %(tenant)s, idem, lane, kind, channel_id, channel_kind, member_id, address,
  group_id, message, severity, 'pending', 0, 0, '', '', %(correlation)s
FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (
  idem text, lane text, kind text, channel_id uuid, channel_kind text,
  member_id uuid, address text, group_id uuid, message jsonb, severity smallint)
) WITH ORDINALITY
ORDER BY ordinality
ON CONFLICT (tenant_id, idem) DO NOTHING
RETURNING id
"""


def put(tenant_id: UUID, entries: Sequence[Entry]) -> list[UUID]:
    """Write deliveries; return the ids of those that are new."""
    if not entries:
        return []
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "rows": json.dumps([_row(entry) for entry in entries]),
        "correlation": tracing.current(),
    }
    with connection.cursor() as cursor:
        cursor.execute(PUT, values)
        ids = [row[0] for row in cursor.fetchall()]
    if ids:
        transaction.on_commit(lambda: nudge(ids))
    return ids


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "idem": short(entry.idem),
        "lane": entry.lane,
        "kind": entry.kind,
        "channel_id": entry.channel_id and str(entry.channel_id),
        "channel_kind": entry.channel_kind,
        "member_id": entry.member_id and str(entry.member_id),
        "address": entry.address,
        "group_id": entry.group_id and str(entry.group_id),
        "message": entry.message.to_json(),
        "severity": entry.severity,
    }


TOLD = """
SELECT DISTINCT ON (lane) channel_id, channel_kind, member_id, address
FROM delivery
WHERE tenant_id = %s AND group_id = %s AND kind = 'page'
  AND state NOT IN ('cancelled', 'dead')
ORDER BY lane, id
"""
REDRAW = """
UPDATE delivery SET message = %s WHERE tenant_id = %s AND lane = %s
  AND kind = 'update' AND state = 'pending'
RETURNING id
"""
# Of what happens later, a person's own mailbox is told these alone.
WORTH_A_MAIL = ("acknowledged", "resolved")


def refresh(tenant_id: UUID, group_id: UUID, message: Message, *, version: int) -> int:
    """Bring every conversation about the group up to date; return how many rows.

    A channel's message is redrawn in place (several redraws that wait become one)
    and, with a note, its thread gets a line. A mailbox that got the page gets one
    mail when the group is acknowledged or resolved.
    """
    with connection.cursor() as cursor:
        cursor.execute(TOLD, [tenant_id, group_id])
        places = cursor.fetchall()
    entries: list[Entry] = []
    for channel_id, channel_kind, member_id, address in places:
        if channel_kind == "email":
            kinds = ["reply"] if _worth_a_mail(message) else []
        else:
            kinds = ["update", "reply"] if message.note else ["update"]
        for kind in kinds:
            entry = Entry(
                idem=f"{group_id}/{version}/{kind}/{channel_id or ''}:{address}",
                message=message,
                channel_id=channel_id,
                channel_kind=channel_kind,
                member_id=member_id,
                address=address,
                group_id=group_id,
                kind=kind,
                severity=message.severity,
            )
            if kind != "update" or not _redrawn(tenant_id, entry):
                entries.append(entry)
    put(tenant_id, entries)
    return len(entries)


def _worth_a_mail(message: Message) -> bool:
    return message.note is not None and message.note.kind in WORTH_A_MAIL


def _redrawn(tenant_id: UUID, entry: Entry) -> bool:
    """Give a redraw that still waits the newer message."""
    with connection.cursor() as cursor:
        cursor.execute(
            REDRAW, [json.dumps(entry.message.to_json()), tenant_id, entry.lane]
        )
        return cursor.fetchone() is not None


def cancel_pages(tenant_id: UUID, group_ids: Iterable[UUID]) -> int:
    """Cancel pages of these groups that nobody has begun to send."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery SET state = 'cancelled' WHERE tenant_id = %s "
            "AND group_id = ANY(%s) AND kind = 'page' AND state = 'pending'",
            [tenant_id, list(group_ids)],
        )
        cancelled: int = cursor.rowcount
        return cancelled


def nudge(ids: Sequence[UUID]) -> None:
    """Tell Celery's workers that these wait; never raises, never waits."""
    nudging.nudge([str(pk) for pk in ids])
