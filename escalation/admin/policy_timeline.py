"""Who would be told when, if something opened at a moment? The panel of a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import lifecycle
from alertcenter.alerts.models.choices import Severity
from escalation.explain import planned
from escalation.models.schedule import EARLIEST, LATEST
from escalation.steps.base import Supposed, Target, for_so_long
from escalation.steps.walk import Course, Event
from notifications.channels.registry import choices
from notifications.models import Channel
from tenants.models import Member

MOST_COLUMNS = 40
MOMENT = "%Y-%m-%dT%H:%M"
ENDS = {
    "end": gettext_lazy("Then the policy is at its end."),
    "waits": gettext_lazy("Then it waits for a condition that no clock decides."),
    "long": gettext_lazy("And so on."),
}


class MomentForm(forms.Form):
    """What is supposed: when something opens, how bad it is, with which labels."""

    at = forms.DateTimeField(
        label=gettext_lazy("Something opens at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT),
        input_formats=[MOMENT, f"{MOMENT}:%S"],
    )
    severity = forms.ChoiceField(
        label=gettext_lazy("severity"),
        choices=tuple(reversed(Severity.choices)),
        required=False,
    )
    labels = forms.CharField(
        label=gettext_lazy("labels"),
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs={"placeholder": "skill=postgres, team=db"}),
    )


@dataclass
class Row:
    """One recipient, and by what he is told in each column."""

    who: str
    cells: list[list[str]] = field(default_factory=list)


@dataclass
class Axis:
    """The moments at which something happens, and who is told at each."""

    columns: list[dict[str, Any]]
    rows: list[Row]
    remarks: list[str]
    ends: str
    nobody: bool


def panel(request: HttpRequest, tenant_id: UUID, policy_id: UUID, zone: str) -> Any:
    """Return the panel's context."""
    form, asked = supposed(request.GET.dict(), zone)
    if asked is None:
        return {"timeline_form": form, "zone": zone}
    begin, group = asked
    course = planned.course(tenant_id, policy_id, begin, group)
    axis = drawn(tenant_id, course, begin, ZoneInfo(zone)) if course else None
    return {"timeline_form": form, "zone": zone, "axis": axis}


def supposed(
    asked: Mapping[str, str], zone: str
) -> tuple[MomentForm, tuple[datetime, Supposed] | None]:
    """Return the form, and what is supposed: when which group opens."""
    own = ZoneInfo(zone)
    now = lifecycle.database_time().astimezone(own).replace(second=0, microsecond=0)
    given = {k: v for k, v in asked.items() if k in MomentForm.base_fields}
    form = MomentForm({"at": now.strftime(MOMENT), "severity": "5"} | given)
    if not form.is_valid():
        return form, None
    at: datetime = form.cleaned_data["at"] or now
    if not EARLIEST.year <= at.year <= LATEST.year:
        at = now
    severity = int(form.cleaned_data["severity"] or 5)
    group = Supposed(severity, labels_of(form.cleaned_data["labels"]))
    return form, (at.replace(tzinfo=own), group)


def labels_of(text: str) -> dict[str, str]:
    """Return what "a=b, c=d" says; a value with spaces instead of commas is a list."""
    pairs = (part.partition("=") for part in text.split(","))
    return {k.strip(): v.strip() for k, sign, v in pairs if sign and k.strip()}


def drawn(tenant_id: UUID, course: Course, begin: datetime, zone: ZoneInfo) -> Axis:
    """Return the course as a table: moments across, recipients down."""
    calls = [
        (event.at + timedelta(seconds=target.seconds), target)
        for event in course.events
        for target in event.found.targets
    ]
    moments = sorted({at for at, _target in calls})[:MOST_COLUMNS]
    names = _names(tenant_id, [target for _at, target in calls])
    kinds = dict(choices())
    cells: dict[str, dict[datetime, list[str]]] = {}
    for at, target in calls:
        of_one = cells.setdefault(names[_place(target)], {})
        said = str(kinds.get(target.kind, target.kind))
        if said not in of_one.setdefault(at, []):
            of_one[at].append(said)
    return Axis(
        columns=[_column(moment, begin, zone) for moment in moments],
        rows=[Row(who, [of.get(m, []) for m in moments]) for who, of in cells.items()],
        remarks=[
            remark for event in course.events if (remark := _remark(event, begin))
        ],
        ends=str(ENDS[course.ends]),
        nobody=not course.tells,
    )


def _column(moment: datetime, begin: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {"after": after(moment, begin), "at": moment.astimezone(zone)}


def after(moment: datetime, begin: datetime) -> str:
    """Return "+5 min"."""
    seconds = round((moment - begin).total_seconds())
    if seconds > 3600 and seconds % 3600:
        minutes = round(seconds / 60)
        return f"+{minutes // 60} h {minutes % 60} min"
    return f"+{for_so_long(seconds)}" if seconds else "+0"


def _place(target: Target) -> str:
    return str(target.member_id or target.channel_id or target.address)


def _names(tenant_id: UUID, targets: list[Target]) -> dict[str, str]:
    members = {t.member_id for t in targets if t.member_id}
    channels = {t.channel_id for t in targets if t.channel_id and not t.member_id}
    found = {_place(t): t.address or t.kind for t in targets}
    for model, ids in ((Member, members), (Channel, channels)):
        rows = model.objects.filter(tenant_id=tenant_id, pk__in=ids) if ids else ()
        found |= {str(row.pk): row.name for row in rows}
    return found


def _remark(event: Event, begin: datetime) -> str:
    """Return what else happens: who is not there, what is waited for or done."""
    if event.found.targets or not event.found.reason:
        return ""
    said = REASONS.get(event.found.reason)
    return _("%(after)s, step %(step)s: %(said)s %(words)s") % {
        "after": after(event.at, begin),
        "step": event.position + 1,
        "said": said or "",
        "words": planned.said(event.plan),
    }


REASONS = {
    "nobody_on_call": gettext_lazy("Nobody is on call:"),
    "no_address": gettext_lazy("There is no address:"),
    "channel_gone": gettext_lazy("The channel is gone:"),
    "nobody": gettext_lazy("Nobody is there:"),
    "policy_gone": gettext_lazy("The policy is gone:"),
    "if_skips": gettext_lazy("Skips the next step:"),
    "if_stops": gettext_lazy("Ends:"),
    "if_waits": gettext_lazy("Waits:"),
    "handed_over": gettext_lazy("Hands over:"),
}
