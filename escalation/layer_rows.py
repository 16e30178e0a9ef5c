"""How is a layer's row read into what is reckoned with?

What no form has written (a zone that the system has ceased to know, hours that are
none) is left out and logged: the other layers, and other schedules, still count.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from escalation import hours
from escalation.hours import DAY_NAMES, EVERY_DAY
from escalation.models.schedule import EARLIEST, LATEST, Layer
from escalation.shifts import FREQUENCIES
from escalation.shifts import Layer as Rotation

log = logging.getLogger(__name__)

LONGEST_KNOWN = 2_500  # letters of a layer: some fifty turns

# As text: what was read before is known by it, and not read anew.
LAYERS = """
SELECT l.schedule_id::text, l.id::text, l.time_zone, l.starts_on, l.handoff,
  l.frequency, l.every, l.first_turn, l.ends_on, l.lasts_minutes, l.weekdays::text,
  l.hours::text, l.holidays, l.level, l.name, (
    SELECT string_agg(t.position || ':' || t.member_id, ',' ORDER BY t.position, t.id)
    FROM turn t WHERE t.tenant_id = l.tenant_id AND t.layer_id = l.id)
FROM layer l
WHERE l.tenant_id = %s AND l.schedule_id = ANY (%s::uuid[])
ORDER BY l.level, l.id
"""


@lru_cache(maxsize=20_000)
def _known_rotation(
    schedules_zone: str,
    pk: str,
    time_zone: str,
    starts_on: date,
    handoff: time,
    frequency: str,
    every: int,
    first_turn: int,
    ends_on: date | None,
    lasts_minutes: int | None,
    weekdays: str,
    open_hours: str,
    holidays_kind: str,
    level: int,
    name: str,
    turns: str | None,
) -> Rotation:
    """Return a layer as what is reckoned with. The same facts are the same object.

    Raises ValueError, and others, for what no form has written.
    """
    if not EARLIEST <= starts_on <= LATEST or every < 1 or frequency not in FREQUENCIES:
        raise ValueError(f"out of reach: {starts_on}, {every} {frequency}")
    zone = time_zone or schedules_zone
    row = Layer(
        id=UUID(pk),
        starts_on=starts_on,
        handoff=handoff,
        frequency=frequency,
        every=every,
        first_turn=first_turn,
        ends_on=ends_on,
        lasts_minutes=lasts_minutes,
        weekdays=json.loads(weekdays),
        hours=json.loads(open_hours),
        holidays=holidays_kind,
        level=level,
        name=name,
    )
    pairs = [turn.split(":") for turn in turns.split(",")] if turns else []
    places = [(int(position), UUID(member)) for position, member in pairs]
    return rotation(row, places, zone_or_utc(zone).key)


def readable(zone: str, facts: Sequence[Any]) -> Rotation | None:
    """Return a layer; None for one that cannot be reckoned with, so that the others
    of its schedule, and of the tenant, still count."""
    try:
        # Long texts would fill the memory of all tenants' engine.
        long = sum(len(one) for one in facts if isinstance(one, str)) > LONGEST_KNOWN
        read = _known_rotation.__wrapped__ if long else _known_rotation
        return read(zone, *facts)
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError):
        log.exception("layer_unreadable", extra={"layer": facts[0]})
        return None


def zone_or_utc(name: str) -> ZoneInfo:
    """Return a zone; the world's for a name that the system has ceased to know: some
    hours off is better than nobody."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        log.error("zone_unknown", extra={"zone": name[:64]})
        return ZoneInfo("UTC")


def rotation(row: Layer, turns: Iterable[tuple[int, UUID]], time_zone: str) -> Rotation:
    """Return a layer's row as what is reckoned with; `turns` are (position, member),
    by position."""
    places: dict[int, list[UUID]] = defaultdict(list)
    for position, member in turns:
        places[position].append(member)
    days = frozenset(DAY_NAMES.index(day) for day in row.weekdays)
    lasts = timedelta(minutes=row.lasts_minutes) if row.lasts_minutes else None
    ends = row.ends_on if row.ends_on and row.ends_on <= LATEST else None
    return Rotation(
        zone=ZoneInfo(time_zone),
        starts=datetime.combine(row.starts_on, row.handoff),
        turns=tuple(tuple(places[position]) for position in sorted(places)),
        frequency=row.frequency,
        every=row.every,
        first=row.first_turn,
        until=datetime.combine(ends, row.handoff) if ends else None,
        lasts=lasts,
        weekdays=EVERY_DAY if len(days) == len(DAY_NAMES) else days,
        hours=hours.parse(row.hours) if row.hours else (),
        holidays=row.holidays,
        level=row.level,
        name=row.name,
        key=row.pk,
    )
