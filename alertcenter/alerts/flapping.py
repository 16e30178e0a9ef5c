"""Which alerts flap, and which have calmed down?

An alert that opens and resolves again and again is marked where it is a member of a
group, and holds the group open: so its next episode joins, is no new group, and pages
nobody anew. Judged by the changes of state within the last minutes, with hysteresis:
more of them start it than end it. The changes are the beginnings and the ends of the
episodes that intake wrote anyway; whoever has changed too seldom is not even looked up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts.lifecycle import NOW, Change, GroupChange, change_groups
from alertcenter.alerts.models import Group
from tenants.flapping_limits import FEWEST_TO_START, FlappingLimits, limits_of
from tenants.models import Tenant

STARTS, FLAPS, CALM, STEADY = "starts", "flaps", "calm", "steady"
# Of one alert no more episodes are counted.
MOST_EPISODES = 100
# So many members of groups are looked at in one sweep.
MOST_SWEPT = 5_000


def judge(changes: int, limits: FlappingLimits, *, flapping: bool) -> str:
    """Return what to say of an alert that changed its state so often of late.

    STARTS and CALM are news; FLAPS and STEADY say that all stays as it was.
    """
    if flapping:
        return CALM if changes <= limits.ends or not limits.starts else FLAPS
    return STARTS if limits.starts and changes >= limits.starts else STEADY


CHANGES = """
SELECT x.id, r.changes
FROM unnest(%(ids)s::uuid[]) AS x(id) CROSS JOIN LATERAL (
  SELECT count(*) + count(e.ends_at) AS changes FROM (
    SELECT ends_at FROM episode
    WHERE tenant_id = %(tenant)s AND alert_id = x.id
      AND at > now() - %(minutes)s * interval '1 minute'
    ORDER BY at DESC LIMIT %(most)s) e) r
"""


def count_changes(
    tenant_id: UUID, alert_ids: Iterable[UUID], limits: FlappingLimits
) -> dict[UUID, int]:
    """Return how often each alert opened and resolved of late."""
    values: dict[str, Any] = {
        "ids": [str(pk) for pk in alert_ids],
        "tenant": tenant_id,
        "minutes": limits.minutes,
        "most": MOST_EPISODES,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, values)
        return dict(cursor.fetchall())


def limits_for(tenant_id: UUID) -> FlappingLimits:
    """Return the tenant's limits (needs its context)."""
    return limits_of(
        Tenant.objects.values_list("settings", flat=True).get(pk=tenant_id)
    )


@dataclass(frozen=True)
class Started:
    """Members of a group that flap from now on: how often each changed, how soon."""

    minutes: int
    changes: Mapping[UUID, int]

    @property
    def data(self) -> dict[str, Any]:
        """What is told of it: the alert that changed most, and at most five of them."""
        most = sorted(self.changes, key=lambda pk: -self.changes[pk])
        return {
            "changes": self.changes[most[0]],
            "minutes": self.minutes,
            "alerts": [str(pk) for pk in most[:5]],
        }

    def told(self, group: Group, correlation_id: str) -> Change:
        """Return the line of the group's timeline."""
        return Change(
            group.tenant_id,
            "flapping",
            group_id=group.pk,
            from_state=group.state,
            to_state=group.state,
            data=self.data,
            correlation_id=correlation_id,
        )


MARK = """
UPDATE group_alert SET flapping_since = now()
WHERE tenant_id = %s AND alert_id = ANY (%s::uuid[]) AND group_id = ANY (%s::uuid[])
  AND flapping_since IS NULL
RETURNING group_id, alert_id
"""


def mark(
    tenant_id: UUID, versions: Mapping[UUID, int], group_ids: Iterable[UUID]
) -> dict[UUID, Started]:
    """Mark which of these alerts flap, in these groups, all locked and open.

    `versions` maps alerts to their versions: one grows with each change of state, so
    that in a storm of new alerts there is nothing to count.
    """
    often = [pk for pk, version in versions.items() if version >= FEWEST_TO_START]
    if not often:
        return {}
    limits = limits_for(tenant_id)
    found = {
        pk: changes
        for pk, changes in count_changes(tenant_id, often, limits).items()
        if judge(changes, limits, flapping=False) == STARTS
    }
    if not found:
        return {}
    marked: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        groups = [str(pk) for pk in group_ids]
        cursor.execute(MARK, [tenant_id, [str(pk) for pk in found], groups])
        for group_id, alert_id in cursor.fetchall():
            marked[group_id][alert_id] = found[alert_id]
    return {pk: Started(limits.minutes, changes) for pk, changes in marked.items()}


