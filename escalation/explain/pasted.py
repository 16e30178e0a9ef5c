"""Who would be told of this alert at that moment, or why nobody?

Pure evaluation of what is configured: nothing is stored and nobody is told. What fires
is only known of now, so for other moments inhibition and open groups are not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.alerts import routing, severity
from alertcenter.alerts.events import Event
from alertcenter.alerts.fingerprint import label_key, named_key
from alertcenter.alerts.lifecycle import database_time
from alertcenter.alerts.models import Alert, Group
from alertcenter.alerts.routing import Placement
from alertcenter.alerts.severity import shown
from escalation.explain import (
    identity,
    inhibition,
    planned,
    routes,
    silences,
    urgency,
)
from escalation.explain.conclusion import ending, first, said
from escalation.explain.trace import Ending, Line, Link, Trace, ended

# A moment that differs by less is now.
NOW_SECONDS = 90
UNKNOWN_SCOPE = "?"
FURTHEST = timedelta(days=10 * 366)


@dataclass(frozen=True)
class Asked:
    """What is asked: labels after the rules, at a moment."""

    tenant_id: UUID
    labels: Mapping[str, str]
    severity: int
    dedup_key: str
    alert_id: UUID | None
    moment: datetime
    now: datetime

    @property
    def is_now(self) -> bool:
        return self.moment == self.now


@dataclass
class Told:
    """The lines of one route that takes it, and what they come to."""

    lines: list[Line] = field(default_factory=list)
    ending: Ending | None = None


def of_event(tenant_id: UUID, event: Event, at: datetime | None = None) -> Trace:
    """Explain what would become of `event` at `at`, or now.

    Raises ValidationError for a moment that is too far off.
    """
    now = database_time()
    if at is not None and abs(at - now) > FURTHEST:
        raise ValidationError(_("Choose a moment within ten years from now."))
    near = at is None or abs(at - now) < timedelta(seconds=NOW_SECONDS)
    moment = now if at is None or near else at
    subject = Link("pasted", "", event.title)
    kept, lines = identity.rules_on_event(tenant_id, event)
    if kept is None:
        return ended(subject, moment, lines, ending("would_drop", "no", lines[-1]))
    if kept.firing is False:
        over = Line("dedup", "event_resolved", "no")
        return ended(
            subject, moment, [over, *lines], ending("would_be_over", "no", over)
        )
    asked, known = _known(tenant_id, kept, moment, now)
    return Explainer(asked).trace(subject, [*known, *lines])


def _known(
    tenant_id: UUID, event: Event, moment: datetime, now: datetime
) -> tuple[Asked, list[Line]]:
    """Say whether the alert is here already."""
    labels = dict(shown(event.labels, event.severity))
    if event.key:
        key = named_key(UNKNOWN_SCOPE, event.key)
        asked = Asked(tenant_id, labels, event.severity, key, None, moment, now)
        return asked, [Line("dedup", "new_alert_keyed")]
    key = label_key(event.labels)
    alert = Alert.objects.filter(tenant_id=tenant_id, dedup_key=key).first()
    if alert is None:
        asked = Asked(tenant_id, labels, event.severity, key, None, moment, now)
        return asked, [Line("dedup", "new_alert", data={"key": key})]
    link = Link("alert", str(alert.pk), alert.title)
    asked = Asked(tenant_id, labels, event.severity, key, alert.pk, moment, now)
    return asked, [Line("dedup", f"same_alert_{alert.state}", link=link)]


class Explainer:
    """Goes the way of an alert, and writes down what it meets."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    @cached_property
    def tree(self) -> routing.CompiledRoute:
        return routing.load(self.asked.tenant_id)

    def trace(self, subject: Link, known: list[Line]) -> Trace:
        """Return the whole explanation; of several routes, the one counts that tells
        somebody."""
        asked = self.asked
        tried = routes.tried(asked.tenant_id, self.tree, asked.labels, asked.dedup_key)
        muted = self._inhibition()
        placements = routing.place(self.tree, asked.labels, asked.dedup_key)
        found = [self._placed(placement, tried, muted) for placement in placements]
        order = {"yes": 0, "info": 1, "no": 2}
        endings = [told.ending for told in found if told.ending]
        best = min(endings, key=lambda one: order[one.conclusion.verdict])
        urgent = urgency.of_one(asked.tenant_id, asked.labels, asked.severity)
        lines = [
            *known,
            *tried,
            *urgent,
            *muted,
            *(x for told in found for x in told.lines),
        ]
        return ended(subject, asked.moment, lines, best)

    def _inhibition(self) -> list[Line]:
        asked = self.asked
        if asked.is_now:
            return inhibition.now(asked.tenant_id, asked.labels, asked.alert_id)
        return [Line("inhibition", "inhibition_unknown", at=asked.moment)]

    def _placed(
        self, placement: Placement, tried: list[Line], muted: list[Line]
    ) -> Told:
        """Explain one route that takes it, and the group it would come to."""
        asked, route = self.asked, placement.route
        mine = str(route.id) if route.id else None
        taker = next(
            line
            for line in tried
            if not line.aside and (line.link.id if line.link else None) == mine
        )
        group = self._open_group(placement.key)
        told = Told([self._group_line(group)])
        when = asked.moment + timedelta(seconds=route.wait_seconds)
        quiet = silences.at(
            asked.tenant_id,
            asked.labels,
            asked.moment,
            route_id=route.id,
            group_id=group.pk if group else None,
        )
        hours = routes.intervals_at(asked.tenant_id, route, when)
        bad = severity.parse(asked.labels.get("severity"))
        plan = (
            planned.of_route(asked.tenant_id, route, when, bad, asked.labels)
            if mine
            else []
        )
        standing = _standing(group) if group else []
        told.lines += [*quiet, *hours, *standing, *plan]
        told.ending = _conclude(taker, [*standing, *quiet, *muted, *hours], plan)
        return told

    def _open_group(self, key: str) -> Group | None:
        if not self.asked.is_now:
            return None
        rows = Group.objects.filter(tenant_id=self.asked.tenant_id, key=key)
        return rows.exclude(state="resolved").first()

    def _group_line(self, group: Group | None) -> Line:
        if group is None:
            return Line("route", "would_open")
        data = {"group": group.number, "state": group.state}
        link = Link("group", str(group.number), group.title)
        return Line("route", "would_join", data=data, link=link)


