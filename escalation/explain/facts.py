"""What is read of a group, or of one alert in it, before anything is explained?

Few rows, whatever the group's size: the worst of its alerts stand for the others, and
the others are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db import connection
from django.db.models import F

from alertcenter.alerts import routing
from alertcenter.alerts.models import Alert, Group, GroupAlert, Transition
from alertcenter.alerts.models.transition import Kind
from alertcenter.alerts.severity import shown

MOST_EXAMPLES = 5
MOST_CHANGES = 200
MOST_MARKS = 20


@dataclass(frozen=True)
class Marks:
    """Of so many firing alerts, how many are marked, and by what how often."""

    firing: int
    quiet: int
    silences: Mapping[UUID, int]
    inhibitors: Mapping[UUID, int]

    @property
    def all_quiet(self) -> bool:
        """Whether nobody is to be told of any of them."""
        return self.firing > 0 and self.quiet >= self.firing


@dataclass(frozen=True)
class Facts:
    """One group at one moment; with `only`, one member of it."""

    tenant_id: UUID
    group: Group
    now: datetime
    tree: routing.CompiledRoute
    only: GroupAlert | None = None

    @property
    def open(self) -> bool:
        """Whether it is not over yet."""
        over = self.only is not None and self.only.left_at is not None
        return self.group.state != "resolved" and not over

    @property
    def moment(self) -> datetime:
        """The moment that is explained: now, or when it was over."""
        if self.open:
            return self.now
        left = self.only.left_at if self.only else None
        return left or self.group.resolved_at or self.now

    @property
    def since(self) -> datetime:
        """When it began to concern this group."""
        return self.only.joined_at if self.only else self.group.opened_at

    @cached_property
    def examples(self) -> Sequence[GroupAlert]:
        """The member that is asked about, or the worst ones, firing ones first."""
        if self.only is not None:
            return [self.only]
        rows = GroupAlert.objects.filter(tenant_id=self.tenant_id, group=self.group)
        first = F("left_at").asc(nulls_first=True)
        ordered = rows.select_related("alert").order_by(
            first, "-alert__severity", "joined_at"
        )
        return list(ordered[:MOST_EXAMPLES])

    @cached_property
    def marks(self) -> Marks:
        """What keeps how many of them quiet, or did when they left."""
        if self.only is not None:
            return _marks_of_one(self.only)
        return _marks_of_all(self.tenant_id, self.group)

    @cached_property
    def changes(self) -> Sequence[Transition]:
        """The group's story but for what joined it, oldest first."""
        rows = Transition.objects.filter(
            tenant_id=self.tenant_id, group_id=self.group.pk
        )
        newest = rows.exclude(kind=Kind.GROUPED).order_by("-id")[:MOST_CHANGES]
        return list(newest)[::-1]

    @cached_property
    def route(self) -> routing.CompiledRoute | None:
        """The route it went to, with what that inherits now; None if it is gone."""
        known = {route.id: route for route in routing.walk(self.tree)}
        if self.group.route_id is None:
            return None
        return known.get(self.group.route_id)


def labels_of(alert: Alert) -> dict[str, str]:
    """Return an alert's labels as conditions see them."""
    return dict(shown(alert.labels, alert.severity))


def _marks_of_one(member: GroupAlert) -> Marks:
    quiet = bool(member.silenced_by or member.inhibited_by)
    return Marks(
        1,
        int(quiet),
        dict.fromkeys(member.silenced_by, 1),
        dict.fromkeys(member.inhibited_by, 1),
    )


# Of a group that is over: as they were when they left.
COUNT = """
SELECT count(*), count(*) FILTER (WHERE silenced_by <> '{{}}' OR inhibited_by <> '{{}}')
FROM group_alert WHERE tenant_id = %s AND group_id = %s AND {which}
"""
BY = """
SELECT x.by, count(*) FROM group_alert m, unnest(m.{column}) AS x(by)
WHERE m.tenant_id = %s AND m.group_id = %s AND {which}
GROUP BY x.by ORDER BY count(*) DESC, x.by LIMIT %s
"""


def _marks_of_all(tenant_id: UUID, group: Group) -> Marks:
    which = "true" if group.state == "resolved" else "left_at IS NULL"
    mine = [tenant_id, group.pk]
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(which=which), mine)
        firing, quiet = cursor.fetchone()
        found = []
        for column in ("silenced_by", "inhibited_by"):
            query = BY.format(which=which, column=column)
            cursor.execute(query, [*mine, MOST_MARKS])
            found.append(dict(cursor.fetchall()))
    return Marks(firing, quiet, found[0], found[1])
