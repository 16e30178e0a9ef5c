"""Which groups do changed alerts open, join and leave?

Works in sets, from each alert's current row: looking twice does nothing, and
alerts that changed several times are seen once. Groups are locked by id. Alerts are
read as plain rows: in a storm, objects would cost more than the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Q

from alertcenter.alerts import flapping, weighing
from alertcenter.alerts.lifecycle import NOW, GroupChange, change_groups, tell
from alertcenter.alerts.lifecycle import Change as Told
from alertcenter.alerts.models import Group
from alertcenter.alerts.opening import open_groups
from alertcenter.alerts.routing import Placement, RouteBook
from alertcenter.alerts.severity import shown

# What a group gained is told later, together with what follows: alertcenter.flow.
GROWN = -2


class Seen(NamedTuple):
    """What is read of an alert; `labels` are JSON."""

    id: UUID
    dedup_key: str
    state: str
    severity: int
    title: str
    labels: str
    episode_id: UUID | None
    version: int


class Membership(NamedTuple):
    """An alert that is in a group now."""

    id: int
    group_id: UUID
    alert_id: UUID
    episode_id: UUID


SEEN = """
SELECT id, dedup_key, state, severity, title, labels::text, episode_id,
  version FROM alert
WHERE tenant_id = %s AND id = ANY (%s::uuid[])
"""
INSIDE = """
SELECT id, group_id, alert_id, episode_id FROM group_alert
WHERE tenant_id = %s AND alert_id = ANY (%s::uuid[]) AND left_at IS NULL
"""


@dataclass
class Regrouped:
    """What became of one group: for runs, messages and screens."""

    group: Group
    opened: bool = False
    resolved: bool = False
    joined: list[Seen] = field(default_factory=list)
    fresh: int = 0
    left: int = 0
    touched: bool = False
    # Members that flap, and those that do so from now on.
    flappers: set[UUID] = field(default_factory=set)
    flaps: flapping.Started | None = None
    placement: Placement | None = None
    correlation_id: str = ""

    @property
    def gained(self) -> list[Seen]:
        """Who joined and is worth a word: an alert that flaps joins all the time."""
        return [alert for alert in self.joined if alert.id not in self.flappers]


def regroup(
    tenant_id: UUID,
    alert_ids: Sequence[UUID],
    *,
    routes: RouteBook,
    correlations: dict[UUID, str] | None = None,
) -> list[Regrouped]:
    """Bring the groups of these alerts up to date; return the groups that changed."""
    ids = as_array(alert_ids)
    with connection.cursor() as cursor:
        cursor.execute(SEEN, [tenant_id, ids])
        alerts = {row[0]: Seen(*row) for row in cursor.fetchall()}
        cursor.execute(INSIDE, [tenant_id, ids])
        open_memberships = [Membership(*row) for row in cursor.fetchall()]
    placements = _placements(tenant_id, alerts, open_memberships, routes)
    work = _lock_groups(tenant_id, placements, open_memberships)
    groups = {item.group.pk: item for item in work.values()}
    _leave(alerts, open_memberships, groups)
    _join(tenant_id, alerts, placements, work)
    _mark_flapping(tenant_id, alerts, groups)
    changed = [g for g in groups.values() if g.joined or g.left or g.touched]
    _recount(tenant_id, changed)
    weighing.weigh(tenant_id, changed)
    for item in changed:
        item.correlation_id = _correlation(item, correlations or {})
    _write(changed)
    return changed


def as_array(ids: Sequence[UUID]) -> str:
    """Return a PostgreSQL array as one text: quicker than one text for each id."""
    return "{" + ",".join(map(str, ids)) + "}"


def _placements(
    tenant_id: UUID,
    alerts: dict[UUID, Seen],
    memberships: list[Membership],
    routes: RouteBook,
) -> dict[UUID, list[Placement]]:
    """Return where firing alerts go that are in no group for this episode yet."""
    inside = {(m.alert_id, m.episode_id) for m in memberships}
    book = routes.book(tenant_id)
    decode = msgspec.json.Decoder(dict[str, str]).decode
    return {
        a.id: book.place(shown(decode(a.labels), a.severity), a.dedup_key)
        for a in alerts.values()
        if a.state == "firing" and (a.id, a.episode_id) not in inside
    }


def _lock_groups(
    tenant_id: UUID,
    placements: dict[UUID, list[Placement]],
    memberships: list[Membership],
) -> dict[str, Regrouped]:
    """Lock the groups concerned by id, opening those that are missing."""
    wanted = {p.key: p for taken in placements.values() for p in taken}
    ids = {m.group_id for m in memberships}
    held = (
        Group.objects.select_for_update()
        .filter(tenant_id=tenant_id)
        .filter(Q(pk__in=ids) | (Q(key__in=list(wanted)) & ~Q(state="resolved")))
        .order_by("pk")
    )
    work = {g.key: Regrouped(g) for g in held}
    missing = [wanted[key] for key in sorted(wanted) if key not in work]
    for group, placement in open_groups(tenant_id, missing):
        work[group.key] = Regrouped(group, opened=True, placement=placement)
    late = [key for key in wanted if key not in work]
    if late:  # another dispatcher opened them a moment ago
        for group in (
            Group.objects.select_for_update()
            .filter(tenant_id=tenant_id, key__in=late)
            .exclude(state="resolved")
            .order_by("pk")
        ):
            work[group.key] = Regrouped(group)
    return work


# By the clock, not by the transaction's beginning: its group is locked since, and a
# flush of that group in between (escalation.flushes) has not seen it leave.
LEAVE = """
UPDATE group_alert SET left_at = clock_timestamp() WHERE id = ANY (%s::bigint[])
"""


def _leave(
    alerts: dict[UUID, Seen],
    memberships: list[Membership],
    groups: dict[UUID, Regrouped],
) -> None:
    """Let resolved alerts leave, and those whose episode is another by now."""
    leaving = []
    for membership in memberships:
        alert = alerts[membership.alert_id]
        if alert.state == "firing" and alert.episode_id == membership.episode_id:
            groups[membership.group_id].touched = True  # its severity changed
            continue
        leaving.append(membership.id)
        groups[membership.group_id].left += 1
    if leaving:
        with connection.cursor() as cursor:
            cursor.execute(LEAVE, [leaving])


JOIN = """
INSERT INTO group_alert (tenant_id, group_id, alert_id, episode_id, joined_at)
SELECT %s, g, a, e, now() FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS x(g, a, e)
ORDER BY g, a
ON CONFLICT (tenant_id, group_id, alert_id) DO UPDATE
  SET episode_id = excluded.episode_id, joined_at = now(), left_at = NULL,
      silenced_by = '{}', inhibited_by = '{}'
  WHERE group_alert.left_at IS NOT NULL
     OR group_alert.episode_id <> excluded.episode_id
