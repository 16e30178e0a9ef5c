"""When is a route's channel told of a group again? Alertmanager's timers.

A group of a route with channels has a timer (`flush`): due after group_wait, at once
when one of its alerts is older than that, then at whole group intervals. Where
Alertmanager looks at every interval, we only do when something changed or a reminder is
due, at the same times: a group that nothing happens to costs nothing. What is told is
decided by alerts.notices from the log of what was told last, and written to the outbox
in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import lifecycle, notices, quiet
from alertcenter.alerts.grouping import Regrouped, as_array
from alertcenter.alerts.models import Group, Notice
from alertcenter.alerts.routing import NOWHERE, Book, CompiledRoute, RouteBook
from alertcenter.common import failpoints
from escalation import said, storms
from escalation.intervals import muted_by
from notifications import outbox
from notifications.models import Channel
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

BATCH = 100
# So many firing members of a group are looked at, and so many resolved ones.
MOST_MEMBERS = 100_000
LONGEST_BACKOFF = 300
# A reminder may be far off; a group is looked at this often all the same.
LONGEST_PAUSE = timedelta(days=1)
BITS = (1 << 63) - 1

# At once when an alert is older than the wait, as its tool has waited already.
SET = """
INSERT INTO flush (tenant_id, key, group_id, anchor, due_at, cleared_at, earlier,
                   attempts, error)
SELECT %(tenant)s, x.key, x.group_id, x.due, x.due, now(), '{}', 0, ''
FROM (
  SELECT y.key, y.group_id, y.interval, greatest(now(),
    coalesce((SELECT min(a.starts_at) FROM group_alert m
              JOIN alert a ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
              WHERE m.tenant_id = %(tenant)s AND m.group_id = y.group_id
                AND m.left_at IS NULL), now()) + y.wait * interval '1 second') AS due
  FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS y(key text, group_id uuid, wait int, interval int)
) x
ON CONFLICT (tenant_id, key) DO UPDATE SET group_id = excluded.group_id,
  earlier = CASE WHEN flush.group_id = excluded.group_id THEN flush.earlier
    ELSE flush.earlier || flush.group_id END
"""
# To the next whole interval after the anchor, unless it comes sooner anyway; before the
# first time, an alert that is older than the wait brings it forward.
PULL = """
UPDATE flush f SET due_at = least(f.due_at, CASE WHEN f.anchor > now()
    THEN least(f.anchor, x.due) ELSE f.anchor + x.interval * interval '1 second' *
      greatest(1, ceil(extract(epoch FROM now() - f.anchor) / x.interval)) END),
  anchor = CASE WHEN f.anchor > now() THEN least(f.anchor, x.due) ELSE f.anchor END
FROM (
  SELECT y.group_id, y.interval, greatest(now(),
    (SELECT min(a.starts_at) FROM group_alert m
     JOIN alert a ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
     WHERE m.tenant_id = %(tenant)s AND m.group_id = y.group_id AND m.left_at IS NULL)
    + y.wait * interval '1 second') AS due
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS y(group_id uuid, wait int, interval int)
) x
WHERE f.tenant_id = %(tenant)s AND f.group_id = x.group_id
"""


def follow(
    tenant_id: UUID, groups: Sequence[Regrouped], marked: Set[UUID], *, book: Book
) -> None:
    """Set timers for groups that opened, and bring those forward that changed."""
    if not any(route.channels for route in book.by_id.values()):
        return
    rows = []
    for item in groups:
        route = book.by_id.get(item.group.route_id)
        if route and route.channels and not item.resolved:
            rows.append(_row(item.group, route))
    if rows:
        _execute(SET, tenant_id, rows)
    pull(tenant_id, {g.group.pk for g in groups} | marked, book=book)


def pull(tenant_id: UUID, group_ids: Iterable[UUID], *, book: Book) -> None:
    """Look at these groups at their next interval."""
    ids = list(group_ids)
    if not ids or not any(route.channels for route in book.by_id.values()):
        return
    rows = [
        _row(group, book.by_id[group.route_id])
        for group in Group.objects.filter(tenant_id=tenant_id, pk__in=ids)
        if group.route_id in book.by_id
    ]
    if rows:
        _execute(PULL, tenant_id, rows)


def _row(group: Group, route: CompiledRoute) -> dict[str, Any]:
    return {
        "key": group.key,
        "group_id": group.pk,
        "wait": route.wait_seconds,
        "interval": route.interval_seconds,
    }


def _execute(
    statement: str, tenant_id: UUID, rows: Sequence[Mapping[str, Any]]
) -> None:
    values: dict[str, Any] = {"tenant": tenant_id, "rows": quiet.as_text(rows)}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


# --- the timers fall due ---

# Fair between tenants, as due steps are.
DUE = """
SELECT tenant_id, group_id FROM (
  SELECT tenant_id, group_id, due_at,
         row_number() OVER (PARTITION BY tenant_id ORDER BY due_at) AS turn
  FROM flush WHERE due_at <= now()) waiting
