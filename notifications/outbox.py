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

import msgspec
from django.db import connection, transaction

from alertcenter.common import tracing
from notifications import nudging
from notifications.channels.registry import spec_of
from notifications.message import Message

CHART = "chart"


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
    delay_seconds: int = 0
    correlation_id: str = ""
    instead_of: UUID | None = None

    @property
    def destination(self) -> str:
        """Where it goes: what has a rate, and can be out of order. A chart is about
        no place: its troubles are not the pages'."""
        if self.kind == CHART:
            return ""
        return short(f"{self.channel_id or self.channel_kind}:{self.address}")

    @property
    def put_off(self) -> bool:
        """Whether it is a page of a later step, by which nobody is told yet."""
        return self.kind == "page" and self.delay_seconds > 0

    @property
    def lane(self) -> str:
        """What must stay in order: one group's messages to one place."""
        place = self.channel_id or self.channel_kind
        own = f":{CHART}" if self.kind == CHART else ""  # nothing waits for it
        return short(f"{place}:{self.address}:{self.group_id}{own}")


LONGEST_NAME = 200


def short(name: str) -> str:
    """Return `name` as it is stored; a long one by its hash."""
    if len(name) <= LONGEST_NAME:
        return name
    return hashlib.blake2b(name.encode(), digest_size=32).hexdigest()


# The database makes the ids, which order a lane: its clock is the only one that all
# writers share, and who writes later about a group holds the group's lock later.
PUT = """
INSERT INTO delivery (tenant_id, idem, lane, destination, kind, channel_id,
  channel_kind, member_id, address, group_id, message, severity, state, fence,
  attempts, provider_id, error, correlation_id, instead_of, put_off,
  next_at)
SELECT %(tenant)s, idem, lane, destination, kind, channel_id, channel_kind,
  member_id, address, group_id, message, severity, 'pending', 0, 0, '', '',
  correlation, instead_of, put_off,
  now() + delay * interval '1 second'
FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (
  idem text, lane text, destination text, kind text, channel_id uuid, channel_kind text,
  member_id uuid, address text, group_id uuid, message jsonb, severity smallint,
  delay int, correlation text, instead_of uuid, put_off bool)
) WITH ORDINALITY
ORDER BY ordinality
ON CONFLICT (tenant_id, idem) DO NOTHING
RETURNING id
"""


# Takes a message apart like `Message.to_json`, in a fraction of the time.
_encoder = msgspec.json.Encoder(enc_hook=str)


def put(tenant_id: UUID, entries: Sequence[Entry]) -> list[UUID]:
    """Write deliveries; return the ids of those that are new."""
    if not entries:
        return []
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "rows": _encoder.encode([_row(entry) for entry in entries]).decode(),
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
        "destination": entry.destination,
        "kind": entry.kind,
        "channel_id": entry.channel_id,
        "channel_kind": entry.channel_kind,
        "member_id": entry.member_id,
        "address": entry.address,
        "group_id": entry.group_id,
        "message": entry.message,
        "severity": entry.severity,
        "delay": entry.delay_seconds,
        "put_off": entry.put_off,
        "correlation": entry.correlation_id or tracing.current(),
        "instead_of": entry.instead_of,
    }


# Later steps of a person's chain have told nobody before their time.
IS_TOLD = """d.kind = 'page' AND d.state NOT IN ('cancelled', 'dead')
  AND NOT (d.put_off AND d.state = 'pending' AND d.attempts = 0
    AND d.next_at > now())"""
TOLD = f"""
SELECT DISTINCT ON (d.group_id, d.lane) d.group_id, d.channel_id, d.channel_kind,
  d.member_id, d.address, c.settings::text
FROM delivery d
LEFT JOIN channel c ON c.tenant_id = d.tenant_id AND c.id = d.channel_id
WHERE d.tenant_id = %s AND d.group_id = ANY (%s::uuid[]) AND {IS_TOLD}
  AND d.state <> 'merged'
ORDER BY d.group_id, d.lane, d.id
"""
# Each lane is looked up by itself (OFFSET 0) by the index of lanes, whatever the
# statistics say. Where nothing waited when they were taken, an index of all that waits
# looks as good, and would be read whole for each lane: so the index of moments cannot
# be used (coalesce), that of lanes gives the order, and what was found is found by its
# id (|| '').
REDRAW = """
WITH x AS MATERIALIZED (
  SELECT *, %s::uuid AS tenant
  FROM jsonb_to_recordset(%s::jsonb) AS y(lane text, message jsonb)
)
UPDATE delivery d SET message = found.message
FROM (
  SELECT own.id, x.message FROM x CROSS JOIN LATERAL (
    SELECT id FROM delivery o
    WHERE o.tenant_id = x.tenant AND o.lane = x.lane
      AND o.state IN ('pending', 'leased', 'ambiguous') AND o.kind = 'update'
      AND o.state = 'pending' AND (coalesce(o.next_at, 'infinity') <= now() OR %s)
    ORDER BY o.id OFFSET 0) own
) found
WHERE d.id = found.id AND d.state || '' = 'pending'
RETURNING d.lane
"""
ADD_UP = """
UPDATE delivery SET message = jsonb_set(message, '{note,data,count}',
  to_jsonb((message #>> '{note,data,count}')::int + %s))
WHERE tenant_id = %s AND lane = %s AND kind = 'reply' AND state = 'pending'
  AND fence = 0 AND next_at > now() AND message #>> '{note,kind}' = 'grouped'
RETURNING id
"""
OVERTAKEN = """
UPDATE delivery SET state = 'cancelled' WHERE tenant_id = %s
  AND group_id = ANY (%s::uuid[]) AND kind = 'update' AND state = 'pending'
  AND fence = 0 AND next_at > now()
"""


