"""Which routes are in a storm, and which groups does it hold?

Groups that open are counted by route and minute, except those that are quiet. When
more open within a minute than the route allows, a storm begins: every group that opens
on the route until it ends carries its id, and has no run of its own. All of it is rows:
it outlives every process. What is said of a storm: escalation.storms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from alertcenter.alerts import quiet
from alertcenter.alerts.models import Storm

# Storms that are looked at in one sweep, and held groups whose labels are counted.
MOST_STORMS = 100
MOST_LABELLED = 2_000
MOST_TOP = 5
MOST_WORST = 10
# How fast groups open now: this minute's, and of the one before the part that lies
# less than a minute back, as if they had opened evenly.
RATE = """
CASE floor(extract(epoch FROM now()) / 60)::bigint - r.minute
  WHEN 0 THEN r.this + r.before * (1 - mod(extract(epoch FROM now()), 60) / 60)
  WHEN 1 THEN r.this * (1 - mod(extract(epoch FROM now()), 60) / 60)
  ELSE 0 END::float8
"""
# The join keeps out a route that was deleted a moment ago.
COUNT = """
INSERT INTO route_rate AS r (tenant_id, route_id, minute, this, before)
SELECT g.tenant_id, g.route_id, floor(extract(epoch FROM now()) / 60)::bigint,
  count(*), 0
FROM alert_group g JOIN route ON route.tenant_id = g.tenant_id AND route.id = g.route_id
WHERE g.tenant_id = %(tenant)s AND g.id = ANY (%(groups)s::uuid[])
  AND g.quiet_count < g.firing_count
GROUP BY g.tenant_id, g.route_id ORDER BY g.route_id
ON CONFLICT (tenant_id, route_id) DO UPDATE SET
  this = CASE WHEN excluded.minute > r.minute THEN excluded.this
              ELSE r.this + excluded.this END,
  before = CASE WHEN excluded.minute <= r.minute THEN r.before
                WHEN excluded.minute = r.minute + 1 THEN r.this ELSE 0 END,
  minute = greatest(r.minute, excluded.minute)
RETURNING r.route_id, r.this + r.before * (1 - mod(extract(epoch FROM now()), 60) / 60)
"""
NOW_ON = """
SELECT route_id, id FROM storm
WHERE tenant_id = %s AND ended_at IS NULL AND route_id = ANY (%s::uuid[])
"""
BEGIN = """
INSERT INTO storm (tenant_id, route_id, told_groups, groups, alerts, open_groups,
                   look_at)
SELECT %s, x.r, 0, 0, 0, 0, now() + %s * interval '1 second'
FROM unnest(%s::uuid[]) AS x(r)
ON CONFLICT (tenant_id, route_id) WHERE ended_at IS NULL DO NOTHING
RETURNING route_id, id
"""
HOLD = """
UPDATE alert_group g SET storm_id = x.storm
FROM unnest(%s::uuid[], %s::uuid[]) AS x(pk, storm)
WHERE g.tenant_id = %s AND g.id = x.pk
"""
EARLY = """
SELECT id, route_id FROM alert_group
WHERE tenant_id = %s AND route_id = ANY (%s::uuid[]) AND storm_id IS NULL
  AND state = 'firing' AND opened_at > now() - interval '1 minute'
  AND id <> ALL (%s::uuid[])
ORDER BY id FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class Opened:
    """A group that has just opened, and how many a minute its route allows; 0: any."""

    group_id: UUID
    route_id: UUID
    per_minute: int


@dataclass(frozen=True)
class Taken:
    """Which groups a storm takes, and the routes on which one has just begun."""

    held: Mapping[UUID, UUID]
    begun: Mapping[UUID, UUID]


def take(tenant_id: UUID, opened: Sequence[Opened], *, gather: float) -> Taken:
    """Count groups that opened; return those that a storm takes (see `hold`).

    A storm that begins is looked at by the engine after `gather` seconds.
    """
    allowed = {one.route_id: one.per_minute for one in opened if one.per_minute}
    groups = [one for one in opened if one.route_id in allowed]
    if not groups:
        return Taken({}, {})
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "groups": _texts(one.group_id for one in groups),
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        rates = {route: float(rate) for route, rate in cursor.fetchall()}
        cursor.execute(NOW_ON, [tenant_id, _texts(allowed)])
        storms: dict[UUID, UUID] = dict(cursor.fetchall())
        over = [
            route
            for route, rate in rates.items()
            if rate > allowed[route] and route not in storms
        ]
        begun: dict[UUID, UUID] = {}
        if over:
            cursor.execute(BEGIN, [tenant_id, gather, _texts(over)])
            begun = dict(cursor.fetchall())
    storms |= begun
    held = {
        one.group_id: storms[one.route_id] for one in groups if one.route_id in storms
    }
    return Taken(held, begun)


