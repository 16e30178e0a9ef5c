"""What is said about a group? Builds the Message that every channel renders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, When

from alertcenter.alerts.models import Group, GroupAlert
from escalation.models import DueStep
from notifications.message import AlertLine, Message, Note
from tenants.models import Tenant

MOST_ALERTS = 10
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "firing": ("acknowledge", "resolve", "snooze"),
    "acknowledged": ("resolve", "unacknowledge"),
    "snoozed": ("acknowledge", "resolve", "unacknowledge"),
    "resolved": (),
}


def message_for(group: Group, *, note: Note | None = None) -> Message:
    """Return the message about one group as it stands."""
    return messages_for(group.tenant_id, [group], notes={group.pk: note})[group.pk]


def messages_for(
    tenant_id: UUID,
    groups: Sequence[Group],
    *,
    notes: Mapping[UUID, Note | None] | None = None,
) -> dict[UUID, Message]:
    """Return the messages about groups, with few queries for all of them."""
    tenant = Tenant.objects.get(pk=tenant_id)
    lines = _alert_lines(tenant_id, [g.pk for g in groups])
    coming = next_steps(tenant_id, [g.pk for g in groups])
    notes = notes or {}
    return {
        g.pk: _message(tenant, g, lines[g.pk], coming.get(g.pk), notes.get(g.pk))
        for g in groups
    }


def _message(
    tenant: Tenant,
    group: Group,
    lines: list[AlertLine],
    coming: tuple[datetime, str] | None,
    note: Note | None,
) -> Message:
    return Message(
        kind=group.state,
        tenant=tenant.name,
        title=group.title,
        severity=group.severity,
        state=group.state,
        number=group.number,
        group_id=str(group.pk),
        url=f"{settings.BASE_URL}/t/{tenant.slug}/groups/{group.number}",
        labels=dict(group.labels),
        opened_at=group.opened_at.isoformat(),
        changed_at=group.changed_at.isoformat(),
        resolved_at=iso(group.resolved_at),
        snooze_until=iso(group.snooze_until),
        actor=group.acked_by,
        firing_count=group.firing_count,
        alert_count=group.alert_count,
        alerts=tuple(lines),
        actions=ACTIONS[group.state],
        thread_key=str(group.pk),
        dedup_key=group.key,
        next_at=iso(coming[0]) if coming else None,
        next_who=coming[1] if coming else "",
        note=note,
    )


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _alert_lines(
    tenant_id: UUID, group_ids: Sequence[UUID]
) -> dict[UUID, list[AlertLine]]:
    """Return the worst MOST_ALERTS alerts of each group, firing ones first."""
    lines: dict[UUID, list[AlertLine]] = {pk: [] for pk in group_ids}
    for group_id in group_ids:
        rows = (
            GroupAlert.objects.filter(tenant_id=tenant_id, group_id=group_id)
            .select_related("alert")
            .order_by(
                Case(When(left_at=None, then=0), default=1),
                "-alert__severity",
                "joined_at",
            )
        )[:MOST_ALERTS]
        lines[group_id] = [_line(row.alert) for row in rows]
    return lines


def _line(alert: Any) -> AlertLine:
    annotations = alert.annotations or {}
    return AlertLine(
        title=alert.title,
        severity=alert.severity,
        state=alert.state,
        labels=dict(alert.labels),
        summary=str(annotations.get("summary", "")),
        description=str(annotations.get("description", "")),
        link=alert.link,
        starts_at=alert.starts_at.isoformat(),
    )


def next_steps(
    tenant_id: UUID, group_ids: Sequence[UUID]
) -> dict[UUID, tuple[datetime, str]]:
    """Return when each group's next step is due and whom it tells."""
    return {
        step.group_id: (
            step.due_at,
            str(step.run.snapshot["steps"][step.position]["who"]),
        )
        for step in DueStep.objects.filter(
            tenant_id=tenant_id, group_id__in=list(group_ids), state="due"
        ).select_related("run")
    }
