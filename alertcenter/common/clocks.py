"""When does a wall clock show a time, also on the days on which clocks change?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def as_utc(local: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """Return when a wall clock shows `local`: the first or the `last` time; the first
    moment after the gap if it never does."""
    moment = local.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # In a gap, the time by the new clock lies before it and that by the old one after.
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)  # clocks change at a whole second