ORDER BY turn, due_at LIMIT %s
"""
CLAIM = """
SELECT id, tenant_id, key, group_id, earlier, anchor, cleared_at, attempts FROM flush
WHERE group_id = ANY (%s::uuid[]) AND due_at <= now()
ORDER BY due_at, id FOR UPDATE SKIP LOCKED
"""


class Timer(NamedTuple):
    """One row of `flush`, locked."""

    id: int
    tenant_id: UUID
    key: str
    group_id: UUID
    earlier: list[UUID]
    anchor: datetime
    cleared_at: datetime
    attempts: int


_routes = RouteBook()


def do_due(limit: int = BATCH) -> int:
    """Flush the groups whose time has come; return how many."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(DUE, [limit])
            waiting = cursor.fetchall()
        if not waiting:
            return 0
        tenants = sorted({row[0] for row in waiting})
        with tenant_context(*tenants):
            # Groups first, skipping those that somebody holds: never a wait.
            groups = {
                group.pk: group
                for group in Group.objects.select_for_update(skip_locked=True)
                .filter(pk__in=[row[1] for row in waiting])
                .order_by("pk")
            }
            with connection.cursor() as cursor:
                cursor.execute(CLAIM, [as_array(list(groups))])
                timers = [Timer(*row) for row in cursor.fetchall()]
            failpoints.hit("flush.after_claim")
            for timer in timers:
                _flush_safely(timer, groups[timer.group_id])
            failpoints.hit("flush.before_commit")
    return len(timers)


def _flush_safely(timer: Timer, group: Group) -> None:
    """Flush one group; one that cannot be is tried again ever more rarely."""
    try:
        with transaction.atomic():
            flush(timer, group)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("flush_failed", extra={"flush": timer.id})
        wait = min(LONGEST_BACKOFF, 2 ** min(timer.attempts, 10))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE flush SET attempts = attempts + 1, error = %s, "
                "due_at = now() + %s * interval '1 second' WHERE id = %s",
                [f"{type(error).__name__}: {error}"[:2000], wait, timer.id],
            )


def flush(timer: Timer, group: Group) -> None:
    """Tell a group's channels what there is to tell, and set its timer anew."""
    tenant_id, now = timer.tenant_id, lifecycle.database_time()
    route = _routes.book(tenant_id).by_id.get(group.route_id)
    judged = quiet.judge_groups(tenant_id, [group.pk], most=MOST_MEMBERS)
    members = judged.get(group.pk, [])
    if route is None or not route.channels:
        # Switched off or paused: when it is on again, this group is told of.
        if members and group.route_id:
            _set_timer(timer, route or NOWHERE, [], clear=False, now=now)
        else:
            _forget(timer)
        return
    # In an interval that mutes the route, all of it is quiet: what was said to fire
    # is still owed its end.
    muted = muted_by(tenant_id, route, now) is not None
    by_name = {name_of(j.member.alert_id): j.member.alert_id for j in members}
    silent = {name_of(j.member.alert_id) for j in members if muted or j.quiet}
    ended, ended_quiet = _ended(timer)
    if muted:
        ended, ended_quiet = {}, ended | ended_quiet
    state = notices.Now(set(by_name) - silent, silent, set(ended), set(ended_quiet))
    by_name = ended | ended_quiet | by_name
    lasts = {
        row.channel_id: row
        for row in Notice.objects.filter(tenant_id=tenant_id, key=timer.key)
    }
    channels = Channel.objects.filter(
        tenant_id=tenant_id, pk__in=route.channels, active=True
    )
    repeat = timedelta(seconds=route.repeat_seconds)
    entries: list[outbox.Entry] = []
    told: list[datetime] = []
    kept = False
    for channel in storms.listening(group, channels.order_by("pk")):
        row = lasts.get(channel.pk)
        last = _last(row) if row and not said.is_over(row, group, channel) else None
        decision = notices.decide(
            last,
            state,
            at=now,
            repeat=repeat,
            tells_resolved=bool(channel.settings.get("send_resolved", True)),
            tells_quiet_ends=bool(channel.settings.get("send_quiet_ends", True)),
        )
        waits = _somebody_is_at_it(group, decision.reason)
        kept = kept or waits
        if not decision.reason or waits:
            if last:
                told.append(now if waits else last.at)
            continue
        entries += said.entries(group, route, channel, decision, by_name, at=now)
        _remember(timer, channel, decision, now + 2 * repeat)
        told.append(now)
    outbox.put(tenant_id, entries)
    if not members and not kept:
        _forget(timer)
    else:
        _set_timer(timer, route, told, clear=not kept, now=now)


