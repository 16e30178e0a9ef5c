"""How does a person fill in a silence or a maintenance window?

It becomes a draft, which alertcenter.alerts.silences checks and keeps: nothing is
written past that door.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin import widgets
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import lifecycle, silence_presets, silences
from alertcenter.alerts.admin import route_tree
from alertcenter.alerts.admin.route_form import ParentChoice
from alertcenter.alerts.models import Route, Silence
from alertcenter.alerts.silence_drafts import checked
from alertcenter.alerts.silence_presets import LASTING
from alertcenter.alerts.silences import Draft, SilenceError, draft_of
from alertcenter.alerts.windows import DAYS
from tenants.admin_forms import LinesField, SecondsField, TenantForm, in_units
from tenants.admin_timezones import TimeZoneChoices
from tenants.models import Member

UNTIL = "until"
NEVER, NIGHTLY, WEEKLY, BY_DAY, OWN = "", "daily", "weekly", "days", "own"
REPEATS = (
    (NEVER, gettext_lazy("not again")),
    (NIGHTLY, gettext_lazy("every day")),
    (WEEKLY, gettext_lazy("every week")),
    (BY_DAY, gettext_lazy("on these weekdays")),
    (OWN, gettext_lazy("by a rule of its own")),
)
# At which field of the form a refusal is said, by its code.
PLACES = {
    "matchers": "matchers",
    "matcher": "matchers",
    "empty": "matchers",
    "order": "ends_at",
    "past": "ends_at",
    "recurrence": "repeats",
    "scope": "route",
    "until_gone": "until_gone",
    "owner": "owner",
    "broad": "confirm",
}


class SilenceForm(TimeZoneChoices, TenantForm):
    """What, until when, and why; who saves it answers for it."""

    matchers = LinesField(
        label=gettext_lazy("Conditions"),
        help_text=gettext_lazy(
            'One a line, for example alertname="DiskFull" or cluster=~"a|b"; all must '
            "hold."
        ),
    )
    comment = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 2, "class": "lines"}),
    )
    starts_at = forms.SplitDateTimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=widgets.AdminSplitDateTime,
        help_text=gettext_lazy("Empty: now."),
    )
    lasting = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=(*LASTING, (UNTIL, gettext_lazy("until …"))),
        required=False,
        widget=forms.RadioSelect,
    )
    ends_at = forms.SplitDateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=widgets.AdminSplitDateTime,
    )
    repeats = forms.ChoiceField(
        label=gettext_lazy("Again"),
        choices=REPEATS,
        required=False,
        widget=forms.RadioSelect,
    )
    on_days = forms.MultipleChoiceField(
        label=gettext_lazy("Weekdays"),
        required=False,
        choices=[(day, WEEKDAYS[number]) for number, day in enumerate(DAYS)],
        widget=forms.CheckboxSelectMultiple,
    )
    recurrence = forms.CharField(
        label=gettext_lazy("Rule"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy(
            "An RRULE of RFC 5545, for example FREQ=MONTHLY;BYDAY=1SU: the first "
            "Sunday of each month."
        ),
    )
    duration_seconds = SecondsField(
        label=gettext_lazy("Each time for"),
        required=False,
        least=60,
        most=31 * 86_400,
        help_text=gettext_lazy("From each beginning on, for example 2h or 90m."),
    )
    route = ParentChoice(
        label=gettext_lazy("Only on this route"),
        queryset=Route.objects.none(),
        required=False,
        empty_label=gettext_lazy("on every route"),
    )
    remind_seconds = SecondsField(
        label=gettext_lazy("Remind before the end"),
        required=False,
        most=31 * 86_400,
        help_text=gettext_lazy("For example 30m: its owner is told; empty: never."),
    )
    confirm = forms.BooleanField(
        label=gettext_lazy("Yes, silence that many"),
        required=False,
        widget=forms.HiddenInput,
    )

    class Meta:
        model = Silence
        fields = (
            "title",
            "matchers",
            "comment",
            "owner",
            "starts_at",
            "ends_at",
            "recurrence",
            "time_zone",
            "duration_seconds",
            "until_gone",
            "route",
            "remind_seconds",
        )

    class Media:
        js = ("admin/alertcenter/silence.js", "admin/alertcenter/reach.js")

    kind = "silence"
    draft: Draft

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row, tenant_id = self.instance, self.membership.tenant_id
        fields: dict[str, Any] = self.fields
        fields["route"].tree = route_tree.read(tenant_id)
        routes = Route.objects.filter(tenant_id=tenant_id)
        fields["route"].queryset = routes.order_by("position", "name")
        if "owner" in fields:  # not on a page to read alone
            members = Member.objects.filter(tenant_id=tenant_id, active=True)
            fields["owner"].queryset = members.order_by("name")
            fields["owner"].empty_label = self.membership.label
            for icon in ("add", "change", "delete", "view"):
                setattr(fields["owner"].widget, f"can_{icon}_related", False)
        adding = row._state.adding
        fields["lasting"].initial = silence_presets.HOUR if adding else UNTIL
        repeats, days = recurrence_of(row.recurrence)
        fields["repeats"].initial, fields["on_days"].initial = repeats, days
        if repeats != OWN:
            self.initial["recurrence"] = ""
        if not row.time_zone:
            self.initial.setdefault("time_zone", "")
            self.initial["time_zone"] = (
                self.initial["time_zone"] or timezone.get_current_timezone_name()
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        tenant_id = self.membership.tenant_id
        known = None if self.instance._state.adding else self._stored()
        try:
            self.draft = self._draft(cleaned, known)
            checked(tenant_id, self.draft, lifecycle.database_time())
            if not cleaned.get("confirm"):
                silences.guard(tenant_id, self.draft, known=known)
        except SilenceError as error:
            self._refuse(error)
        return cleaned

    def _stored(self) -> Silence:
        """The row as it is: this form's own has taken what was sent already."""
        return Silence.objects.get(
            tenant_id=self.membership.tenant_id, pk=self.instance.pk
        )

    def _refuse(self, error: SilenceError) -> None:
        if error.code == "broad":
            self.fields["confirm"].widget = forms.CheckboxInput()
        place = PLACES.get(error.code)
        self.add_error(place, ValidationError(error.message, code=error.code))

    def _draft(self, cleaned: dict[str, Any], known: Silence | None) -> Draft:
        """Return what the form asks for; what it does not show stays as it is."""
        starts_at, ends_at = self._times(cleaned, known)
        rule = rule_of(cleaned)
        if known is not None:
            before = draft_of(known)
        else:
            before = Draft([], ends_at, kind=self.kind)
        owner = cleaned.get("owner") or (known.owner if known else None)
        return replace(
            before,
            matchers=cleaned["matchers"],
            title=cleaned["title"],
            comment=cleaned["comment"],
            owner_id=owner.pk if owner else None,
            starts_at=starts_at,
            ends_at=ends_at,
            recurrence=rule,
            time_zone=cleaned["time_zone"] if rule else "",
            duration_seconds=cleaned["duration_seconds"] if rule else None,
            until_gone=cleaned["until_gone"],
            route_id=cleaned["route"].pk if cleaned["route"] else None,
            remind_seconds=cleaned["remind_seconds"] or None,
        )

    def _times(
        self, cleaned: dict[str, Any], known: Silence | None
    ) -> tuple[datetime | None, datetime]:
        """Return from when to when; a form shows whole seconds only."""
        starts_at: datetime | None = cleaned["starts_at"]
        if known is not None and "starts_at" not in self.changed_data:
            starts_at = known.starts_at
        if starts_at is None and rule_of(cleaned):
            starts_at = lifecycle.database_time()  # occurrences are counted from it
        preset = cleaned.get("lasting") or UNTIL
        if preset != UNTIL:
            begin = max(
                starts_at or lifecycle.database_time(), lifecycle.database_time()
            )
            zone = ZoneInfo(timezone.get_current_timezone_name())
            return starts_at, silence_presets.end_of(preset, begin, zone)
        if cleaned["ends_at"] is None:
            raise SilenceError("order", _("Say until when."))
        if known is not None and "ends_at" not in self.changed_data:
            return starts_at, known.ends_at
        return starts_at, cleaned["ends_at"]


