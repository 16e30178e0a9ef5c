"""Which repeats need no commit of their own? Those that say what was committed less
than a second ago.

Prometheus says the same again and again, to every Alertmanager it knows. An alert
whose labels, annotations, start and link are byte for byte those of a commit at most
SECONDS old is answered at once, and told to the database together with the others of
its kind, at most about SECONDS later, as an ordinary event with its count and its
latest end. So a crash can lose a second of counters, never an alert: what was answered
is on disk since the first time. Only Prometheus' own protocol may do so, where an alert
is a state that is sent again (design/decisions.md section 4), and only for alerts whose
end lies well ahead by the database's clock: a resolve always takes the whole road.

Used by the event loop alone, hence without locks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec

from alertcenter.alerts.events import BadItem, Event, Parsed, clean_time
from alertcenter.alerts.rows import AHEAD_SECONDS, CLOCK
from alertcenter.alerts.sources.alertmanager_v2 import (
    MOMENT,
    UNDECODED,
    UndecodedAlert,
    decoded,
)
from alertcenter.alerts.sources.reading import MOST_ITEMS
from alertcenter.alerts.waiting import Accepted

SECONDS = 1.0
FLUSH_SECONDS = 0.25
MOST_REMEMBERED = 100_000
# Of those remembered; a second may be said with a million digits.
LONGEST_MOMENT = 64
FOREVER = float("inf")


class Seen:
    """What was committed `at`, and was said `count` times since, until `ends`."""

    __slots__ = ("at", "count", "ends", "event", "tenant_id")

    def __init__(self, tenant_id: UUID, at: float) -> None:
        self.tenant_id = tenant_id
        self.at = at
        self.count = 0
        self.ends: datetime | None = None
        self.event: Event | None = None


@dataclass(slots=True)
class Sifted:
    """What of a body must be written: `parsed`, how often each was said (`counts`) and
    its name here; and how many alerts need no writing."""

    tenant_id: UUID
    parsed: Parsed = field(default_factory=Parsed)
    counts: list[int] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    remembered: int = 0


Write = Callable[[Sifted], None]


class Repeats:
    """What was committed in the last seconds, of all tenants of this process."""

    def __init__(self) -> None:
        self._fresh: dict[bytes, Seen] = {}
        self._older: dict[bytes, Seen] = {}
        self._turned = 0.0
        self._repeated: dict[bytes, Seen] = {}
        self._moments: dict[bytes, tuple[float, datetime | None]] = {}

    def sift(self, tenant_id: UUID, body: bytes) -> Sifted | None:
        """Return what of `body` must be written; None when it is not plainly a list of
        good alerts, so that the parser has to say what is wrong with it."""
        clock = CLOCK.now()
        if clock is None:
            return None
        try:
            items = UNDECODED.decode(body)
            if len(items) > MOST_ITEMS:
                return None
            return self._sift(tenant_id, items, clock + AHEAD_SECONDS)
        except (msgspec.MsgspecError, BadItem, UnicodeDecodeError, RecursionError):
            return None

    def _sift(
        self, tenant_id: UUID, items: Sequence[UndecodedAlert], soonest: float
    ) -> Sifted:
        sifted = Sifted(tenant_id)
        again: list[tuple[bytes, Seen, datetime | None, UndecodedAlert]] = []
        tenant = tenant_id.bytes
        freshest = time.monotonic() - SECONDS
        for index, item in enumerate(items):
            epoch, ends = self._moment(item.endsAt)
            name = blake2b(
                b"\0".join(
                    (
                        tenant,
                        item.labels,
                        item.annotations,
                        item.startsAt,
                        item.generatorURL,
                        b"" if ends is None else b"1",
                    )
                ),
                digest_size=16,
            ).digest()
            seen = self._fresh.get(name) or self._older.get(name)
            if seen is not None and seen.at > freshest and epoch > soonest:
                again.append((name, seen, ends, item))
                continue
            sifted.parsed.add(index, decoded(item, ends))
            sifted.names.append(name if epoch > soonest else b"")
            sifted.counts.append(1)
        # Only now, as the whole body is good and nobody will read it again.
        for name, seen, ends, item in again:
            self._count(name, seen, ends, item)
        self._take_along(sifted)
        sifted.remembered = len(again)
        return sifted

    def _count(
        self, name: bytes, seen: Seen, ends: datetime | None, item: UndecodedAlert
    ) -> None:
        seen.count += 1
        if seen.event is None:
            seen.event = decoded(item, ends)
            self._repeated[name] = seen
        if ends is not None and (seen.ends is None or ends > seen.ends):
            seen.ends = ends

    def _take_along(self, sifted: Sifted) -> None:
        """Let what is written anyhow bring the count of its repeats."""
        if not self._repeated:
            return
        for place, name in enumerate(sifted.names):
            seen = self._repeated.pop(name, None)
            if seen is not None:
                sifted.counts[place] += seen.count
                seen.count, seen.event, seen.ends = 0, None, None

    def _moment(self, raw: msgspec.Raw) -> tuple[float, datetime | None]:
        """Return a moment in seconds since 1970 and as a time; absent: for ever."""
        text = bytes(raw)
        known = self._moments.get(text)
        if known is None:
            moment = MOMENT.decode(text)
            if moment is None or moment.year < 1971:
                known = (FOREVER, None)
            elif moment.tzinfo is None:
                raise BadItem("a time without a zone")
            else:
                known = (moment.timestamp(), clean_time(moment))
            if len(text) > LONGEST_MOMENT:
                return known
            if len(self._moments) >= 10_000:
                self._moments.clear()
            self._moments[text] = known
        return known

    def confirm(self, sifted: Sifted, accepted: Accepted) -> None:
        """Remember what was just committed."""
        now = time.monotonic()
        if now - self._turned > SECONDS:
            self._older, self._fresh, self._turned = self._fresh, {}, now
        for name, index in zip(sifted.names, sifted.parsed.indexes, strict=True):
            if not name or index in accepted.without:
                continue
            seen = self._fresh.get(name)
            if seen is None:
                seen = self._repeated.get(name)
                if seen is None:
                    if len(self._fresh) >= MOST_REMEMBERED:
                        return
                    seen = Seen(sifted.tenant_id, now)
                self._fresh[name] = seen
            seen.at = now

    def forget(self) -> None:
        """Answer nothing from memory until it is committed again: the database is
        away."""
        self._fresh, self._older = {}, {}

    def restore(self, sifted: Sifted) -> None:
        """Take back what a flush could not write, for the next one."""
        now = time.monotonic()
        for name, event, count in zip(
            sifted.names, sifted.parsed.events, sifted.counts, strict=True
        ):
            seen = self._repeated.setdefault(name, Seen(sifted.tenant_id, now))
            seen.count += count
            if seen.event is None:
                seen.event, seen.ends = event, event.ends_at

    def flush(self, write: Write, *, everything: bool = False) -> int:
        """Give `write` the repeats that wait since SECONDS; return how many alerts."""
        latest = time.monotonic() - SECONDS
        by_tenant: dict[UUID, Sifted] = {}
        for name, seen in list(self._repeated.items()):
            if seen.at > latest and not everything:
                continue
            del self._repeated[name]
            if seen.event is None:
                continue
            sifted = by_tenant.setdefault(seen.tenant_id, Sifted(seen.tenant_id))
            event = msgspec.structs.replace(seen.event, ends_at=seen.ends)
            sifted.parsed.add(len(sifted.names), event)
            sifted.names.append(name)
            sifted.counts.append(seen.count)
            seen.count, seen.event, seen.ends = 0, None, None
        for sifted in by_tenant.values():
            write(sifted)
        return sum(len(sifted.names) for sifted in by_tenant.values())
