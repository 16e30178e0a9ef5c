"""How does a silence begin, change and end? The one door for people's acts on them.

Alertmanager's rules (silence/silence.go; reference/wire-protocols.md 3.5): a silence is
changed in place only where that cannot rewrite what it muted; else it ends, and another
one takes its place. Admin, API and dashboard call these, in the tenant's context and a
transaction, having asked for permission (roles.ACT).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Func
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from alertcenter.alerts import lifecycle, quiet, requiet, windows
from alertcenter.alerts.inhibition import as_array
from alertcenter.alerts.models import Silence
from alertcenter.alerts.silence_drafts import (
    FIELDS,
    Draft,
    SilenceError,
    checked,
    draft_of,
    window_of,
)
from alertcenter.alerts.silence_preview import reach_of
from alertcenter.alerts.windows import Standing, WindowError
from tenants import audit
from tenants.actors import MEMBER, Actor

__all__ = ["Draft", "SilenceError", "draft_of", "expire", "save", "state_of"]

ACTIVE, PENDING, EXPIRED = "active", "pending", "expired"
MOST_UNEXPIRED = 10_000
KEPT = timedelta(hours=120)  # after its end; Alertmanager's --data.retention

# Of all silences a tenant's writers make, in the order in which they make them: the
# book of silences is read anew when the newest is newer (alertcenter.alerts.quiet).
CLOCK: Any = Func(function="clock_timestamp")


def state_of(silence: Silence, now: datetime) -> str:
    """Return active, pending or expired. Between two occurrences it is pending."""
    if silence.ends_at <= now:
        return EXPIRED
    try:
        return ACTIVE if windows.holds(window_of(silence), now) else PENDING
    except WindowError:  # it was not written here, and never holds
        return PENDING


def standing_of(silence: Silence, now: datetime) -> Standing:
    """Return whether it holds at `now`, and until when; one that nobody can read (it
    was not written here) never does."""
    try:
        return windows.standing(window_of(silence), now)
    except WindowError:
        return Standing(False, None)


def save(
    tenant_id: UUID,
    draft: Draft,
    *,
    actor: Actor,
    silence_id: UUID | None = None,
    confirm: bool = False,
) -> Silence:
    """Keep a new silence, or a change of one; the id may be a new one.

    Without `confirm`, one that would mute over half of what is open is refused.
    Raises SilenceError.
    """
    now = lifecycle.database_time()
    draft = checked(tenant_id, draft, now)
    if not confirm:
        guard(tenant_id, draft, known=_known(tenant_id, silence_id))
    # Before any row: the engine and the flow take them in this order too.
    quiet.lock(tenant_id)
    known = _known(tenant_id, silence_id, lock=True)
    ended: list[UUID] = []
    if known is not None and may_change(known, draft, now):
        row, verb = known, "change"
    else:
        verb = "create"
        if known is not None and known.ends_at > now:
            _end(known, now)
            ended = [known.pk]
        _check_room(tenant_id, now)
        row = Silence(tenant_id=tenant_id)
        if not draft.recurrence:  # whose occurrences are counted from its start
            draft = replace(draft, starts_at=max(draft.starts_at or now, now))
    _write(row, draft, now, actor)
    _note(row, verb, actor, instead_of=ended)
    requiet.refresh(tenant_id, [row.pk, *ended], actor=actor)
    if row.until_gone and row.muted_at is None:
        note_muting(tenant_id, muting(tenant_id, [row.pk]))
    return row


def expire(tenant_id: UUID, silence_id: UUID, *, actor: Actor) -> Silence:
    """End a silence now; one that has ended stays as it is. Raises SilenceError."""
    now = lifecycle.database_time()
    quiet.lock(tenant_id)
    row = _known(tenant_id, silence_id, lock=True)
    if row is None:
        raise not_found()
    if row.ends_at > now:
        _end(row, now)
        _note(row, "expire", actor)
        requiet.refresh(tenant_id, [row.pk], actor=actor)
    return row


def may_change(known: Silence, draft: Draft, now: datetime) -> bool:
    """Whether the silence may take these values and keep its id."""
    same = draft_of(known)
    if list(draft.matchers) != list(same.matchers) or any(
        getattr(draft, name) != getattr(same, name)
        for name in ("recurrence", "time_zone", "route_id", "group_id")
    ):
        return False
    begin = draft.starts_at or now
    if known.ends_at <= now:
        return False
    if known.starts_at <= now:  # active
        return int(begin.timestamp()) == int(known.starts_at.timestamp())
    return begin >= now


def guard(tenant_id: UUID, draft: Draft, *, known: Silence | None = None) -> None:
    """Raise SilenceError if too much of what is open would fall quiet.

    What a silence mutes already is nobody's surprise when it is prolonged.
    """
    if known is not None and (
        list(draft.matchers) == list(known.matchers)
        and (draft.route_id, draft.group_id) == (known.route_id, known.group_id)
        and state_of(known, lifecycle.database_time()) == ACTIVE
    ):
        return
    reach = reach_of(
        tenant_id, draft.matchers, route_id=draft.route_id, group_id=draft.group_id
    )
    if reach.is_broad:
        numbers = {"muted": reach.muted, "open": reach.open}
        message = _(
            "This would silence %(muted)d of %(open)d open alerts. Confirm it if that "
            "is what you want."
        )
        raise SilenceError("broad", message % numbers, data=numbers)


def not_found() -> SilenceError:
    return SilenceError("not_found", _("There is no such silence."))


MUTING = """
SELECT DISTINCT unnest(silenced_by) FROM group_alert
WHERE tenant_id = %s AND left_at IS NULL AND silenced_by && %s::uuid[]
"""


def muting(tenant_id: UUID, silence_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of these mute something that fires."""
    if not silence_ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(MUTING, [tenant_id, as_array(silence_ids)])
        return {row[0] for row in cursor.fetchall()} & set(silence_ids)


