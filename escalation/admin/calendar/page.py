"""What does the page with a schedule's calendar say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from escalation import calendar_words, oncall, quality, rota
from escalation.admin.calendar import period as periods
from escalation.admin.calendar.period import DAYS_OF_WEEK, Day, Period
from escalation.admin.calendar.picture import People, milliseconds, percent, stretch
from escalation.admin.calendar.rows import Calendar, calendar
from escalation.hours import ONE_DAY, Span, joined
from escalation.models import Schedule
from escalation.quality import PERFECT, Quality
from tenants.access import Membership

LONG = timedelta(days=90)
SHOWN = "shown"
GOOD, FAIR = 90, 60
MOST_LISTED = 10
WEEKEND = (5, 6)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    period: Period
    zone: str
    long: bool

    def query(self, **other: Any) -> str:
        """Return the address of a neighbour of this page."""
        given = {
            "view": self.period.view,
            "from": self.period.first.isoformat(),
            "zone": self.zone,
        }
        if not self.long:
            given["over"] = SHOWN
        return "?" + urlencode({k: v for k, v in (given | other).items() if v != ""})


def zones_of(schedule: Schedule, membership: Membership) -> dict[str, ZoneInfo]:
    return {
        periods.SCHEDULE: ZoneInfo(schedule.time_zone),
        periods.MINE: ZoneInfo(membership.time_zone),
        periods.WORLD: ZoneInfo("UTC"),
    }


def asked_of(
    request: HttpRequest, schedule: Schedule, membership: Membership, now: datetime
) -> Asked:
    """Read the address of the page."""
    zones = zones_of(schedule, membership)
    period, name = periods.read(request.GET.dict(), zones, now)
    return Asked(period, name, request.GET.get("over") != SHOWN)


def context(schedule: Schedule, asked: Asked, now: datetime) -> dict[str, Any]:
    """Return what the template shows."""
    period = asked.period
    shown = calendar(schedule, period)
    return {
        "schedule": schedule,
        "asked": asked,
        "heading": heading(period),
        "links": links(asked),
        "zones": zone_links(asked, schedule),
        **frame(period, shown, now),
        **report_of(schedule, asked, shown, now),
    }


def frame(period: Period, shown: Calendar, now: datetime) -> dict[str, Any]:
    """Return what the rows and the columns need."""
    ends = (*(day.span.starts_at for day in period.days), period.within.ends_at)
    return {
        "period": period,
        "rows": shown.rows,
        "too_much": calendar_words.too_much() if shown.too_much else "",
        "days": [column(period, day, shown, now) for day in period.days],
        "edges": ",".join(str(milliseconds(at)) for at in ends),
        "now_x": percent(period.share(now)) if _lies(now, period.within) else "",
        "odd_days": [odd_words(day) for day in period.days if day.is_odd],
    }


def _lies(at: datetime, span: Span) -> bool:
    return span.starts_at <= at < span.ends_at


def heading(period: Period) -> str:
    """Return "November 2026", or "16 – 22 November 2026"."""
    if period.view == periods.MONTH:
        return date_format(period.first, "YEAR_MONTH_FORMAT")
    last = period.over - ONE_DAY
    return f"{date_format(period.first, 'j M')} – {date_format(last, 'j M Y')}"


def links(asked: Asked) -> dict[str, str]:
    """Return the ways to the neighbours."""
    period = asked.period
    return {
        "before": asked.query(**{"from": period.before.isoformat()}),
        "after": asked.query(**{"from": period.over.isoformat()}),
        "today": asked.query(**{"from": ""}),
        "week": asked.query(view=periods.WEEK),
        "month": asked.query(view=periods.MONTH),
        "long": asked.query(over=""),
        "short": asked.query(over=SHOWN),
    }


def zone_links(asked: Asked, schedule: Schedule) -> list[dict[str, Any]]:
    words = {
        periods.SCHEDULE: _("the schedule's (%(zone)s)") % {"zone": schedule.time_zone},
        periods.MINE: _("mine"),
        periods.WORLD: "UTC",
    }
    return [
        {"label": words[name], "url": asked.query(zone=name), "on": name == asked.zone}
        for name in periods.ZONES
    ]


def column(period: Period, day: Day, shown: Calendar, now: datetime) -> dict[str, Any]:
    """Return what stands over a day and how its column looks."""
    left, right = period.share(day.span.starts_at), period.share(day.span.ends_at)
    holiday = day.on in shown.rota.holidays
    flags = {
        "today": _lies(now, day.span),
        "weekend": day.on.weekday() in WEEKEND,
        "holiday": holiday,
        "odd": day.is_odd,
    }
    names = WEEKDAYS if len(period.days) <= DAYS_OF_WEEK else WEEKDAYS_ABBR
    remarks = [_("holiday")] if holiday else []
    if day.is_odd:
        remarks.append(odd_words(day))
    full = date_format(day.on, "DATE_FORMAT")
    return {
        "x": percent(left),
        "width": percent(right - left),
        "number": day.on.day,
        "name": str(WEEKDAYS_ABBR[day.on.weekday()]),
        "title": ", ".join([f"{names[day.on.weekday()]}, {full}", *remarks]),
        "mark": "*" if holiday else "",
        "odd": f"{day.hours:g} h" if day.is_odd else "",
        "css": " ".join(name for name, on in flags.items() if on),
    }


def odd_words(day: Day) -> str:
    return _("%(day)s has %(hours)s hours: clocks change.") % {
        "day": date_format(day.on, "D j M"),
        "hours": f"{day.hours:g}",
    }


# --- quality and fairness ---


def report_of(
    schedule: Schedule, asked: Asked, shown: Calendar, now: datetime
) -> dict[str, Any]:
    """Return the report over the shown period, or over 90 days from its begin; from
    now on, if that lies in it: what is over cannot be mended."""
    within, given = asked.period.within, shown.rota
    if asked.long:
        begin = now if _lies(now, within) else within.starts_at
        within = Span(begin, begin + LONG)
        found = oncall.load(schedule.tenant_id, [schedule.pk], within)
        given = found[schedule.pk]
    if not rota.Budget().takes(given, within):
        return {"no_report": calendar_words.too_much()}
    zones = {pk: ZoneInfo(m.time_zone) for pk, m in shown.people.members.items()}
    report = quality.report(given, within, zones)
    return {
        "report": report,
        "score_css": score_css(report.score),
        "perfect": PERFECT,
        "gap_words": listed(asked.period, report.gaps),
        "gap_hours": hours_of(quality.length(report.gaps)),
        "double_words": [
            f"{shown.people.name(one.person)}: "
            + stretch(asked.period, Span(one.starts_at, one.ends_at))
            for one in report.doubles[:MOST_LISTED]
        ],
        "fairness": fairness(shown.people, report),
        "more_gaps": max(len(report.gaps) - MOST_LISTED, 0),
        "imbalance": f"{report.imbalance:.0%}",
    }


def score_css(score: int) -> str:
    if score >= GOOD:
        return "good"
    return "warn" if score >= FAIR else "bad"


def listed(period: Period, gaps: Sequence[Span]) -> list[str]:
    return [stretch(period, gap) for gap in joined(gaps)[:MOST_LISTED]]


def fairness(people: People, report: Quality) -> list[dict[str, Any]]:
    """Return one line a person; bars are shares of the most that anybody has."""
    most = max((load.time for load in report.loads), default=timedelta()) or HOUR
    return [
        {
            "name": people.name(load.person),
            "css": people.css(load.person),
            "hours": hours_of(load.time),
            "nights": hours_of(load.nights),
            "weekends": hours_of(load.weekends),
            "bars": [
                percent(part / most) for part in (load.time, load.nights, load.weekends)
            ],
        }
        for load in report.loads
    ]


def hours_of(time: timedelta) -> str:
    return f"{time / HOUR:.1f}".removesuffix(".0")


def who_at(schedule: Schedule, at: datetime) -> str:
    """Return who is on call at a moment; "" for nobody."""
    found = oncall.load(schedule.tenant_id, [schedule.pk], Span(at, at + HOUR))
    people = rota.people_at(found[schedule.pk], at)
    members = oncall.members_of(schedule.tenant_id, [people])
    return oncall.names_of(members[p] for p in people)
