"""How does a person write a time of a schedule? By the wall clock of a zone.

A begin that comes twice is the first, an end that comes twice the last, and a time
that is left out is the next instant (docs/schedules.md).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from alertcenter.common.clocks import as_utc
from escalation.models import Override
from tenants.admin_forms import TenantForm
from tenants.models import Member

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")
FIRST_YEAR, LAST_YEAR = 1980, 2200


class WallClockField(forms.CharField):
    """A date and a time of no zone; the form knows which zone it means."""

    widget = forms.DateTimeInput

    def __init__(self, **given: Any) -> None:
        given["widget"] = forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format=FORMATS[0]
        )
        super().__init__(**given)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value
        text = super().to_python(value)
        if not text:
            return None
        for pattern in FORMATS:
            try:
                found = datetime.strptime(text, pattern)  # noqa: DTZ007 - of no zone
            except ValueError:
                continue
            if FIRST_YEAR <= found.year <= LAST_YEAR:
                return found
        raise forms.ValidationError(_("Enter a date and a time."))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(initial != self.to_python(data))
        except forms.ValidationError:
            return True


class WallClocks(TenantForm):
    """A stretch from one local time to another; `zone()` says whose clock it is."""

    starts_at = WallClockField(label=_("from"))
    ends_at = WallClockField(label=_("until"))
    shown_in: ZoneInfo | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "ends_at"):
            at = getattr(self.instance, name)
            if name in self.fields and at is not None:
                self.initial[name] = at.astimezone(self.zone()).replace(tzinfo=None)

    def zone(self) -> ZoneInfo:
        """Return whose clock the times are by: the schedule's, unless told."""
        if self.shown_in is not None:
            return self.shown_in
        schedule = getattr(self, "cleaned_data", {}).get("schedule")
        if schedule is None and self.instance.schedule_id:
            schedule = self.instance.schedule
        return ZoneInfo(schedule.time_zone if schedule else "UTC")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        zone = self.zone()
        for name, last in (("starts_at", False), ("ends_at", True)):
            if isinstance(found.get(name), datetime):
                found[name] = as_utc(found[name], zone, last=last)
        return found


class OverrideForm(WallClocks):
    """Who comes in, who goes, and when."""

    class Meta:
        model = Override
        fields: ClassVar[tuple[str, ...]] = (
            "kind",
            "member",
            "instead",
            "starts_at",
            "ends_at",
            "note",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Member.objects.filter(
            tenant_id=self.membership.tenant_id, active=True
        ).order_by("name")
        for name in ("member", "instead"):
            if name in self.fields:
                self.fields[name].queryset = mine  # type: ignore[attr-defined]
