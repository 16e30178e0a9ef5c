"""For how long do people silence, how often again, and what does a silence mute now?

The choices that admin and dashboard offer, and what lists of silences count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts import windows
from alertcenter.alerts.inhibition import as_array
from alertcenter.alerts.matchers import Matcher
from alertcenter.alerts.models import Silence
from alertcenter.alerts.severity import shown
from alertcenter.alerts.silence_drafts import window_of
from alertcenter.alerts.silence_preview import Preview
from alertcenter.alerts.windows import WindowError

HOUR, HOURS, MORNING, WEEK = "1h", "4h", "tomorrow", "week"
LASTING = (
    (HOUR, _("1 hour")),
    (HOURS, _("4 hours")),
    (MORNING, _("until tomorrow 9:00")),
    (WEEK, _("a week")),
)
MORNING_HOUR = 9
MOST_SPANS = 60
# Of groups that are silenced together, so many, and so many of their alerts, are read.
MOST_GROUPS = 200
MOST_MEMBERS = 2_000


def end_of(preset: str, start: datetime, zone: ZoneInfo) -> datetime:
    """Return when a silence of a preset ends; tomorrow is that of `zone`.

    Raises KeyError for what is no preset.
    """
    if preset == MORNING:
        return (start.astimezone(zone) + timedelta(days=1)).replace(
            hour=MORNING_HOUR, minute=0, second=0, microsecond=0
        )
    lasting = {
        HOUR: timedelta(hours=1),
        HOURS: timedelta(hours=4),
        WEEK: timedelta(days=7),
    }
    return start + lasting[preset]


def as_matchers(labels: Mapping[str, str]) -> list[str]:
    """Return the conditions that each of these labels has its value."""
    return [
        str(Matcher(name, "=", str(value), lambda _seen: True))
        for name, value in sorted(labels.items())
        if value
    ]


# A group in which nothing fires stands for itself.
SHARED = """
SELECT g.labels::text, m.labels::text, m.severity FROM alert_group g
LEFT JOIN LATERAL (
  SELECT a.labels, a.severity FROM group_alert x
  JOIN alert a ON a.tenant_id = x.tenant_id AND a.id = x.alert_id
  WHERE x.tenant_id = g.tenant_id AND x.group_id = g.id AND x.left_at IS NULL LIMIT %s
) m ON true
WHERE g.tenant_id = %s AND g.id = ANY (%s::uuid[])
"""


def shared(tenant_id: UUID, group_ids: Iterable[UUID]) -> list[str]:
    """Return conditions that fit every firing alert of these groups; none where they
    have no label in common."""
    ids = list(dict.fromkeys(group_ids))[:MOST_GROUPS]
    if not ids:
        return []
    most = max(MOST_MEMBERS // len(ids), 1)
    common: set[tuple[str, str]] | None = None
    with connection.cursor() as cursor:
        cursor.execute(SHARED, [most, tenant_id, as_array(ids)])
        for of_group, of_alert, severity in cursor:
            labels = json.loads(of_group)
            if of_alert is not None:
                labels = shown(json.loads(of_alert), severity)
            pairs = set(labels.items())
            common = pairs if common is None else common & pairs
    return as_matchers(dict(common or ()))


def unexpired(now: datetime) -> Q:
    return Q(ends_at__gt=now)


def active(now: datetime) -> Q:
    """Return what holds now; of one that recurs the engine's last look says it."""
    plain = Q(recurrence="", starts_at__lte=now)
    return unexpired(now) & (plain | (~Q(recurrence="") & Q(in_force=True)))


@dataclass(frozen=True)
class Muted:
    """How many firing alerts a silence marks now, in how many groups."""

    alerts: int = 0
    groups: int = 0


MUTED = """
SELECT s.id, count(*), count(DISTINCT m.group_id)
FROM group_alert m CROSS JOIN LATERAL unnest(m.silenced_by) AS s(id)
WHERE m.tenant_id = %s AND m.left_at IS NULL AND m.silenced_by && %s::uuid[]
  AND s.id = ANY (%s::uuid[])
GROUP BY s.id
"""


def muted_by(tenant_id: UUID, silence_ids: Iterable[UUID]) -> dict[UUID, Muted]:
    """Return what each of these mutes now; those that mute nothing are left out."""
    ids = as_array(silence_ids)
    with connection.cursor() as cursor:
        cursor.execute(MUTED, [tenant_id, ids, ids])
        return {pk: Muted(alerts, groups) for pk, alerts, groups in cursor.fetchall()}


# One member that fires stands for all: a storm's group has very many.
BY_WHAT = """
SELECT x.id, m.silenced_by <> '{}'
FROM unnest(%s::uuid[]) AS x(id) CROSS JOIN LATERAL (
  SELECT silenced_by FROM group_alert
  WHERE tenant_id = %s AND group_id = x.id AND left_at IS NULL LIMIT 1) m
"""


def kept_quiet_by(tenant_id: UUID, group_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return for each of these quiet groups "silenced" or "inhibited"."""
    ids = as_array(group_ids)
    if ids == "{}":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(BY_WHAT, [ids, tenant_id])
        rows = cursor.fetchall()
    return {pk: "silenced" if silenced else "inhibited" for pk, silenced in rows}


@dataclass(frozen=True)
class Coming:
    """One time at which a silence holds."""

    silence: Silence
    starts_at: datetime
    ends_at: datetime


def coming(rows: Iterable[Silence], now: datetime, days: int) -> list[Coming]:
    """Return when these hold within so many days, in order, MOST_SPANS of each, by
    the clock of the zone that is current."""
    horizon = now + timedelta(days=days)
    found: list[Coming] = []
    for row in rows:
        try:
            spans = list(islice(windows.spans(window_of(row), now), MOST_SPANS))
        except WindowError:
            continue
        found += [
            Coming(
                row,
                timezone.localtime(span.starts_at),
                timezone.localtime(span.ends_at),
            )
            for span in spans
            if span.starts_at < horizon and span.ends_at > now
        ]
    return sorted(found, key=lambda one: (one.starts_at, one.ends_at, one.silence.pk))


def preview_words(found: Preview) -> str:
    """Return in a sentence or two what a silence would mute."""
    numbers = {
        "now": f"{found.now.muted}{'+' if found.now.cut else ''}",
        "week": f"{found.week}{'+' if found.week_cut else ''}",
        "open": found.now.open,
    }
    sentence = gettext("Mutes %(now)s now, %(week)s in the last 7 days.") % numbers
    if not found.now.is_broad:
        return sentence
    more = gettext("That is over half of the %(open)s open alerts.") % numbers
    return f"{sentence} {more}"