TOLD_OF = f"""
SELECT DISTINCT d.group_id FROM delivery d
WHERE d.tenant_id = %s AND d.group_id = ANY (%s::uuid[]) AND {IS_TOLD}
"""


def told_of(tenant_id: UUID, group_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these groups anybody was told of."""
    with connection.cursor() as cursor:
        cursor.execute(TOLD_OF, [tenant_id, list(group_ids)])
        return {row[0] for row in cursor.fetchall()}


@dataclass(frozen=True)
class Redraw:
    """What every conversation about one group is to say from now on."""

    group_id: UUID
    message: Message
    version: int
    correlation_id: str = ""


def refresh(
    tenant_id: UUID,
    group_id: UUID,
    message: Message,
    *,
    version: int,
    delay_seconds: int = 0,
) -> int:
    """Bring every conversation about one group up to date: see `refresh_all`."""
    redraw = Redraw(group_id, message, version)
    return refresh_all(tenant_id, [redraw], delay_seconds=delay_seconds)


def refresh_all(
    tenant_id: UUID, redraws: Sequence[Redraw], *, delay_seconds: int = 0
) -> int:
    """Bring every conversation about groups up to date; return how many rows.

    A channel's message is redrawn in place (several redraws that wait become one)
    and, with a note, its thread gets a line. With `delay_seconds` both wait that long
    and merge with what comes meanwhile (lines add up their counts); what comes without
    a delay overtakes them. A mailbox that got the page gets one mail when the group is
    acknowledged or resolved.
    """
    ids = [str(redraw.group_id) for redraw in redraws]
    with connection.cursor() as cursor:
        cursor.execute(TOLD, [tenant_id, ids])
        places = cursor.fetchall()
        if not delay_seconds:
            # A redraw put off would come later and show what no longer is.
            cursor.execute(OVERTAKEN, [tenant_id, ids])
    by_group = {redraw.group_id: redraw for redraw in redraws}
    wanted = [
        Entry(
            idem=f"{group_id}/{redraw.version}/{kind}/{channel_id or ''}:{address}",
            message=redraw.message,
            channel_id=channel_id,
            channel_kind=channel_kind,
            member_id=member_id,
            address=address,
            group_id=group_id,
            kind=kind,
            severity=redraw.message.severity,
            delay_seconds=delay_seconds,
            correlation_id=redraw.correlation_id,
        )
        for group_id, channel_id, channel_kind, member_id, address, chosen in places
        for redraw in (by_group[group_id],)
        for kind in _kinds(channel_kind, redraw.message, chosen)
    ]
    redrawn = _redrawn(tenant_id, wanted, put_off=bool(delay_seconds))
    put(
        tenant_id,
        [
            entry
            for entry in wanted
            if not (entry.kind == "update" and entry.lane in redrawn)
            and not _added_up(tenant_id, entry)
        ],
    )
    return len(wanted)


def _kinds(channel_kind: str, message: Message, chosen: str | None) -> list[str]:
    """Return what a conversation on this kind of channel gets; `chosen` holds the
    channel's settings as JSON."""
    spec = spec_of(channel_kind)
    kinds = ["update"] if spec.updates else []
    note = message.note
    if note and (spec.replies is None or note.kind in spec.replies):
        wanted = spec.replies_if
        if not wanted or (chosen and json.loads(chosen).get(wanted)):
            kinds.append("reply")
    return kinds


def _redrawn(tenant_id: UUID, entries: Sequence[Entry], *, put_off: bool) -> set[str]:
    """Let redraws that still wait show this too; return their lanes."""
    rows = [
        {"lane": entry.lane, "message": entry.message}
        for entry in entries
        if entry.kind == "update"
    ]
    if not rows:
        return set()
    with connection.cursor() as cursor:
        text = _encoder.encode(rows).decode()
        cursor.execute(REDRAW, [tenant_id, text, put_off])
        return {row[0] for row in cursor.fetchall()}


def _added_up(tenant_id: UUID, entry: Entry) -> bool:
    """Whether a line that still waits now counts this too."""
    if entry.kind == "update" or not entry.delay_seconds or not entry.message.note:
        return False
    count = int(entry.message.note.data.get("count", 1))
    with connection.cursor() as cursor:
        cursor.execute(ADD_UP, [count, tenant_id, entry.lane])
        return cursor.fetchone() is not None


def cancel_pages(tenant_id: UUID, group_ids: Iterable[UUID]) -> int:
    """Cancel pages of these groups that nobody has begun to send, those of later
    steps as well."""
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