class MaintenanceForm(SilenceForm):
    """The same, with a name for the calendar."""

    kind = "maintenance"

    class Meta(SilenceForm.Meta):
        pass

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "title" in self.fields:
            self.fields["title"].required = True
        if self.instance._state.adding:
            self.fields["lasting"].initial = UNTIL


def rule_of(cleaned: dict[str, Any]) -> str:
    """Return the RRULE that the choices stand for. Raises SilenceError."""
    choice = cleaned.get("repeats") or NEVER
    if choice == OWN and not cleaned.get("recurrence"):
        raise SilenceError("recurrence", _("Write the rule, or choose another one."))
    if choice == BY_DAY and not cleaned.get("on_days"):
        raise SilenceError("recurrence", _("Tick the weekdays."))
    days = ",".join(day for day in DAYS if day in cleaned.get("on_days", ()))
    return {
        NEVER: "",
        NIGHTLY: "FREQ=DAILY",
        WEEKLY: "FREQ=WEEKLY",
        BY_DAY: f"FREQ=WEEKLY;BYDAY={days}",
        OWN: str(cleaned.get("recurrence")),
    }[choice]


def recurrence_of(rule: str) -> tuple[str, list[str]]:
    """Return which choice an RRULE is, and the weekdays it names."""
    plain = {"": NEVER, "FREQ=DAILY": NIGHTLY, "FREQ=WEEKLY": WEEKLY}
    if rule in plain:
        return plain[rule], []
    head, _divider, days = rule.partition("BYDAY=")
    if head == "FREQ=WEEKLY;" and set(days.split(",")) <= set(DAYS):
        return BY_DAY, days.split(",")
    return OWN, []


def recurrence_words(row: Silence) -> str:
    """Return "every day, 2h at a time (Europe/Paris)"; "" for one that does not."""
    if not row.recurrence:
        return ""
    choice, days = recurrence_of(row.recurrence)
    said = str(dict(REPEATS)[choice])
    if choice == BY_DAY:
        said = ", ".join(str(WEEKDAYS[DAYS.index(day)]) for day in days)
    if choice == OWN:
        said = row.recurrence
    values = {
        "often": said,
        "duration": in_units(row.duration_seconds or 0),
        "zone": row.time_zone,
    }
    return _("%(often)s, %(duration)s each time (%(zone)s)") % values
