"""What did a screen miss? Stored frames after a number, or everything anew."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from alertcenter.dashboard import queries
from alertcenter.dashboard.build import build_hash
from alertcenter.dashboard.models import Live
from tenants.rls import in_tenant

# A screen that missed more than this is quicker served by a snapshot.
MOST_MISSED = 200
SNAPSHOT_SECONDS = 1.0
MOST_SNAPSHOTS = 100


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame ready to be sent: numbers `first` to `last`, its JSON text, its time."""

    first: int
    last: int
    text: str
    at: str = ""


_snapshots: dict[UUID, tuple[float, Frame]] = {}


def parsed(text: str) -> Frame:
    """Return the frame that `text` holds. Raises ValueError, KeyError, TypeError."""
    value = json.loads(text)
    first, last = int(value["from"]), int(value["to"])
    return Frame(first, last, text, str(value.get("at", "")))


def catch_up(tenant_id: UUID, since: int | None) -> list[Frame]:
    """Return what leads from `since` to now: deltas, or a snapshot and deltas.

    An empty list says that nothing happened since.
    """
    with in_tenant(tenant_id):
        if since is not None:
            missed = _missed(tenant_id, since)
            if missed is not None:
                return missed
        frame = _recent_snapshot(tenant_id)
        return [frame, *(_missed(tenant_id, frame.last) or [])]


def stored(tenant_ids: dict[UUID, int], most: int = 500) -> dict[UUID, list[Frame]]:
    """Return the frames after the given number of each tenant, in order.

    Where they were pruned already, a frame `resync` stands for them.
    """
    with in_tenant(*tenant_ids):
        return {
            tenant_id: _after(tenant_id, since, most) or _pruned(tenant_id, since)
            for tenant_id, since in tenant_ids.items()
        }


def _pruned(tenant_id: UUID, since: int) -> list[Frame]:
    head = queries.head(tenant_id)
    return [Frame(head, head, '{"t": "resync"}')] if head > since else []


def _missed(tenant_id: UUID, since: int) -> list[Frame] | None:
    """Return the deltas after `since`, or None where they lead nowhere."""
    head = queries.head(tenant_id)
    if since > head or head - since > MOST_MISSED:
        return None
    frames = _after(tenant_id, since, MOST_MISSED)
    unbroken = [frame.first for frame in frames] == list(range(since + 1, head + 1))
    # A commit between the two reads adds frames; that is no break.
    if unbroken or (frames and frames[0].first == since + 1):
        return frames
    return None if head > since else []


def _after(tenant_id: UUID, since: int, most: int) -> list[Frame]:
    rows = (
        Live.objects.filter(tenant_id=tenant_id, seq__gt=since)
        .order_by("seq")
        .values_list("seq", "frame")[:most]
    )
    return [Frame(seq, seq, json.dumps(frame)) for seq, frame in rows]


def _recent_snapshot(tenant_id: UUID) -> Frame:
    """Return a snapshot at most a second old: after a restart all screens come
    back at once, and all of a tenant get the same. What changed since follows."""
    made, frame = _snapshots.get(tenant_id, (0.0, None))
    if frame is None or time.monotonic() - made > SNAPSHOT_SECONDS:
        if len(_snapshots) >= MOST_SNAPSHOTS:
            _snapshots.clear()
        frame = _snapshot(tenant_id)
        _snapshots[tenant_id] = (time.monotonic(), frame)
    return frame


def _snapshot(tenant_id: UUID) -> Frame:
    found = queries.snapshot(tenant_id)
    value: dict[str, Any] = {
        "t": "snapshot",
        "seq": found.seq,
        "groups": found.groups,
        "more": found.more,
        "build": build_hash(),
    }
    return Frame(found.seq, found.seq, json.dumps(value))
