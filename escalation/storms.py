"""What is said of a storm, to whom, and how often?

A storm is handled as a group of groups: the engine opens one group for it, the route's
policy goes to work on that one, and it can be acknowledged as any other. So a storm is
one page, and escalates as one; a digest follows at most once a minute, as a line below
that page. When it is over, one last digest; what it held and still fires stays the
storm's, whose group is resolved with the last of them.

The flow that holds groups and the sweep that looks at their storm never work on one
tenant together (`storms.claim`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.db.utils import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _

from alertcenter.alerts import lifecycle, priority, storms
from alertcenter.alerts.grouping import Regrouped
from alertcenter.alerts.lifecycle import NOW, GroupChange
from alertcenter.alerts.models import Group, Storm
from alertcenter.alerts.opening import NUMBERS
from alertcenter.alerts.priority import Facts
from alertcenter.alerts.routing import CompiledRoute, RouteBook
from alertcenter.alerts.storms import Funnel, Opened
from alertcenter.common import failpoints
from escalation import actions, runs, threads
from escalation.messages import message_for
from notifications import localize, outbox, recipients
from notifications.channels.registry import spec_of, tools
from notifications.models import Channel, Delivery
from tenants import access
from tenants.actors import THE_ENGINE
from tenants.models import Tenant
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

# A page that goes out with the first alert would know of one group only.
GATHER_SECONDS = 2.0
LOOK_SECONDS = 5.0
LOOK_SECONDS_AFTER = 30.0
REDRAW_SECONDS = 12
DIGEST = timedelta(minutes=1)
# Over when so long fewer than half as many groups open as begin a storm.
CALM = timedelta(minutes=2)
BEGUN_TO_SEND = ("leased", "sent", "ambiguous")

_routes = RouteBook()


# --- in the flow, when groups open ---


def pass_on(tenant_id: UUID, opened: Sequence[Regrouped]) -> list[Regrouped]:
    """Return those of the groups just opened that go their own way.

    The others belong to a storm: they have no run, and carry its id.
    """
    asked = [
        Opened(item.group.pk, route.id, route.storm_per_minute)
        for item in opened
        if item.placement and (route := item.placement.route).id
    ]
    taken = storms.take(tenant_id, asked, gather=GATHER_SECONDS)
    if not taken.held:
        return list(opened)
    before = _not_told(tenant_id, storms.early(tenant_id, taken))
    storms.hold(tenant_id, {**taken.held, **before})
    runs.stop(tenant_id, before)
    outbox.cancel_pages(tenant_id, before)
    for item in opened:
        item.group.storm_id = taken.held.get(item.group.pk)
    return [item for item in opened if item.group.storm_id is None]


def _not_told(tenant_id: UUID, early: dict[UUID, UUID]) -> dict[UUID, UUID]:
    """Leave out groups whose page is out, or in the air: those go on by themselves."""
    told = Delivery.objects.filter(
        tenant_id=tenant_id, group_id__in=list(early), state__in=BEGUN_TO_SEND
    )
    known = set(told.values_list("group_id", flat=True))
    return {pk: storm for pk, storm in early.items() if pk not in known}


# --- in the engine, until it is over ---


def sweep() -> int:
    """Look at the storms of all tenants whose time has come, each by itself.

    Returns 0: the next look is at the next interval.
    """
    with transaction.atomic(), tenant_context(*(pk for pk, _ in access.tenants())):
        waiting = storms.due()
    for tenant_id, pk in waiting:
        try:
            with transaction.atomic(), tenant_context(tenant_id):
                storm = storms.claim(tenant_id, pk)
                if storm is not None:
                    look(storm)
                    failpoints.hit("storms.before_commit")
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # one storm's trouble must not hide the others
            log.exception("storm_failed", extra={"storm": str(pk)})
    return 0


def look(storm: Storm) -> None:
    """Say what there is to say of a locked storm, and note when to look again."""
    now = lifecycle.database_time()
    route = _routes.book(storm.tenant_id).by_id.get(storm.route_id)
    found = storms.funnel(storm)
    _follow_rate(storm, route, now)
    group = _own_group(storm, found, now)
    storm.groups, storm.alerts = found.groups, found.alerts
    storm.open_groups = found.open_groups
    if group is None:
        if _due_to_tell(storm, now) and found.open_groups:
            group = _open(storm, route, found, now)
    else:
        _go_on(storm, group, found, now)
    if storm.ended_at and not found.open_groups:
        _close(storm, group, now)
    after = LOOK_SECONDS_AFTER if storm.ended_at else LOOK_SECONDS
    storm.look_at = now + timedelta(seconds=after)
    storm.save()


def _follow_rate(storm: Storm, route: CompiledRoute | None, now: datetime) -> None:
    """Note since when it is calm on the route, and the end when that was long ago."""
    if storm.ended_at:
        return
    rate = storms.rates(storm.tenant_id, [storm.route_id])[storm.route_id]
    allowed = route.storm_per_minute if route else 0
    if allowed and rate * 2 >= allowed:
        storm.calm_since = None
    elif storm.calm_since is None:
        storm.calm_since = now
    if storm.calm_since and (not allowed or storm.calm_since <= now - CALM):
        storm.ended_at = now


def _own_group(storm: Storm, found: Funnel, now: datetime) -> Group | None:
    """Lock and return the group that speaks for the storm.

    None before it is opened; and when a person resolved it and more came since.
    """
    if storm.group_id is None:
        return None
    group = Group.objects.select_for_update().filter(pk=storm.group_id).first()
    again = storm.ended_at is None and found.groups > storm.told_groups
    if group and group.state == "resolved" and again and _due_to_tell(storm, now):
        return None
    return group


def _due_to_tell(storm: Storm, now: datetime) -> bool:
    return storm.told_at is None or storm.told_at <= now - DIGEST


def _told(storm: Storm, found: Funnel, now: datetime) -> None:
    storm.told_at, storm.told_groups = now, found.groups


def _open(
    storm: Storm, route: CompiledRoute | None, found: Funnel, now: datetime
) -> Group:
    """Open the storm's own group, and let the route's policy and channels know."""
    tenant_id = storm.tenant_id
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {"tenant": tenant_id, "n": 1})
        number = cursor.fetchone()[0]
    urgency = priority.decide(Facts(found.severity, found.firing))
    group = Group.objects.create(
        tenant_id=tenant_id,
        number=number,
        key=hashlib.sha256(f"storm {storm.pk} {number}".encode()).hexdigest(),
        route_id=storm.route_id,
        previous_id=storm.group_id,
        severity=found.severity,
        priority=urgency.level,
        priority_reason=urgency.to_json(),
        title=_title(storm),
        labels={},
        opened_at=Now(),
        changed_at=Now(),
        firing_count=found.firing,
        alert_count=found.alerts,
        storm_id=storm.pk,
    )
    group.refresh_from_db()
    _tell(group, "opened", found, reason="storm")
    storm.group_id = group.pk
    if group.previous_id:
        Group.objects.filter(pk=group.previous_id).update(storm_id=None)
    storm.save(update_fields=["group_id", *COUNTED])
    _told(storm, found, now)
    if route is not None:
        runs.start(tenant_id, [runs.Start(group, route.policy_id)])
        _page_channels(group, route)
    return group


COUNTED = ("groups", "alerts", "open_groups")


def _title(storm: Storm) -> str:
    tenant = Tenant.objects.get(pk=storm.tenant_id)
    with translation.override(localize.interface_language(tenant.language)):
        return _("Storm on the route %(route)s") % {"route": storm.route.name}


def listening(group: Group, channels: Iterable[Channel]) -> list[Channel]:
    """Return the channels that hear of this group by itself.

    People hear of the storm in its place; machines hear of every group, as ever.
    """
    if group.storm_id is None:
        return list(channels)
    return [c for c in channels if not spec_of(c.kind).for_people]


def _page_channels(group: Group, route: CompiledRoute) -> None:
    """Page the people on the route's own channels."""
    channels = Channel.objects.filter(
        tenant_id=group.tenant_id, pk__in=route.channels, active=True
    ).exclude(kind__in=tools())
    found = [
        (channel, target)
        for channel in channels.order_by("pk")
        for target in recipients.for_channel(channel)
    ]
    if not found:
        return
    message = message_for(group)
    outbox.put(
        group.tenant_id,
        [
            outbox.Entry(
                idem=f"storm/{group.pk}/{channel.pk}:{address}",
                message=message,
                channel_id=channel_id,
                channel_kind=kind,
                address=address,
                group_id=group.pk,
                severity=message.severity,
            )
            for channel, (kind, channel_id, address) in found
        ],
    )


