"""What would a layer do that is not saved yet?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from escalation import calendar_words, oncall, rota
from escalation.admin.calendar import page
from escalation.admin.calendar.period import WEEKS, Period, first_of
from escalation.admin.calendar.picture import People, items_of, row
from escalation.admin.calendar.rows import Calendar, layer_name
from escalation.models import Schedule
from escalation.shifts import Layer, shifts
from tenants.models import Member


def preview(schedule: Schedule, layer: Layer, now: datetime) -> dict[str, Any]:
    """Return what the calendar's template shows: the layer over four weeks, and the
    schedule with it."""
    zone = ZoneInfo(schedule.time_zone)
    first = first_of(WEEKS, now.astimezone(zone).date())
    period = Period(WEEKS, first, zone)
    within, tenant_id = period.within, schedule.tenant_id
    before = oncall.load(tenant_id, [schedule.pk], within)[schedule.pk]
    others = [one for one in before.layers if one.key != layer.key]
    given = replace(before, layers=(*others, layer))
    if not rota.Budget().takes(given, within):
        return {"schedule": schedule, "too_much": calendar_words.too_much()}
    people = People.of({m.pk: m for m in Member.objects.filter(tenant_id=tenant_id)})
    own = shifts(layer, within, holidays=given.holidays, away=given.away)
    final = rota.final(given, within)
    rows = [
        row(period, people, "layer", layer_name(layer), items_of(own)),
        row(
            period,
            people,
            "final",
            schedule.name,
            items_of(final),
            gaps=rota.gaps_in(final, within),
        ),
    ]
    shown = Calendar(rows, final, people, given)
    return {
        "schedule": schedule,
        **page.frame(period, shown, now),
        "gaps": page.listed(period, rota.gaps_in(final, within)),
    }
