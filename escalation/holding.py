"""May a step go out now, or is its whole group quiet? Judged at the last moment.

A held step stays due: it is looked at again when the flow hears of a change (a silence
lifted, a source resolved, a new alert that nobody silenced), and in any case after a
while, as the end of an interval is no event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from alertcenter.alerts import lifecycle, quiet
from alertcenter.alerts.lifecycle import Change
from alertcenter.alerts.models import Group
from alertcenter.alerts.routing import RouteBook
from escalation import runs
from escalation.intervals import muted_by

if TYPE_CHECKING:
    from escalation.carrying import Claimed

# More members than these are judged by the marks they have.
MOST_MEMBERS = 1_000
INTERVAL = "interval"
LOOK_AGAIN_SECONDS: Mapping[str, float] = {INTERVAL: 15.0}
LOOK_AGAIN_OTHERWISE = 120.0

_routes = RouteBook()


def hold(tenant_id: UUID, claimed: Sequence[Claimed]) -> set[int]:
    """Put off the steps of quiet groups, and say why once; return those steps."""
    reasons = why_quiet(tenant_id, [c.group for c in claimed])
    held = [c for c in claimed if c.group.pk in reasons]
    runs.hold(
        [
            (
                c.step.pk,
                reasons[c.group.pk],
                LOOK_AGAIN_SECONDS.get(reasons[c.group.pk], LOOK_AGAIN_OTHERWISE),
            )
            for c in held
        ]
    )
    lifecycle.tell(
        [
            Change(
                tenant_id,
                "held",
                group_id=c.group.pk,
                from_state=c.group.state,
                to_state=c.group.state,
                reason=reasons[c.group.pk],
                data={"step": c.step.position + 1},
            )
            for c in held
            if c.step.held != reasons[c.group.pk]
        ]
    )
    return {c.step.pk for c in held}


def why_quiet(tenant_id: UUID, groups: Sequence[Group]) -> dict[UUID, str]:
    """Return the groups that nobody is to be told of now: silenced, inhibited,
    `flapping` or `storm` when at this moment nothing fires in them, or `interval` when
    their route is quiet at this time."""
    found: dict[UUID, str] = {}
    now = lifecycle.database_time()
    routes = _routes.book(tenant_id).by_id
    for group in groups:
        route = routes.get(group.route_id)
        if route is not None and muted_by(tenant_id, route, now) is not None:
            found[group.pk] = INTERVAL
    found |= {g.pk: why for g in groups if (why := at_rest(g)) and g.pk not in found}
    rest = [group for group in groups if group.pk not in found]
    if not rest or not quiet.books.of(tenant_id):
        return found
    judged = quiet.judge_groups(tenant_id, [g.pk for g in rest], most=MOST_MEMBERS)
    for group in rest:
        members = judged.get(group.pk, [])
        if not members or not all(one.quiet for one in members):
            continue
        if len(members) >= MOST_MEMBERS and group.quiet_count < group.firing_count:
            continue
        silenced = any(one.silenced_by for one in members)
        found[group.pk] = "silenced" if silenced else "inhibited"
    return found


def at_rest(group: Group) -> str:
    """Return why it is open although nothing fires in it; "" where something does.

    The alerts of what flaps, or of a storm, may be back at any moment.
    """
    if group.firing_count > 0:
        return ""
    return "flapping" if group.flapping_since else "storm" if group.storm_id else ""
