"""What does the statement read of an event? One JSON object; equal ones are merged."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec.structs import replace

from alertcenter.alerts.events import Event
from alertcenter.alerts.fingerprint import label_key, named_key
from alertcenter.alerts.rules import Rules
from alertcenter.alerts.waiting import Job

# Of two sayings of a firing alert the later end holds, if both lie well ahead.
AHEAD_SECONDS = 10.0

encode = msgspec.json.encode


class Line(msgspec.Struct, omit_defaults=True):
    """The statement's input by its names, but for the count and the ids."""

    tenant: str
    key: str
    severity: int
    title: str
    labels: dict[str, str]
    annotations: dict[str, str]
    source: str
    link: str
    correlation: str
    firing: bool | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ttl: int | None = None


class Row:
    """One event as it will be read, and which items of which jobs it stands for."""

    __slots__ = ("count", "event", "key", "owners", "text")

    def __init__(
        self, key: str, event: Event, text: str, owner: tuple[Job, int], count: int
    ) -> None:
        self.key = key
        self.event = event
        self.text = text
        self.owners = [owner]
        self.count = count


@dataclass(slots=True)
class Prepared:
    """A job's rows, and what its tenant's rules dropped."""

    rows: list[Row] = field(default_factory=list)
    dropped: int = 0
    without: set[int] = field(default_factory=set)


class Clock:
    """The database's time, as of its last answer, carried on by our own ticks."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def hear(self, epoch: float) -> None:
        """Note what the database said a moment ago, in seconds since 1970."""
        self._ahead = epoch - time.monotonic()

    def now(self) -> float | None:
        """Return the database's time, never too late; None when unknown."""
        return None if self._ahead is None else self._ahead + time.monotonic()


CLOCK = Clock()


def prepare(job: Job, rules: Rules) -> Prepared:
    """Return the job's rows, after the rules."""
    prepared = Prepared()
    tenant = str(job.tenant_id)
    counts = job.counts or [1] * len(job.events)
    for event, index, count in zip(job.events, job.indexes, counts, strict=True):
        kept = rules.apply(event) if rules else event
        if kept is None:
            prepared.dropped += count
            prepared.without.add(index)
            continue
        key = named_key(job.scope, kept.key) if kept.key else label_key(kept.labels)
        text = as_text(tenant, key, kept, job.correlation_id)
        prepared.rows.append(Row(key, kept, text, (job, index), count))
    return prepared


def as_text(tenant: str, key: str, event: Event, correlation_id: str) -> str:
    """Return the event as a JSON object without its opening brace."""
    line = Line(
        tenant,
        key,
        event.severity,
        event.title,
        event.labels,
        event.annotations,
        event.source,
        event.link,
        correlation_id,
        event.firing,
        event.starts_at,
        event.ends_at,
        event.ttl_seconds,
    )
    return encode(line)[1:].decode()


def merge(known: Row, more: Row) -> bool:
    """Let `known` stand for `more` too, if that says nothing else: the later end of
    the two is kept. Return whether it could."""
    if known.event != more.event:
        if not is_repeat(known.event, more.event):
            return False
        known.event, known.text = max(
            (known.event, known.text), (more.event, more.text), key=end_of
        )
    known.count += more.count
    known.owners += more.owners
    return True


def end_of(pair: tuple[Event, str]) -> datetime:
    """Return when the event ends, which is_repeat has made sure of."""
    assert pair[0].ends_at is not None
    return pair[0].ends_at


def is_repeat(known: Event, more: Event) -> bool:
    """Whether two events differ in their end only, and both ends lie well ahead."""
    now = CLOCK.now()
    if now is None or known.ends_at is None or more.ends_at is None:
        return False
    soonest = min(known.ends_at, more.ends_at).timestamp()
    if soonest < now + AHEAD_SECONDS or known.firing is False:
        return False
    return replace(more, ends_at=known.ends_at) == known


def as_payload(rows: list[Row]) -> str:
    """Return the statement's input, with ids for what each row may become.

    UUIDs of version 7 (RFC 9562): milliseconds, 48 random bits, and a counter where
    the rest of the random bits would be. One draw of random bits serves all rows, and
    the server, whose uuidv7() opens the random device each time, is spared two a row.
    """
    random = os.urandom(6).hex()
    head = f"{time.time_ns() // 1_000_000:012x}7{random[:3]}8{random[3:]}"
    lines = ",".join(
        [
            f'{{"id":"{head}{2 * number:06x}","episode":"{head}{2 * number + 1:06x}",'
            f'"count":{row.count},{row.text}'
            for number, row in enumerate(rows)
        ]
    )
    return f"[{lines}]"