def _standing(group: Group) -> list[Line]:
    """Say what an open group means for what joins it."""
    data = {"group": group.number, "state": group.state}
    link = Link("group", str(group.number), group.title)
    taken = group.state in ("acknowledged", "snoozed")
    code = "group_taken" if taken else "group_told"
    return [Line("policy", code, "no" if taken else "info", data=data, link=link)]


AGAINST: Mapping[str, str] = {
    "group_taken": "would_group_taken",
    "silence_matches": "would_silence",
    "inhibited": "would_inhibit",
    "interval_mutes": "would_interval_mutes",
    "interval_outside": "would_interval_outside",
}


def _conclude(taker: Line, stances: list[Line], plan: list[Line]) -> Ending:
    """Return what one route comes to."""
    if taker.code == "no_route":
        return ending("would_no_route", "no", taker)
    if taker.code == "route_tells_nobody":
        return ending("would_route_nobody", "no", taker)
    for line in stances:
        if line.code in AGAINST and line.verdict == "no":
            return ending(AGAINST[line.code], "no", line)
    if joins := first(stances, "group_told"):
        return ending("would_group_told", "info", joins)
    tells = [line for line in plan if line.code in planned.TELLS]
    if not tells:
        return _reaches_nobody(plan, taker)
    code = "would_channels" if tells[0].code == "would_notice" else "would_first"
    so = ending(code, "yes", tells[0])
    if len(tells) < 2:
        return so
    then = "would_channels" if tells[1].code == "would_notice" else "next_step"
    return replace(so, outlook=said(then, "info", tells[1]))


def _reaches_nobody(plan: list[Line], taker: Line) -> Ending:
    empty = first(plan, "policy_empty")
    if empty:
        return ending("would_policy_empty", "no", empty)
    return ending("would_nobody", "no", plan[-1] if plan else taker)