# --- nothing says that an alert is calm: somebody has to look ---


@dataclass
class Calmed:
    """A group none of whose alerts flaps any more; `resolved` when none fires."""

    group: Group
    resolved: bool = field(default=False)


FLAPPERS = """
SELECT g.tenant_id, m.group_id, m.alert_id
FROM alert_group g
JOIN group_alert m ON m.tenant_id = g.tenant_id AND m.group_id = g.id
  AND m.flapping_since IS NOT NULL
WHERE g.flapping_since IS NOT NULL AND g.state <> 'resolved'
ORDER BY g.tenant_id, g.id LIMIT %s
"""
UNMARK = """
UPDATE group_alert SET flapping_since = NULL
WHERE tenant_id = %s AND group_id = ANY (%s::uuid[]) AND alert_id = ANY (%s::uuid[])
"""
STILL = """
SELECT DISTINCT group_id FROM group_alert
WHERE tenant_id = %s AND group_id = ANY (%s::uuid[]) AND flapping_since IS NOT NULL
"""


def find_flappers(limit: int = MOST_SWEPT) -> dict[UUID, dict[UUID, set[UUID]]]:
    """Return the marked alerts by tenant and open group, in the tenants of the
    context."""
    found: dict[UUID, dict[UUID, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    with connection.cursor() as cursor:
        cursor.execute(FLAPPERS, [limit])
        for tenant_id, group_id, alert_id in cursor.fetchall():
            found[tenant_id][group_id].add(alert_id)
    return found


def calm(tenant_id: UUID, flappers: Mapping[UUID, set[UUID]]) -> list[Calmed]:
    """Lift the marks of alerts that are calm; return the groups that are calm now.

    A group that somebody holds is left for the next look.
    """
    limits = limits_for(tenant_id)
    alerts = {pk for members in flappers.values() for pk in members}
    calm_ones = {
        pk
        for pk, changes in count_changes(tenant_id, alerts, limits).items()
        if judge(changes, limits, flapping=True) == CALM
    }
    wanted = [pk for pk, members in flappers.items() if members & calm_ones]
    if not wanted:
        return []
    groups = list(
        Group.objects.select_for_update(skip_locked=True)
        .filter(tenant_id=tenant_id, pk__in=wanted, flapping_since__isnull=False)
        .exclude(state="resolved")
        .order_by("pk")
    )
    ids = [str(group.pk) for group in groups]
    with connection.cursor() as cursor:
        cursor.execute(UNMARK, [tenant_id, ids, [str(pk) for pk in calm_ones]])
        cursor.execute(STILL, [tenant_id, ids])
        still = {row[0] for row in cursor.fetchall()}
    return _write([Calmed(group) for group in groups if group.pk not in still])


def _write(items: Sequence[Calmed]) -> list[Calmed]:
    """Store the groups; those in which nothing fires are resolved by that."""
    changes = []
    for item in items:
        group = item.group
        item.resolved = group.firing_count == 0
        changes.append(
            GroupChange(
                group.tenant_id,
                group.pk,
                {"flapping_since": None},
                kind="calm",
                from_state=group.state,
            )
        )
        if item.resolved:
            over = {"state": "resolved", "resolved_at": NOW, "snooze_until": None}
            changes.append(
                GroupChange(
                    group.tenant_id,
                    group.pk,
                    over,
                    kind="resolved",
                    from_state=group.state,
                    reason="calm",
                )
            )
    change_groups(changes)
    fresh = Group.objects.in_bulk([item.group.pk for item in items])
    for item in items:
        item.group = fresh[item.group.pk]
    return list(items)
