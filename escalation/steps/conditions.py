"""Does the policy go on? Only at some hours, or for what is bad or big enough.

Where it does not, the next step is skipped, the policy ends, or it waits until it may.
A person who escalates by hand passes every condition.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts.models.choices import Severity
from escalation import hours, layer_rows, oncall
from escalation.hours import DAY_NAMES, Hours, HoursError, Span
from escalation.models.calendars import Availability
from escalation.steps import fields
from escalation.steps.base import (
    Finish,
    Kind,
    Plan,
    Resolved,
    Situation,
    SkipNext,
    WaitUntil,
    name_of,
    of,
)
from tenants.models import Member

log = logging.getLogger(__name__)

# What no clock decides is looked at again with each change of the group, and so often.
LOOK_AGAIN = timedelta(minutes=1)
AHEAD = (timedelta(days=9), timedelta(days=40), timedelta(days=400))
DAY = timedelta(days=1)
DAY_WORDS = {
    "mon": gettext_lazy("Mon"),
    "tue": gettext_lazy("Tue"),
    "wed": gettext_lazy("Wed"),
    "thu": gettext_lazy("Thu"),
    "fri": gettext_lazy("Fri"),
    "sat": gettext_lazy("Sat"),
    "sun": gettext_lazy("Sun"),
}


class Condition(Kind):
    """The policy goes on only if something holds."""

    condition: ClassVar[bool] = True

    @abstractmethod
    def holds(self, at: Situation) -> bool:
        """Whether the policy may go on now."""

    def opens(self, at: Situation) -> datetime | None:
        """Return when it will hold; None where no clock decides that."""
        return None

    def resolve(self, at: Situation) -> Resolved:
        if at.forced or self.holds(at):
            return Resolved()
        otherwise = of(at.plan, "otherwise")
        if otherwise == fields.STOP:
            return Resolved(reason="if_stops", then=Finish())
        if otherwise != fields.WAIT:
            return Resolved(reason="if_skips", then=SkipNext())
        opens = self.opens(at)
        moment = opens or at.now + LOOK_AGAIN
        reason = "" if at.turn else "if_waits"
        then = WaitUntil(moment, self.name, known=opens is not None)
        return Resolved(reason=reason, then=then)

    def words(self, plan: Plan) -> str:
        return f"{self.says(plan)} {otherwise_words(plan)}"

    @abstractmethod
    def says(self, plan: Plan) -> str:
        """The condition as a sentence."""


def otherwise_words(plan: Plan) -> str:
    return {
        fields.WAIT: _("Otherwise wait until then."),
        fields.STOP: _("Otherwise end here."),
    }.get(of(plan, "otherwise")) or _("Otherwise skip the next step.")


class IfTime(Condition):
    """Only in a window of the week, by the clock of a zone."""

    name = "if_time"
    label = gettext_lazy("continue only at these hours")
    fields = (fields.DAYS, fields.BEGINS, fields.ENDS, fields.ZONE, fields.OTHERWISE)
    position = 30
    clock = True

    def window(self, plan: Plan) -> tuple[Hours, ...]:
        one = {name: of(plan, name) for name in ("days", "begins", "ends")}
        return hours.parse([one])

    def holds(self, at: Situation) -> bool:
        zone = ZoneInfo(of(at.plan, "time_zone"))
        return hours.holds(self.window(at.plan), zone, at.now)

    def opens(self, at: Situation) -> datetime | None:
        zone = ZoneInfo(of(at.plan, "time_zone"))
        within = Span(at.now, at.now + AHEAD[0])
        found = hours.covered(self.window(at.plan), zone, within)
        return found[0].starts_at if found else None

    def says(self, plan: Plan) -> str:
        return _("Go on only %(days)s %(begins)s–%(ends)s (%(zone)s).") % {
            "days": day_words(of(plan, "days")),
            "begins": of(plan, "begins"),
            "ends": of(plan, "ends"),
            "zone": of(plan, "time_zone"),
        }


def day_words(days: list[str]) -> str:
    if len(days) == len(DAY_NAMES):
        return _("every day")
    return ", ".join(str(DAY_WORDS[day]) for day in days)


class IfHours(Condition):
    """Only while a person is at work: in his hours, no holiday, not absent."""

    name = "if_hours"
    label = gettext_lazy("continue only in a member's business hours")
    fields = (fields.MEMBER, fields.OTHERWISE)
    position = 31
    clock = True

    def holds(self, at: Situation) -> bool:
        within = Span(at.now, at.now + timedelta(seconds=1))
        return hours.lies_in(at.now, at_work(at.tenant_id, self.member(at), within))

    def opens(self, at: Situation) -> datetime | None:
        for ahead in AHEAD:
            within = Span(at.now, at.now + ahead)
            if found := at_work(at.tenant_id, self.member(at), within):
                return found[0].starts_at
        return at.now + DAY

    def member(self, at: Situation) -> UUID:
        return UUID(of(at.plan, "member"))

    def says(self, plan: Plan) -> str:
        who = name_of(plan, "member")
        return _("Go on only in the business hours of %(who)s.") % {"who": who}


def at_work(tenant_id: UUID, member_id: UUID, within: Span) -> list[Span]:
    """Return when a member works: always where no hours are written."""
    mine = {"tenant_id": tenant_id, "member_id": member_id}
    own = Availability.objects.filter(**mine).first()
    member = Member.objects.filter(tenant_id=tenant_id, pk=member_id).first()
    spans = [within]
    if own and own.hours and member:
        zone = layer_rows.zone_or_utc(member.time_zone)
        spans = hours.covered(readable(own), zone, within)
    away = oncall.absences(tenant_id, within, [member_id]).get(member_id, [])
    return hours.without(spans, hours.joined(away))


def readable(own: Availability) -> tuple[Hours, ...]:
    """Return a member's hours; of such as no form has written, all day: a step that
    failed for ever would tell nobody."""
    try:
        return hours.parse(own.hours)
    except HoursError:
        log.exception("hours_unreadable", extra={"member": str(own.member_id)})
        return (Hours(),)


class IfSeverity(Condition):
    """Only what is bad enough."""

    name = "if_severity"
    label = gettext_lazy("continue only from a severity on")
    fields = (fields.SEVERITY, fields.OTHERWISE)
    position = 32

    def holds(self, at: Situation) -> bool:
        return at.group.severity >= int(of(at.plan, "severity"))

    def says(self, plan: Plan) -> str:
        word = Severity(of(plan, "severity")).label
        return _("Go on only if the severity is %(severity)s or worse.") % {
            "severity": word
        }


class IfSize(Condition):
    """Only what has so many alerts firing."""

    name = "if_size"
    label = gettext_lazy("continue only if so many alerts fire")
    fields = (fields.COUNT, fields.OTHERWISE)
    position = 33

    def holds(self, at: Situation) -> bool:
        return at.group.firing_count >= int(of(at.plan, "count"))

    def says(self, plan: Plan) -> str:
        count = of(plan, "count")
        return _("Go on only if at least %(n)s alerts fire in the group.") % {
            "n": count
        }


class IfRate(Condition):
    """Only what so many alerts joined of late."""

    name = "if_rate"
    label = gettext_lazy("continue only if so many alerts joined of late")
    fields = (fields.COUNT, fields.MINUTES, fields.OTHERWISE)
    position = 34

    def holds(self, at: Situation) -> bool:
        wanted = int(of(at.plan, "count"))
        return joined(at, int(of(at.plan, "minutes"))) >= wanted

    def says(self, plan: Plan) -> str:
        return _(
            "Go on only if at least %(n)s alerts joined in the last %(minutes)s min."
        ) % {"n": of(plan, "count"), "minutes": of(plan, "minutes")}


JOINED = """
SELECT count(*) FROM group_alert WHERE tenant_id = %s AND group_id = %s
AND joined_at > %s
"""


def joined(at: Situation, minutes: int) -> int:
    """Return how many alerts joined the group in the last minutes."""
    if at.group.pk is None:
        return at.group.alert_count
    since = at.now - timedelta(minutes=minutes)
    with connection.cursor() as cursor:
        cursor.execute(JOINED, [at.tenant_id, at.group.pk, since])
        return int(cursor.fetchone()[0])


KINDS = (IfTime, IfHours, IfSeverity, IfSize, IfRate)