def note_muting(tenant_id: UUID, silence_ids: Iterable[UUID]) -> None:
    """Remember that these have muted something."""
    rows = Silence.objects.filter(tenant_id=tenant_id, pk__in=list(silence_ids))
    rows.filter(muted_at=None).update(muted_at=Now())


def reckon(row: Silence, now: datetime) -> None:
    """Set whether it holds, and when the engine is to look again."""
    standing = standing_of(row, now)
    row.in_force = standing.in_force
    if row.ends_at <= now:
        row.next_change_at = row.ends_at + KEPT
        return
    looks = [standing.changes_at or row.ends_at]
    reminder = reminder_at(row)
    if reminder is not None:
        looks.append(reminder)
    row.next_change_at = min(looks)


def reminder_at(row: Silence) -> datetime | None:
    """Return when somebody is to be told that it ends; None for never, or no more."""
    if not row.remind_seconds or row.reminded_at is not None:
        return None
    at = row.ends_at - timedelta(seconds=row.remind_seconds)
    return at if at > row.starts_at else None  # it would come with its beginning


def _known(
    tenant_id: UUID, silence_id: UUID | None, *, lock: bool = False
) -> Silence | None:
    """Return the silence; None without an id. Raises SilenceError."""
    if silence_id is None:
        return None
    rows = Silence.objects.filter(tenant_id=tenant_id, pk=silence_id)
    row = (rows.select_for_update() if lock else rows).first()
    if row is None:
        raise not_found()
    return row


def _check_room(tenant_id: UUID, now: datetime) -> None:
    unexpired = Silence.objects.filter(tenant_id=tenant_id, ends_at__gt=now)
    if unexpired.count() >= MOST_UNEXPIRED:
        message = _("There may be %(most)d silences at most; let some expire first.")
        raise SilenceError("many", message % {"most": MOST_UNEXPIRED})


def _write(row: Silence, draft: Draft, now: datetime, actor: Actor) -> None:
    prolonged = row.ends_at != draft.ends_at
    for name in FIELDS:
        setattr(row, name, getattr(draft, name))
    row.starts_at = draft.starts_at or now
    row.created_by = draft.created_by or actor.label[:200]
    if draft.owner_id is None and actor.kind == MEMBER:
        row.owner_id = UUID(actor.id)
    if prolonged:
        row.reminded_at = None
    _keep(row, now)


def _end(row: Silence, now: datetime) -> None:
    """End it now; one that did not begin yet never does."""
    if row.starts_at > now:
        row.starts_at = now
    row.ends_at = now
    _keep(row, now)


def _keep(row: Silence, now: datetime) -> None:
    reckon(row, now)
    row.updated_at = CLOCK
    row.save()
    row.refresh_from_db(fields=["updated_at"])


def _note(row: Silence, verb: str, actor: Actor, **data: Any) -> None:
    audit.record(
        row.tenant_id,
        actor,
        f"silence.{verb}",
        kind="silence",
        object_id=row.pk,
        matchers=list(row.matchers),
        starts_at=row.starts_at.isoformat(),
        ends_at=row.ends_at.isoformat(),
        comment=row.comment[:500],
        **{name: [str(one) for one in value] for name, value in data.items() if value},
    )
