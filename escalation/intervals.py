"""Is a route quiet at this time of day, week or year?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from alertcenter.alerts import intervals
from alertcenter.alerts.models import TimeInterval
from alertcenter.alerts.routing import CompiledRoute


def muted_by(tenant_id: UUID, route: CompiledRoute, now: datetime) -> str | None:
    """Return the interval that keeps a route quiet now, None if none does.

    A name that is gone mutes nothing: a page too many beats a page lost.
    """
    wanted = {*route.mute_intervals, *route.active_intervals}
    if not wanted:
        return None
    found = {
        row.name: intervals.contains(intervals.parse(row.times), now)
        for row in TimeInterval.objects.filter(tenant_id=tenant_id, name__in=wanted)
    }
    for name in route.mute_intervals:
        if found.get(name):
            return name
    active = [name for name in route.active_intervals if name in found]
    if active and not any(found[name] for name in active):
        return active[0]
    return None
