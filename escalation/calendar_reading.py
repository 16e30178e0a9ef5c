"""When is a calendar read, and what becomes of what it says?

Schedules import calendars of shifts, members one of their absences. Each row says when
it is due; an engine claims one by moving that on, asks for it without a transaction,
and writes what it found if the row is still as it was when claimed. What cannot be
read leaves what was read before in its place.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts.lifecycle import database_time
from escalation import calendar_notices, ical_apart
from escalation.calendar_fetch import Fetched, fetch
from escalation.calendar_people import Found, people_of, shifts_of
from escalation.hours import Span
from escalation.ical_in import CalendarError, Event
from escalation.models.calendars import (
    Absence,
    Availability,
    CalendarImport,
    ImportedShift,
)
from tenants import access
from tenants.fields import reveal
from tenants.rls import in_tenant, tenant_context

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
BEFORE, AHEAD = timedelta(days=1), timedelta(days=400)
AT_ONCE = 1000

Row = CalendarImport | Availability
Reader = Callable[[bytes, ZoneInfo, Span], list[Event]]

# One candidate of each tenant, and one of those by lot: whoever has a hundred slow
# calendars keeps nobody else waiting. `{url}` is the column of the address.
CLAIM = """
WITH candidate AS (
  SELECT id, random() AS lot FROM (
    SELECT DISTINCT ON (tenant_id) id FROM {table}
    WHERE due_at <= now() AND {url} IS NOT NULL ORDER BY tenant_id, due_at
  ) first
), mine AS (
  SELECT t.id FROM {table} t JOIN candidate c ON c.id = t.id
  WHERE t.due_at <= now() ORDER BY c.lot LIMIT 1 FOR UPDATE OF t SKIP LOCKED
)
UPDATE {table} t SET due_at = clock_timestamp() + %s::interval
FROM mine WHERE t.id = mine.id
RETURNING t.tenant_id, t.id, t.due_at
"""


@dataclass(frozen=True)
class Claim:
    """One calendar that is ours to read, until its row changes."""

    kind: type[Row]
    tenant_id: UUID
    pk: UUID
    due_at: datetime

    def locked(self) -> Row | None:
        """Return the row if it is still as it was claimed (needs the context)."""
        rows: Any = self.kind._default_manager.select_for_update()
        found: Row | None = rows.filter(
            tenant_id=self.tenant_id, pk=self.pk, due_at=self.due_at
        ).first()
        return found


def read_due(reader: Reader = ical_apart.read) -> int:
    """Read one calendar of each kind that is due; return how many were."""
    done = 0
    for kind, url in ((CalendarImport, "url"), (Availability, "absences_url")):
        claim = claim_one(kind, url)
        if claim is not None:
            read_safely(claim, reader)
            done += 1
    return done


def read_safely(claim: Claim, reader: Reader) -> None:
    """Read it; what nobody foresaw is noted, too: its people must hear of it, and the
    calendars after it are read."""
    try:
        read_one(claim, reader)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("calendar_failed", extra={"tenant": str(claim.tenant_id)})
        _note_failure(claim, CalendarError("unreadable", type(error).__name__))


def claim_one(kind: type[Row], url: str) -> Claim | None:
    """Take a calendar that is due; nobody else reads it for a while."""
    with transaction.atomic():
        ids = [tenant_id for tenant_id, _slug in access.tenants()]
        with tenant_context(*ids), connection.cursor() as cursor:
            table = kind._meta.db_table
            cursor.execute(CLAIM.format(table=table, url=url), [str(EVERY)])
            row = cursor.fetchone()
    return Claim(kind, *row) if row else None


@dataclass(frozen=True)
class Known:
    """What is needed to read a calendar, and what was found the last time."""

    url: str
    etag: str
    last_modified: str
    digest: str
    zone: ZoneInfo
    within: Span
    meaning: str  # a digest of all by which the same text would mean the same


def read_one(claim: Claim, reader: Reader) -> None:
    """Ask, understand, write; or note why not."""
    with in_tenant(claim.tenant_id):
        row = claim.locked()
        known = _known(row) if row is not None else None
    if known is None:
        return
    try:
        fetched, digest = _asked(known)
        unchanged = digest == known.digest
        events = None
        if not unchanged and fetched.data is not None:
            events = reader(fetched.data, known.zone, known.within)
    except CalendarError as error:
        _note_failure(claim, error)
        return
    with in_tenant(claim.tenant_id):
        row = claim.locked()
        if row is None:
            return
        if events is not None:
            absorb(row, events)
        _note_success(row, fetched, digest)


def _asked(known: Known) -> tuple[Fetched, str]:
    """Return what came, and what it is known by."""
    same = known.digest.startswith(f"{known.meaning}:")
    fetched = fetch(
        known.url,
        etag=known.etag if same else "",
        last_modified=known.last_modified if same else "",
    )
    if fetched.data is None:
        return fetched, known.digest
    return fetched, f"{known.meaning}:{hashlib.sha256(fetched.data).hexdigest()}"


def _known(row: Row) -> Known:
    now = database_time()
    if isinstance(row, CalendarImport):
        url, zone = reveal(row, "url"), row.schedule.time_zone
        names = people_of(row.tenant_id).signature()
    else:
        url, zone, names = reveal(row, "absences_url"), row.member.time_zone, ""
    # Each day it is read anew: what recurs has moved into sight.
    meant = "\n".join((str(now.date()), zone, url, names))
    return Known(
        url,
        row.etag,
        row.last_modified,
        row.digest,
        ZoneInfo(zone),
        Span(now - BEFORE, now + AHEAD),
        hashlib.sha256(meant.encode()).hexdigest(),
    )


def _note_success(row: Row, fetched: Fetched, digest: str) -> None:
    now = database_time()
    row.fetched_at, row.due_at, row.error = now, now + EVERY, ""
    row.failures, row.told_at, row.digest = 0, None, digest
    row.etag, row.last_modified = fetched.etag, fetched.last_modified
    row.save(update_fields=[*WRITTEN, "etag", "last_modified", "digest", "fetched_at"])


WRITTEN = ("due_at", "error", "failures", "told_at")


def _note_failure(claim: Claim, error: CalendarError) -> None:
    """Say what is wrong, ask again after longer and longer, and tell its people."""
    with in_tenant(claim.tenant_id):
        row = claim.locked()
        if row is None:
            return
        now = database_time()
        row.failures += 1
        row.error = f"{error.code}\n{error.part}" if error.part else error.code
        pause = EVERY * 2 ** min(row.failures - 1, 10)
        row.due_at = now + min(pause, LONGEST_PAUSE)
        if row.told_at is None and calendar_notices.is_to_be_told(row, now):
            row.told_at = now
            calendar_notices.tell(row)
        row.save(update_fields=WRITTEN)
    log.info(
        "calendar_not_read",
        extra={"tenant": claim.tenant_id, "error": error.code},
    )


# --- what the events become ---


def absorb(row: Row, events: list[Event]) -> None:
    """Put what a calendar says in the place of what it said; in one transaction."""
    if isinstance(row, CalendarImport):
        _absorb_shifts(row, events)
    else:
        _absorb_absences(row, events)


def _absorb_shifts(row: CalendarImport, events: list[Event]) -> None:
    wanted, unknown = shifts_of(events, people_of(row.tenant_id))
    rows = ImportedShift.objects.filter(tenant_id=row.tenant_id, calendar=row)
    held = {
        Found(member, level, begin, end, uid): pk
        for pk, member, level, begin, end, uid in rows.values_list(
            "pk", "member_id", "level", "starts_at", "ends_at", "uid"
        )
    }
    rows.filter(pk__in=[pk for one, pk in held.items() if one not in wanted]).delete()
    ImportedShift.objects.bulk_create(
        (
            ImportedShift(tenant_id=row.tenant_id, calendar=row, **one._asdict())
            for one in sorted(wanted - held.keys())
        ),
        batch_size=AT_ONCE,
    )
    if row.unknown != unknown:
        row.unknown = unknown
        row.save(update_fields=["unknown"])


def _absorb_absences(row: Availability, events: list[Event]) -> None:
    """Replace the member's absences that were read; those a person wrote stay."""
    wanted = {
        (one.uid, one.starts_at, one.ends_at, one.summary[:LONGEST_NOTE])
        for one in events
        if is_absence(one)
    }
    rows = Absence.objects.filter(
        tenant_id=row.tenant_id, member_id=row.member_id
    ).exclude(uid="")
    held = {
        (uid, begin, end, note): pk
        for pk, uid, begin, end, note in rows.values_list(
            "pk", "uid", "starts_at", "ends_at", "note"
        )
    }
    rows.filter(pk__in=[pk for one, pk in held.items() if one not in wanted]).delete()
    Absence.objects.bulk_create(
        (
            Absence(
                tenant_id=row.tenant_id,
                member_id=row.member_id,
                uid=uid,
                starts_at=begin,
                ends_at=end,
                note=note,
            )
            for uid, begin, end, note in sorted(wanted - held.keys())
        ),
        batch_size=AT_ONCE,
    )


LONGEST_NOTE = 200


def is_absence(event: Event) -> bool:
    """Whether an event says that its owner is away.

    Calendars write whole days as "free" unless told otherwise, also those of a
    holiday; so "free" counts for events with times only.
    """
    return event.whole_days or not event.free


def forget_absences(row: Availability) -> None:
    """Take away what was read from a calendar that is no longer named."""
    Absence.objects.filter(tenant_id=row.tenant_id, member_id=row.member_id).exclude(
        uid=""
    ).delete()