def hold(tenant_id: UUID, held: Mapping[UUID, UUID]) -> None:
    """Let locked groups carry the id of the storm that took them."""
    if held:
        with connection.cursor() as cursor:
            storms = _texts(held.values())
            cursor.execute(HOLD, [_texts(held), storms, tenant_id])


def early(tenant_id: UUID, taken: Taken) -> dict[UUID, UUID]:
    """Lock the groups that opened in the minute before a storm that has just begun.

    Returns what `hold` takes; whom somebody else has locked goes its own way.
    """
    if not taken.begun:
        return {}
    values: list[Any] = [tenant_id, _texts(taken.begun), _texts(taken.held)]
    with connection.cursor() as cursor:
        cursor.execute(EARLY, values)
        return {pk: taken.begun[route_id] for pk, route_id in cursor.fetchall()}


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(pk) for pk in ids]


# --- what there is to say of a storm ---

FUNNEL = """
SELECT count(*), coalesce(sum(alert_count), 0),
  count(*) FILTER (WHERE state <> 'resolved'),
  coalesce(sum(firing_count - quiet_count) FILTER (WHERE state <> 'resolved'), 0),
  max(severity) FILTER (WHERE state <> 'resolved'), max(severity)
FROM alert_group
WHERE tenant_id = %(tenant)s AND storm_id = %(storm)s
  AND id IS DISTINCT FROM %(own)s::uuid
  AND (state = 'resolved' OR quiet_count < firing_count)
"""
TOP = """
SELECT l.key || '=' || l.value, count(*) FROM (
  SELECT labels FROM alert_group WHERE tenant_id = %(tenant)s AND storm_id = %(storm)s
    AND id IS DISTINCT FROM %(own)s::uuid LIMIT %(most)s) g
CROSS JOIN LATERAL jsonb_each_text(g.labels) l
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(top)s
"""
WORST = """
SELECT title, severity, state, labels::text, opened_at, alert_count FROM alert_group
WHERE tenant_id = %(tenant)s AND storm_id = %(storm)s
  AND id IS DISTINCT FROM %(own)s::uuid
ORDER BY state = 'resolved', severity DESC, opened_at, id LIMIT %(worst)s
"""


@dataclass(frozen=True)
class Funnel:
    """How many alerts became how many groups, and how many of them still fire.

    `severity` is the worst that fires; of all, when none does.
    """

    groups: int
    alerts: int
    open_groups: int
    firing: int
    severity: int


def funnel(storm: Storm) -> Funnel:
    """Count what a storm holds; what is silenced or inhibited does not count."""
    with connection.cursor() as cursor:
        cursor.execute(FUNNEL, _values(storm))
        groups, alerts, still, firing, worst, ever = cursor.fetchone()
    return Funnel(groups, int(alerts), still, int(firing), worst or ever or 1)


def top_labels(storm: Storm) -> list[tuple[str, int]]:
    """Return the labels that most of its groups share, as `name=value`."""
    with connection.cursor() as cursor:
        cursor.execute(TOP, _values(storm))
        return list(cursor.fetchall())


def worst(storm: Storm) -> list[tuple[Any, ...]]:
    """Return title, severity, state, labels (JSON), opening and alerts of the worst."""
    with connection.cursor() as cursor:
        cursor.execute(WORST, _values(storm))
        return list(cursor.fetchall())


def _values(storm: Storm) -> dict[str, Any]:
    return {
        "tenant": storm.tenant_id,
        "storm": storm.pk,
        "own": storm.group_id,
        "most": MOST_LABELLED,
        "top": MOST_TOP,
        "worst": MOST_WORST,
    }


def due(limit: int = MOST_STORMS) -> list[tuple[UUID, UUID]]:
    """Return (tenant, storm) to be looked at, in the tenants of the context."""
    rows = Storm.objects.filter(closed_at=None, look_at__lte=Now())
    found = rows.order_by("look_at", "id").values_list("tenant_id", "pk")
    return list(found[:limit])


def claim(tenant_id: UUID, pk: UUID) -> Storm | None:
    """Lock a storm that is still to be looked at, and be alone with its tenant's
    groups: the flow counts and holds under the same lock."""
    quiet.lock(tenant_id)
    rows = Storm.objects.select_for_update(of=("self",)).select_related("route")
    return rows.filter(pk=pk, closed_at=None, look_at__lte=Now()).first()


def rates(tenant_id: UUID, route_ids: Iterable[UUID]) -> dict[UUID, float]:
    """Return how many groups a minute open on these routes now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.route_id, {RATE} FROM route_rate r "
            "WHERE r.tenant_id = %s AND r.route_id = ANY (%s::uuid[])",
            [tenant_id, _texts(route_ids)],
        )
        found: dict[UUID, float] = defaultdict(float, cursor.fetchall())
        return found
