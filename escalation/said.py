"""What does a route's channel get when a group is flushed?

Conversations (Slack, mailboxes) get what is worth a new message: what else happens is
redrawn in place by `threads`, or told to the tool behind the channel as its new state.
A webhook gets every notice, in Alertmanager's own shape (version 4;
reference/wire-protocols.md 3.6), so that its receivers need no change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from alertcenter.alerts import notices
from alertcenter.alerts.fingerprint import fingerprint
from alertcenter.alerts.models import Alert, Group, Notice
from alertcenter.alerts.routing import CompiledRoute
from escalation.messages import message_for
from notifications import recipients
from notifications.channels.registry import spec_of
from notifications.models import Channel
from notifications.outbox import Entry

EVERYTHING = frozenset(
    (
        notices.FIRST,
        notices.NEW_ALERTS,
        notices.RESOLVED,
        notices.ALL_RESOLVED,
        notices.REPEAT,
    )
)
IN_PLACE = frozenset([notices.FIRST, notices.REPEAT])
IN_TURN = frozenset([notices.FIRST, notices.NEW_ALERTS, notices.REPEAT])
# So many alerts are in one body; the rest is counted.
MOST_ALERTS = 1_000
NEVER = "0001-01-01T00:00:00Z"


def worth_saying(kind: str) -> frozenset[str]:
    """Return which notices a kind of channel gets: who is told of each state as it
    changes needs fewer."""
    spec = spec_of(kind)
    if spec.updates:
        return IN_PLACE
    return IN_TURN if spec.for_people else EVERYTHING


def is_over(notice: Notice, group: Group, channel: Channel) -> bool:
    """Whether what a channel was told last belongs to a conversation that has ended.

    People read in it that all is resolved, at once: what fires now is news to them,
    also where Alertmanager, which speaks of the group's key alone, would say nothing.
    A group that flaps stays open, and so does its conversation.
    """
    if worth_saying(channel.kind) == EVERYTHING:
        return False
    ended = not (notice.firing or notice.owed or group.flapping_since)
    return ended or notice.at < group.opened_at


def entries(
    group: Group,
    route: CompiledRoute,
    channel: Channel,
    decision: notices.Decision,
    names: Mapping[int, UUID],
    *,
    at: datetime,
) -> list[Entry]:
    """Return the deliveries of one notice."""
    if decision.reason not in worth_saying(channel.kind):
        return []
    message = message_for(group)
    if channel.kind == "webhook":
        body = alertmanager_body(group, route, decision, names)
        message = replace(message, payload=body)
    return [
        Entry(
            idem=f"notice/{channel_id}/{group.key}/{at.isoformat()}/{address}",
            message=message,
            channel_id=channel_id,
            channel_kind=kind,
            address=address,
            group_id=group.pk,
            severity=group.severity,
        )
        for kind, channel_id, address in recipients.for_channel(channel)
    ]


def alertmanager_body(
    group: Group,
    route: CompiledRoute,
    decision: notices.Decision,
    names: Mapping[int, UUID],
) -> dict[str, Any]:
    """Return Alertmanager's webhook body, version 4."""
    firing = sorted(names[name] for name in decision.last.firing if name in names)
    resolved = sorted(names[name] for name in decision.resolved if name in names)
    listed = [*firing, *resolved][:MOST_ALERTS]
    rows = Alert.objects.filter(tenant_id=group.tenant_id).in_bulk(listed)
    fires = set(firing)
    alerts = [_alert(rows[pk], fires=pk in fires) for pk in listed if pk in rows]
    slug = group.tenant.slug
    return {
        "version": "4",
        "groupKey": group_key(route, group.labels),
        "truncatedAlerts": len(firing) + len(resolved) - len(alerts),
        "status": "firing" if firing else "resolved",
        "receiver": route.receiver,
        "notification_reason": decision.reason,
        "groupLabels": dict(group.labels),
        "commonLabels": common([alert["labels"] for alert in alerts]),
        "commonAnnotations": common([alert["annotations"] for alert in alerts]),
        "routeLabels": dict(route.labels),
        "externalURL": f"{settings.BASE_URL}/t/{slug}",
        "alerts": alerts,
    }


def group_key(route: CompiledRoute, labels: Mapping[str, str]) -> str:
    """Return the key by which Alertmanager would name the group."""
    values = ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels))
    return f"{route.path}:{{{values}}}"


def common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what all of these have in common."""
    if not maps:
        return {}
    shared = dict(maps[0])
    for one in maps[1:]:
        shared = {k: v for k, v in shared.items() if one.get(k) == v}
    return shared


def _alert(alert: Alert, *, fires: bool) -> dict[str, Any]:
    ended = alert.ends_at or alert.last_at
    return {
        "status": "firing" if fires else "resolved",
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": _time(alert.starts_at),
        "endsAt": NEVER if fires else _time(ended),
        "generatorURL": alert.link,
        "fingerprint": alert.fingerprint or fingerprint(alert.labels),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
