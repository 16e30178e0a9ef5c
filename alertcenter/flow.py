"""In which order does a change travel? This is the straight line.

An accepted event that changed something left a row in `feed`. A dispatcher takes the
rows of free shards, in order, and in one transaction:

1. regroups the alerts: routes choose groups, groups open, grow, shrink, resolve;
2. marks those that a silence, a maintenance or another alert keeps quiet;
3. lets a route's storm take the groups that are too many, and
   starts, restarts or stops the groups' runs (their steps fall due later, and are
   held while the group is quiet), and sets the timers of routes with channels;
4. refreshes the conversations about groups that were resolved or got worse; those
   that only grew wait in the feed for `redraw_grown`, where a storm's growth is one
   redraw, and no new group's first page waits behind it;
5. gives every live screen the groups that changed.

A crash before the commit leaves the feed as it was; doing it twice changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

from alertcenter.alerts import quiet, telemetry
from alertcenter.alerts.grouping import GROWN, Regrouped, regroup
from alertcenter.alerts.models import Group
from alertcenter.alerts.routing import RouteBook
from alertcenter.alerts.upsert import SHARDS
from alertcenter.common import failpoints, tracing
from alertcenter.dashboard import relay
from escalation import actions, flaps, flushes, runs, storms, threads
from notifications import outbox
from tenants.actors import THE_ENGINE
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

BATCH, LEAST_BATCH = 2_000, 100
# One transaction aims at so many seconds: who comes meanwhile waits for its end. A
# thousand alerts of one group are quick, a thousand new groups are not.
TURN_SECONDS = 0.3
LOCK_CLASS = 4_242
# A group that only grows or shrinks is redrawn this often: a storm of alerts must not
# become a storm of messages (Slack takes one a second and channel).
GROWTH_SECONDS = 12
GROUPS_REDRAWN = 50
PARKED = -1

# Oldest first; but what a storm of one tenant leaves no room for comes with it: the
# changes of all tenants that do not fill half of the first page.
TAKE = """
WITH busy AS MATERIALIZED (
  SELECT shard FROM generate_series(0, %(shards)s - 1) AS shard
  WHERE (SELECT true FROM feed WHERE feed.shard = shard.shard LIMIT 1)
), free AS MATERIALIZED (
  SELECT shard FROM busy WHERE pg_try_advisory_xact_lock(%(class)s, shard)
), page AS MATERIALIZED (
  SELECT id, tenant_id FROM feed WHERE shard IN (SELECT shard FROM free)
  ORDER BY id LIMIT %(limit)s
), storms AS (
  SELECT tenant_id FROM page GROUP BY tenant_id HAVING count(*) > %(limit)s / 2
), aside AS (
  SELECT id FROM feed WHERE shard IN (SELECT shard FROM free)
    AND tenant_id NOT IN (SELECT tenant_id FROM storms)
    AND EXISTS (SELECT FROM storms)
  ORDER BY id LIMIT %(limit)s / 4
), taken AS (
  DELETE FROM feed WHERE id IN (SELECT id FROM page UNION SELECT id FROM aside)
  RETURNING id, tenant_id, alert_id, group_id, transition_id, at
)
SELECT * FROM taken ORDER BY id
"""
CORRELATIONS = """
SELECT t.alert_id, t.correlation_id FROM transition t
JOIN unnest(%s::bigint[], %s::timestamptz[]) AS x(id, at)
  ON t.id = x.id AND t.at = x.at
WHERE t.alert_id IS NOT NULL AND t.correlation_id <> ''
"""
TAKE_GROWN = """
DELETE FROM feed WHERE shard = %(grown)s AND group_id IN (
  SELECT group_id FROM feed WHERE shard = %(grown)s
  GROUP BY group_id ORDER BY min(id) LIMIT %(limit)s)
RETURNING tenant_id, group_id, transition_id, at
"""
GAINED = """
SELECT t.group_id, sum((t.data ->> 'count')::int), max(t.correlation_id)
FROM transition t
JOIN unnest(%s::bigint[], %s::timestamptz[]) AS x(id, at)
  ON t.id = x.id AND t.at = x.at