RETURNING group_id, alert_id, old.id IS NULL, new.flapping_since IS NOT NULL
"""


def _join(
    tenant_id: UUID,
    alerts: dict[UUID, Seen],
    placements: dict[UUID, list[Placement]],
    work: dict[str, Regrouped],
) -> None:
    """Let firing alerts join the groups of their placements."""
    rows = [
        (work[p.key].group.pk, pk, alerts[pk].episode_id)
        for pk, taken in placements.items()
        for p in taken
        if p.key in work
    ]
    if not rows:
        return
    by_id = {item.group.pk: item for item in work.values()}
    with connection.cursor() as cursor:
        cursor.execute(JOIN, [tenant_id, *map(as_array, zip(*rows, strict=True))])
        for group_id, alert_id, fresh, flaps in cursor.fetchall():
            item = by_id[group_id]
            item.joined.append(alerts[alert_id])
            item.fresh += fresh
            if flaps:
                item.flappers.add(alert_id)


def _mark_flapping(
    tenant_id: UUID, alerts: dict[UUID, Seen], groups: dict[UUID, Regrouped]
) -> None:
    """Mark alerts that flap: their groups stay open until they are calm."""
    versions = {alert.id: alert.version for alert in alerts.values()}
    for pk, started in flapping.mark(tenant_id, versions, groups).items():
        item = groups[pk]
        item.flappers |= set(started.changes)
        if item.group.flapping_since is None:
            item.flaps = started


COUNT = """
SELECT m.group_id, count(*), count(*) FILTER (WHERE m.left_at IS NULL),
  max(a.severity) FILTER (WHERE m.left_at IS NULL)
