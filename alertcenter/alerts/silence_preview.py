"""What would a silence mute: now, in the last week, and of how much in all?

Asked while a person still writes its conditions, so every look is bounded: whole
labels go by their index, so many rows are read at most, and when there are more the
numbers are "at least".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from alertcenter.alerts import severity
from alertcenter.alerts.inhibition import as_array
from alertcenter.alerts.matchers import Matcher, all_match, parse
from alertcenter.alerts.severity import shown

MOST_ROWS = 20_000
AT_ONCE = 2_000
MOST_EXAMPLES = 10
DAYS = "7 days"

# A silence that mutes over half of what is open, and at least so many, is a broad one.
BROAD_SHARE = 0.5
BROAD_ALERTS = 5

COLUMNS = "a.id, a.severity, a.labels::text, a.title"
CHOSEN = """
SELECT {columns} FROM alert a
WHERE a.tenant_id = %(tenant)s AND {which}
  AND (%(labels)s = '{{}}' OR a.labels @> %(labels)s::jsonb)
  AND (%(severity)s IS NULL OR a.severity = %(severity)s)
  AND (%(route)s IS NULL AND %(group)s IS NULL OR EXISTS (
    SELECT FROM group_alert m
    JOIN alert_group g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
    WHERE m.tenant_id = a.tenant_id AND m.alert_id = a.id {member}
      AND (%(route)s IS NULL OR g.route_id = %(route)s::uuid)
      AND (%(group)s IS NULL OR g.id = %(group)s::uuid)))
{more}
"""
FIRING = {"which": "a.state = 'firing'", "member": "AND m.left_at IS NULL"}
NOW = CHOSEN.format(columns=COLUMNS, **FIRING, more="LIMIT %(most)s")
HOW_MANY = CHOSEN.format(columns="count(*)", **FIRING, more="")
LATELY = CHOSEN.format(
    columns=COLUMNS,
    which="a.starts_at > now() - %(week)s::interval",
    member="",
    more="ORDER BY a.starts_at DESC LIMIT %(most)s",
)
OPEN = "SELECT count(*) FROM alert WHERE tenant_id = %s AND state = 'firing'"
EPISODES = """
SELECT count(*) FROM (
  SELECT FROM unnest(%s::uuid[]) AS x(a) JOIN episode e
    ON e.tenant_id = %s AND e.alert_id = x.a AND e.at > now() - %s::interval
  LIMIT %s) w
"""


@dataclass(frozen=True)
class Example:
    """One alert that would fall quiet."""

    id: UUID
    title: str
    severity: int
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Reach:
    """How many open alerts fall quiet, of how many.

    `cut`: at least so many, and the share is reckoned from those looked at.
    """

    muted: int
    open: int
    share: float
    cut: bool = False
    examples: Sequence[Example] = ()

    @property
    def is_broad(self) -> bool:
        """Whether somebody should look twice."""
        return self.muted >= BROAD_ALERTS and self.share > BROAD_SHARE


@dataclass(frozen=True)
class Preview:
    """What a silence would do; `week` counts stretches of firing that began in the
    last seven days."""

    now: Reach
    week: int
    week_cut: bool = False


@dataclass(frozen=True)
class Asked:
    """What is left to try, and what the statements find by themselves."""

    matchers: Sequence[Matcher]
    values: Mapping[str, Any]


def preview(
    tenant_id: UUID,
    matchers: Sequence[str],
    *,
    route_id: UUID | None = None,
    group_id: UUID | None = None,
) -> Preview:
    """Return what a silence of these conditions would mute and would have muted.

    Raises MatcherError; needs the tenant's context.
    """
    reach = reach_of(tenant_id, matchers, route_id=route_id, group_id=group_id)
    asked = asked_of(tenant_id, matchers, route_id, group_id)
    rows, cut = _rows(LATELY, asked)
    ids = [one.id for one in _matching(rows, asked)]
    found = 0
    with connection.cursor() as cursor:
        for begin in range(0, len(ids), AT_ONCE):
            chunk = as_array(ids[begin : begin + AT_ONCE])
            cursor.execute(EPISODES, [chunk, tenant_id, DAYS, MOST_ROWS - found])
            found += int(cursor.fetchone()[0])
            if found >= MOST_ROWS:
                return Preview(reach, found, True)
    return Preview(reach, found, cut)


def reach_of(
    tenant_id: UUID,
    matchers: Sequence[str],
    *,
    route_id: UUID | None = None,
    group_id: UUID | None = None,
) -> Reach:
    """Return how much of what is open such a silence mutes. Raises MatcherError."""
    asked = asked_of(tenant_id, matchers, route_id, group_id)
    rows, cut = _rows(NOW, asked)
    found = list(_matching(rows, asked))
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [tenant_id])
        number = candidates = int(cursor.fetchone()[0])
        if cut:
            cursor.execute(HOW_MANY, asked.values)
            candidates = int(cursor.fetchone()[0])
    among = candidates / len(rows) if cut else 1.0
    share = min(1.0, len(found) * among / number) if number else 0.0
    return Reach(len(found), number, share, cut, found[:MOST_EXAMPLES])


def asked_of(
    tenant_id: UUID,
    texts: Sequence[str],
    route_id: UUID | None,
    group_id: UUID | None,
) -> Asked:
    """Return what `NOW` and `LATELY` are to find. Raises MatcherError."""
    matchers = [parse(text) for text in texts]
    whole: dict[str, str] = {}
    level: int | None = None
    for one in matchers:
        if one.operator != "=" or not one.value:
            continue
        if one.name == "severity":  # as screens show it, which may not be stored
            level = severity.parse(one.value)
        else:
            whole[one.name] = one.value
    values = {
        "tenant": tenant_id,
        "labels": json.dumps(whole),
        "severity": level,
        "route": route_id and str(route_id),
        "group": group_id and str(group_id),
        "week": DAYS,
        "most": MOST_ROWS + 1,
    }
    return Asked(matchers, values)


def _rows(query: str, asked: Asked) -> tuple[list[tuple[Any, ...]], bool]:
    """Return so many rows, and whether there are more."""
    with connection.cursor() as cursor:
        cursor.execute(query, asked.values)
        rows = cursor.fetchall()
    return rows[:MOST_ROWS], len(rows) > MOST_ROWS


def _matching(rows: Sequence[tuple[Any, ...]], asked: Asked) -> Iterator[Example]:
    for pk, level, text, title in rows:
        labels = shown(json.loads(text), level)
        if all_match(asked.matchers, labels):
            yield Example(pk, title, level, labels)