WHERE t.tenant_id = %s GROUP BY t.group_id
"""
SHRUNK = """
INSERT INTO feed (tenant_id, transition_id, group_id, shard, at)
SELECT %s, 0, g, %s, now() FROM unnest(%s::uuid[]) AS g
"""

_routes = RouteBook()


class Turns:
    """How many rows does the flow take next, and when is it worth another turn?"""

    def __init__(self) -> None:
        self.limit = BATCH

    def work(self) -> int:
        """Look at what changed; return how many rows were taken."""
        begun = time.monotonic()
        taken = process_feed(self.limit)
        spent = time.monotonic() - begun
        if taken >= self.limit or spent > TURN_SECONDS:
            fitting = int(taken * TURN_SECONDS / max(spent, 0.001))
            self.limit = max(LEAST_BATCH, min(BATCH, fitting, self.limit * 2))
        return taken

    def worth(self) -> int:
        """Return of how many rows on the next turn need not wait for more."""
        return self.limit // 2


def process_feed(limit: int = BATCH) -> int:
    """Look at what changed; return how many rows were taken."""
    begun = time.perf_counter()
    with transaction.atomic():
        with connection.cursor() as cursor:
            values = {"class": LOCK_CLASS, "limit": limit, "shards": SHARDS}
            cursor.execute(TAKE, values)
            rows = cursor.fetchall()
        if not rows:
            return 0
        failpoints.hit("flow.after_take")
        tenants = sorted({row[1] for row in rows})
        with tenant_context(*tenants):
            correlations = _correlations(rows)
            changed: dict[UUID, set[UUID]] = defaultdict(set)
            for tenant_id in tenants:
                mine = [row for row in rows if row[1] == tenant_id]
                touched = {row[3] for row in mine if row[3]}
                alert_ids = list(dict.fromkeys(row[2] for row in mine if row[2]))
                changed[tenant_id] |= follow_safely(tenant_id, alert_ids, correlations)
                changed[tenant_id] |= touched
                take_up(tenant_id, touched)
            show({t: ids for t, ids in changed.items() if ids})
        failpoints.hit("flow.before_commit")
    telemetry.FEED_ROWS.inc(len(rows))
    telemetry.FEED_BATCH.observe(len(rows))
    telemetry.FEED_SECONDS.observe(time.perf_counter() - begun)
    return len(rows)


def take_up(tenant_id: UUID, touched: set[UUID]) -> None:
    """Look at groups that were acted on or fell quiet, at once or at their interval.

    After the alerts: timers and due steps are locked after groups, always.
    """
    if touched:
        quiet.lock(tenant_id)
        flushes.pull(tenant_id, touched, book=_routes.book(tenant_id))
        runs.release(tenant_id, touched)


def _correlations(rows: Sequence[tuple[Any, ...]]) -> dict[UUID, str]:
    """Return the correlation id of each changed alert's request."""
    with connection.cursor() as cursor:
        cursor.execute(CORRELATIONS, [[r[4] for r in rows], [r[5] for r in rows]])
        return dict(cursor.fetchall())


def follow_safely(
    tenant_id: UUID, alert_ids: Sequence[UUID], correlations: dict[UUID, str]
) -> set[UUID]:
    """Follow alerts together; should that fail, in halves, so that one which cannot
    be followed is parked and holds up no other."""
    if not alert_ids:
        return set()
    try:
        with transaction.atomic():
            return follow(tenant_id, alert_ids, correlations)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(alert_ids) == 1:
            log.exception("alert_parked", extra={"tenant": str(tenant_id)})
            park(tenant_id, alert_ids[0])
            return set()
        middle = len(alert_ids) // 2
        first = follow_safely(tenant_id, alert_ids[:middle], correlations)
        return first | follow_safely(tenant_id, alert_ids[middle:], correlations)


def park(tenant_id: UUID, alert_id: UUID) -> None:
    """Set a change aside, out of every shard; its age shows in the backlog."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO feed (tenant_id, transition_id, alert_id, shard, at) "
            "VALUES (%s, 0, %s, %s, now())",
            [tenant_id, alert_id, PARKED],
        )


def unpark() -> int:
    """Let parked changes be tried again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE feed SET shard = abs(mod(hashtext(alert_id::text), %s)) "
            "WHERE shard = %s",
            [SHARDS, PARKED],
        )
    return 0


def show(changed: dict[UUID, set[UUID]]) -> None:
    """Give screens what changed; a frame that fails must not hold up a page."""
    try:
        with transaction.atomic():
            relay.publish(changed)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("frames_lost")