def _go_on(storm: Storm, group: Group, found: Funnel, now: datetime) -> None:
    """Count anew, page again when it got worse, and write the digest if it is time."""
    if group.state == "resolved":
        return
    just_over = storm.ended_at == now
    in_time = _due_to_tell(storm, now)
    grown = found.groups > storm.told_groups and storm.ended_at is None
    tell = just_over or (grown and in_time)
    severity = found.severity if found.open_groups else group.severity
    urgency = priority.decide(Facts(severity, found.firing))
    values: dict[str, Any] = {
        "severity": severity,
        "priority": urgency.level,
        "priority_reason": urgency.to_json(),
        "firing_count": found.firing,
        "alert_count": found.alerts,
    }
    acked = group.acked_severity if group.state in ("acknowledged", "snoozed") else None
    worse = acked is not None and severity > acked and in_time
    same = all(getattr(group, name) == value for name, value in values.items())
    if same and not tell and not worse:
        return
    storm.save(update_fields=COUNTED)  # what is said now counts these
    if tell:
        _tell(group, "storm", found, reason="over" if just_over else "", values=values)
        _told(storm, found, now)
    else:
        lifecycle.change_groups(
            [GroupChange(group.tenant_id, group.pk, values, from_state=group.state)]
        )
    group.refresh_from_db()
    if worse:
        _told(storm, found, now)
        actions.unacknowledge(
            group.tenant_id, [group.pk], actor=THE_ENGINE, reason="worse"
        )
        return
    kind = ("storm_over" if just_over else "storm") if tell else ""
    threads.refresh(
        group.tenant_id,
        [group],
        kind=kind,
        actor="",
        data=_data(found) if kind else {},
        delay_seconds=0 if kind else REDRAW_SECONDS,
    )


