"""What happened to one group? Its alerts, its acts, its messages, in one line."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alertcenter.alerts.models import Group, GroupAlert, Transition
from alertcenter.alerts.models.transition import Kind
from notifications.models import Attempt, Delivery
from tenants.actors import ENGINE

MOST_ALERTS = 200
MOST_ENTRIES = 300
MOST_DELIVERIES = 100
MOST_TITLES = 5


@dataclass(frozen=True)
class Entry:
    """One line of the timeline."""

    at: datetime
    kind: str
    label: str
    actor: str
    said: str


@dataclass(frozen=True)
class Sent:
    """One message to one recipient, with every try."""

    delivery: Delivery
    to: str
    attempts: list[Attempt]


@dataclass(frozen=True)
class Story:
    """Everything that a group's page tells."""

    group: Group
    alerts: list[GroupAlert]
    entries: list[Entry]
    sent: list[Sent]


def story(tenant_id: UUID, number: int) -> Story:
    """Return the story of group `number`. Raises Http404."""
    group = (
        Group.objects.select_related(
            "route", "route__policy", "assignee", "service", "service__owner"
        )
        .filter(tenant_id=tenant_id, number=number)
        .first()
    )
    if group is None:
        raise Http404
    return Story(group, _alerts(group), _entries(group), _sent(group))


def _alerts(group: Group) -> list[GroupAlert]:
    rows = GroupAlert.objects.filter(tenant_id=group.tenant_id, group=group)
    return list(
        rows.select_related("alert").order_by("-alert__severity", "-joined_at")[
            :MOST_ALERTS
        ]
    )


def _entries(group: Group) -> list[Entry]:
    """Return the timeline, newest first; alerts that join in a row are one line."""
    rows = Transition.objects.filter(
        tenant_id=group.tenant_id, group_id=group.pk
    ).order_by("-id")[:MOST_ENTRIES]
    merged: list[Transition] = []
    for row in rows:
        if merged and row.kind == Kind.GROUPED == merged[-1].kind:
            _join(merged[-1], row)
        else:
            merged.append(row)
    return [_entry(row) for row in merged]


def _join(later: Transition, earlier: Transition) -> None:
    """Add what joined earlier to the line of what joined later."""
    for data in (later.data, earlier.data):
        data.setdefault("count", 1)
        data.setdefault("titles", [])
    later.data["count"] += earlier.data["count"]
    titles = later.data["titles"] + earlier.data["titles"]
    later.data["titles"] = list(dict.fromkeys(titles))[:MOST_TITLES]


def _entry(row: Transition) -> Entry:
    labels = dict(Kind.choices)
    return Entry(
        at=row.at,
        kind=row.kind,
        label=str(labels.get(Kind(row.kind), row.kind)),
        actor="" if row.actor_kind == ENGINE else row.actor_label,
        said=_said(row.kind, row.data),
    )


def _said(kind: str, data: dict[str, Any]) -> str:
    """Return what else there is to say about a transition, in one phrase."""
    if kind == Kind.GROUPED:
        count = int(data.get("count", 1))
        more = ngettext("%(count)d more alert", "%(count)d more alerts", count)
        more %= {"count": count}
        titles = ", ".join(str(title) for title in data.get("titles", []))
        if not titles:
            return more
        return _("%(count)s: %(titles)s") % {"count": more, "titles": titles}
    if kind == Kind.SNOOZED and "seconds" in data:
        minutes = int(data["seconds"]) // 60
        return ngettext("for %(count)d minute", "for %(count)d minutes", minutes) % {
            "count": minutes
        }
    if kind == Kind.FLAPPING:
        return _("%(changes)s changes of state in %(minutes)s minutes") % {
            "changes": data.get("changes"),
            "minutes": data.get("minutes"),
        }
    if data.get("what") == "undo":
        return _("the last act was taken back")
    if "groups" in data and "alerts" in data:
        return _("%(alerts)s alerts in %(groups)s groups") % data
    parts = [data.get("who") or data.get("name"), data.get("error"), data.get("text")]
    return " · ".join(str(part) for part in parts if part)


def _sent(group: Group) -> list[Sent]:
    deliveries = list(
        Delivery.objects.filter(tenant_id=group.tenant_id, group_id=group.pk)
        .select_related("channel", "member")
        .order_by("-created_at", "-id")[:MOST_DELIVERIES]
    )
    attempts = _attempts(group.tenant_id, [row.pk for row in deliveries])
    return [Sent(row, _recipient(row), attempts[row.pk]) for row in deliveries]


def _attempts(tenant_id: UUID, ids: list[UUID]) -> dict[UUID, list[Attempt]]:
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    rows = Attempt.objects.filter(tenant_id=tenant_id, delivery_id__in=ids)
    for row in rows.order_by("at", "id"):
        found[row.delivery_id].append(row)
    return found


def _recipient(row: Delivery) -> str:
    """Return whom a delivery is for, as people say it."""
    names: list[Any] = [row.member, row.channel, row.address]
    return next((str(name) for name in names if name), row.channel_kind)