FROM group_alert m JOIN alert a ON a.tenant_id = m.tenant_id AND a.id = m.alert_id
WHERE m.tenant_id = %s AND m.group_id = ANY (%s::uuid[]) GROUP BY m.group_id
"""


def _recount(tenant_id: UUID, items: list[Regrouped]) -> None:
    """Count members, and take severity and title from the worst that fires.

    What only grew is added up: a storm would count its members again and again.
    """
    before = {item.group.pk: item.group.severity for item in items}
    _add([item for item in items if not (item.left or item.touched)])
    _count(tenant_id, [item for item in items if item.left or item.touched])
    for item in items:
        group = item.group
        worst = max(item.joined, key=lambda a: a.severity, default=None)
        # Only something worse renames a group: a title that changes with every
        # newcomer cannot be recognised.
        if worst and (not group.title or worst.severity > before[group.pk]):
            group.title = worst.title
        held_open = bool(group.flapping_since or item.flaps)
        over = group.firing_count == 0 and group.state != "resolved"
        item.resolved = over and not held_open


def _add(items: list[Regrouped]) -> None:
    for item in items:
        group = item.group
        group.alert_count += item.fresh
        group.firing_count += len(item.joined)
        group.severity = max(group.severity, *(a.severity for a in item.joined))


def _count(tenant_id: UUID, items: list[Regrouped]) -> None:
    if not items:
        return
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [tenant_id, as_array([i.group.pk for i in items])])
        totals = {row[0]: row[1:] for row in cursor.fetchall()}
    for item in items:
        group = item.group
        total, firing, worst = totals.get(group.pk, (0, 0, None))
        group.alert_count, group.firing_count = total, firing
        if worst is not None:
            group.severity = max(worst, group.raised_to)


def _correlation(item: Regrouped, correlations: dict[UUID, str]) -> str:
    for alert in item.joined:
        if correlations.get(alert.id):
            return correlations[alert.id]
    return next(iter(correlations.values()), "")


def _write(items: list[Regrouped]) -> None:
    """Store the groups and tell what happened; the flow shows it by itself."""
    changes, told, news = [], [], []
    for item in items:
        group = item.group
        values: dict[str, Any] = {
            "severity": group.severity,
            "title": group.title,
            "firing_count": group.firing_count,
            "alert_count": group.alert_count,
            **weighing.columns(group),
        }
        if item.flaps:
            values["flapping_since"] = NOW
            news.append(item.flaps.told(group, item.correlation_id))
        before = group.state
        kind = ""
        if item.opened:
            kind = "opened"
        if item.resolved:
            kind = "resolved"
            group.state = "resolved"
            values |= {
                "state": "resolved",
                "resolved_at": NOW,
                "snooze_until": None,
            }
        changes.append(
            GroupChange(
                group.tenant_id,
                group.pk,
                values,
                kind=kind,
                from_state="" if item.opened else before,
                reason="source" if kind == "resolved" else "",
                correlation_id=item.correlation_id,
            )
        )
        if item.gained and not item.opened:
            told.append(
                Told(
                    group.tenant_id,
                    "grouped",
                    group_id=group.pk,
                    data={
                        "count": len(item.gained),
                        "titles": [a.title for a in item.gained[:5]],
                    },
                    correlation_id=item.correlation_id,
                )
            )
    change_groups(changes, feed=False)
    tell(told, shard=GROWN)
    tell(news, feed=False)
    fresh = Group.objects.in_bulk([i.group.pk for i in items])
    for item in items:
        item.group = fresh[item.group.pk]