def _close(storm: Storm, group: Group | None, now: datetime) -> None:
    """The storm is over, and nothing that it held fires any more."""
    storm.closed_at = now
    if group is None or group.state == "resolved":
        return
    over = {
        "state": "resolved",
        "resolved_at": NOW,
        "snooze_until": None,
        "firing_count": 0,
    }
    lifecycle.change_groups(
        [
            GroupChange(
                group.tenant_id,
                group.pk,
                over,
                kind="resolved",
                from_state=group.state,
                reason="source",
            )
        ]
    )
    group.refresh_from_db()
    runs.stop(group.tenant_id, [group.pk])
    outbox.cancel_pages(group.tenant_id, [group.pk])
    threads.refresh(group.tenant_id, [group], kind="resolved", actor="")


def _tell(
    group: Group,
    kind: str,
    found: Funnel,
    *,
    reason: str = "",
    values: dict[str, Any] | None = None,
) -> None:
    change = GroupChange(
        group.tenant_id,
        group.pk,
        values or {},
        kind=kind,
        from_state="" if kind == "opened" else group.state,
        reason=reason,
        data=_data(found),
    )
    lifecycle.change_groups([change])


def _data(found: Funnel) -> dict[str, Any]:
    return {
        "alerts": found.alerts,
        "groups": found.groups,
        "open": found.open_groups,
    }