def follow(
    tenant_id: UUID, alert_ids: Sequence[UUID], correlations: dict[UUID, str]
) -> set[UUID]:
    """Carry changed alerts to groups, runs and threads; return the groups' ids."""
    quiet.lock(tenant_id)
    groups = regroup(tenant_id, alert_ids, routes=_routes, correlations=correlations)
    marked = quiet.mark_changed(tenant_id, alert_ids)
    shrunk = [g.group.pk for g in groups if g.left and g.group.quiet_count]
    quiet.recount(tenant_id, set(shrunk) - marked)
    opened = [g for g in groups if g.opened and g.placement]
    runs.start(
        tenant_id,
        [
            runs.Start(
                g.group, g.placement.route.policy_id, g.placement.route.wait_seconds
            )
            for g in storms.pass_on(tenant_id, opened)
            if g.placement
        ],
    )
    close(tenant_id, [g for g in groups if g.resolved])
    told = {g.group.pk for g in groups if g.opened or g.resolved}
    told |= reopen_worsened(tenant_id, groups)
    told |= flaps.tell_started(tenant_id, groups)
    silent = [g.group.pk for g in groups if not g.gained and g.group.pk not in told]
    if silent:
        with connection.cursor() as cursor:
            cursor.execute(SHRUNK, [tenant_id, GROWN, silent])
    concerned = {g.group.pk for g in groups} | marked
    flushes.follow(tenant_id, groups, marked, book=_routes.book(tenant_id))
    runs.release(tenant_id, concerned)
    return concerned


def redraw_grown(limit: int = GROUPS_REDRAWN) -> int:
    """Redraw what was said of groups that grew or shrank; return how many groups."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, GROWN]
            )
            if not cursor.fetchone()[0]:
                return 0
            cursor.execute(TAKE_GROWN, {"grown": GROWN, "limit": limit})
            rows = cursor.fetchall()
        tenants = sorted({row[0] for row in rows})
        with tenant_context(*tenants):
            for tenant_id in tenants:
                redraw(tenant_id, [row[1:] for row in rows if row[0] == tenant_id])
    return len({row[1] for row in rows})


def redraw(tenant_id: UUID, rows: Sequence[tuple[Any, ...]]) -> None:
    """Redraw a tenant's groups: rows of (group, transition that tells, its time)."""
    with connection.cursor() as cursor:
        cursor.execute(GAINED, [[r[1] for r in rows], [r[2] for r in rows], tenant_id])
        gained = {pk: (count, request) for pk, count, request in cursor.fetchall()}
    groups = Group.objects.select_for_update().filter(
        tenant_id=tenant_id, pk__in={row[0] for row in rows}
    )
    # A group resolved meanwhile has said so, which is later than this.
    for group in groups.exclude(state="resolved").order_by("pk"):
        count, request = gained.get(group.pk, (0, ""))
        try:
            with transaction.atomic(), tracing.bind(request):
                threads.refresh(
                    tenant_id,
                    [group],
                    kind="grouped" if count else "",
                    actor="",
                    data={"count": count} if count else {},
                    delay_seconds=GROWTH_SECONDS,
                )
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one that cannot be drawn must not hold up the others
            log.exception("redraw_failed", extra={"group": str(group.pk)})


def close(tenant_id: UUID, resolved: Sequence[Regrouped]) -> None:
    """Stop what works on groups that their source resolved, and say so."""
    ids = [item.group.pk for item in resolved]
    if not ids:
        return
    runs.stop(tenant_id, ids)
    outbox.cancel_pages(tenant_id, ids)
    for item in resolved:
        with tracing.bind(item.correlation_id):
            threads.refresh(tenant_id, [item.group], kind="resolved", actor="")


def reopen_worsened(tenant_id: UUID, groups: Sequence[Regrouped]) -> set[UUID]:
    """Page again where something worse than was acknowledged joined."""
    worse = [
        item.group.pk
        for item in groups
        if item.group.state in ("acknowledged", "snoozed")
        and item.group.acked_severity is not None
        and item.group.severity > item.group.acked_severity
    ]
    if worse:
        actions.unacknowledge(tenant_id, worse, actor=THE_ENGINE, reason="worse")
    return set(worse)


@dataclass(frozen=True)
class Backlog:
    """How much waits, and for how many seconds the oldest new change has waited."""

    new: int
    grown: int
    parked: int
    oldest_seconds: float


MEASURE = """
SELECT count(*) FILTER (WHERE shard >= 0), count(*) FILTER (WHERE shard = %s),
  count(*) FILTER (WHERE shard = %s),
  coalesce(extract(epoch FROM now() - min(at) FILTER (WHERE shard <> %s)), 0)
FROM feed
"""


def measure_backlog() -> Backlog:
    """Return what waits in the feed, and export it."""
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, [GROWN, PARKED, GROWN])
        new, grown, parked, oldest = cursor.fetchone()
    found = Backlog(new, grown, parked, float(oldest))
    telemetry.FEED_OLDEST.set(found.oldest_seconds)
    for why in ("new", "grown", "parked"):
        telemetry.FEED_WAITING.labels(why).set(getattr(found, why))
    return found