def _last(row: Notice) -> notices.Last:
    return notices.Last(
        row.at, frozenset(row.firing), frozenset(row.resolved), frozenset(row.owed)
    )


def _forget(timer: Timer) -> None:
    """End the timer of a group in which nothing fires any more."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM flush WHERE id = %s", [timer.id])


def _somebody_is_at_it(group: Group, reason: str) -> bool:
    """Whether a person has taken the group: then only its end is told."""
    if group.state not in ("acknowledged", "snoozed"):
        return False
    return reason in (notices.FIRST, notices.NEW_ALERTS, notices.REPEAT)


def name_of(alert_id: UUID) -> int:
    """Return an alert's name in the log."""
    return alert_id.int & BITS


def _ended(timer: Timer) -> tuple[dict[int, UUID], dict[int, UUID]]:
    """Return who was resolved since the last flush: to be heard of, and quiet."""
    found: tuple[dict[int, UUID], dict[int, UUID]] = ({}, {})
    for one in quiet.judge_ended(
        timer.tenant_id,
        [timer.group_id, *timer.earlier],
        timer.cleared_at,
        most=MOST_MEMBERS,
    ):
        found[one.quiet][name_of(one.member.alert_id)] = one.member.alert_id
    return found


def _remember(
    timer: Timer, channel: Channel, decision: notices.Decision, expires: datetime
) -> None:
    last = decision.last
    values = {
        "firing": sorted(last.firing),
        "resolved": sorted(last.resolved),
        "owed": sorted(last.owed),
        "reason": decision.reason,
        "at": last.at,
        "expires_at": expires,
    }
    row, fresh = Notice.objects.get_or_create(
        tenant_id=timer.tenant_id, key=timer.key, channel=channel, defaults=values
    )
    if not fresh:
        Notice.objects.filter(pk=row.pk).update(**values, times=row.times + 1)


SET_TIMER = """
UPDATE flush SET due_at = %s, attempts = 0, error = '',
  cleared_at = CASE WHEN %s THEN clock_timestamp() ELSE cleared_at END,
  earlier = CASE WHEN %s THEN '{}' ELSE earlier END
WHERE id = %s
"""


def _set_timer(
    timer: Timer,
    route: CompiledRoute,
    told: Sequence[datetime],
    *,
    clear: bool,
    now: datetime,
) -> None:
    """Look again at the interval at which the first reminder is due."""
    step = timedelta(seconds=route.interval_seconds)
    wanted = min(told) + timedelta(seconds=route.repeat_seconds) if told else now
    if route.mute_intervals or route.active_intervals:
        wanted = now  # nothing tells when an interval ends
    elif not told:
        wanted = now + LONGEST_PAUSE
    wanted = min(max(wanted, now), now + max(LONGEST_PAUSE, step))
    due = timer.anchor + ((wanted - timer.anchor) // step + 1) * step
    with connection.cursor() as cursor:
        cursor.execute(SET_TIMER, [due, clear, clear, timer.id])


# Alertmanager looks for old entries each quarter of an hour; till then they hold.
PRUNE = """
DELETE FROM notice n WHERE expires_at < now() - interval '15 minutes' AND NOT EXISTS (
  SELECT FROM flush f WHERE f.tenant_id = n.tenant_id AND f.key = n.key)
"""


def prune() -> int:
    """Forget notices whose time is over; returns how many, over the context."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE)
        return int(cursor.rowcount)
