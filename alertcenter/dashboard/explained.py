"""How does an explanation look on a page? Sentences in the member's language and zone,
with links for those who may follow them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts.events import Event
from alertcenter.alerts.models import Alert, Group
from alertcenter.alerts.pasting import LONGEST_TEXT, parse_event
from escalation.explain import links, pasted, stored, words
from escalation.explain.trace import STEPS, Condition, Line, Trace
from tenants.access import Membership

EARLIEST_YEAR, LATEST_YEAR = 1971, 9000


@dataclass(frozen=True)
class Said:
    """One line as the page shows it."""

    text: str
    verdict: str
    at: datetime | None
    url: str
    name: str
    conditions: Sequence[Condition]
    decides: bool
    group: int | None


@dataclass(frozen=True)
class Section:
    """One step: what counts, and what only who looks closer wants to see."""

    title: str
    lines: Sequence[Said]
    aside: Sequence[Said]


@dataclass(frozen=True)
class Explained:
    """A whole explanation as a page shows it."""

    title: str
    at: datetime
    conclusion: Said | None
    outlook: Said | None
    sections: Sequence[Section]


def zone_of(who: Membership) -> ZoneInfo:
    """Return the member's time zone."""
    return ZoneInfo(who.time_zone or "UTC")


def explained(trace: Trace, request: HttpRequest, who: Membership) -> Explained:
    """Return the explanation for this reader."""
    staff = bool(getattr(request.user, "is_staff", False))
    zone = zone_of(who)

    def read(line: Line) -> Said:
        return Said(
            words.say(line, zone),
            line.verdict,
            line.at,
            links.url_of(line.link, who.slug, staff=staff),
            line.link.name if line.link else "",
            line.conditions,
            line.decides,
            line.group,
        )

    return Explained(
        trace.subject.name,
        trace.at,
        read(trace.conclusion),
        read(trace.outlook) if trace.outlook else None,
        list(_sections(trace, read)),
    )


def _sections(trace: Trace, read: Callable[[Line], Said]) -> Iterator[Section]:
    for step in STEPS:
        lines = trace.of(step)
        if lines:
            yield Section(
                words.title_of(step),
                [read(line) for line in lines if not line.aside],
                [read(line) for line in lines if line.aside],
            )


def of_number(tenant_id: UUID, number: int) -> tuple[Group, Trace]:
    """Explain a group by its number. Raises Http404."""
    rows = Group.objects.filter(tenant_id=tenant_id, number=number)
    group = rows.select_related("route").first()
    if group is None:
        raise Http404
    return group, stored.of_group(group)


class ExplainForm(forms.Form):
    """A pasted alert and a moment, or the id of a stored alert."""

    text = forms.CharField(
        label=_("Alert"),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=_(
            "Paste an alert as JSON (our own, or Alertmanager's webhook), or labels "
            "as name=value lines."
        ),
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
    )
    at = forms.DateTimeField(
        label=_("At"),
        required=False,
        help_text=_("In your time zone; empty: now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    alert = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, given: object, *, who: Membership) -> None:
        super().__init__(given)  # type: ignore[arg-type]  # a QueryDict, or None
        self.who = who
        self.event: Event | None = None
        self.stored: Alert | None = None

    def clean_at(self) -> datetime | None:
        """Read the moment in the member's zone, whatever the process's."""
        moment: datetime | None = self.cleaned_data["at"]
        if moment is None:
            return None
        if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise ValidationError(_("There is no such moment to ask for."))
        return moment.replace(tzinfo=zone_of(self.who))

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("alert"):
            rows = Alert.objects.filter(tenant_id=self.who.tenant_id)
            self.stored = rows.filter(pk=cleaned["alert"]).first()
            if self.stored is None:
                raise Http404
        elif cleaned.get("text", "").strip():
            self.event = parse_event(cleaned["text"])
        elif not self.errors:
            raise ValidationError(_("Paste an alert first."))
        return cleaned

    def trace(self) -> Trace:
        """Return the explanation that is asked for."""
        if self.stored is not None:
            return stored.of_alert(self.stored)
        assert self.event is not None
        return pasted.of_event(
            self.who.tenant_id, self.event, self.cleaned_data.get("at")
        )
