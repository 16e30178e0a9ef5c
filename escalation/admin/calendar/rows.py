"""What stands on the lines of a schedule's calendar?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from escalation import oncall, rota
from escalation.admin.calendar.period import Period
from escalation.admin.calendar.picture import Item, People, Row, items_of, row
from escalation.hours import joined
from escalation.models import (
    ImportedShift,
    Override,
    Schedule,
    Swap,
    TemporarySchedule,
    TemporaryShift,
)
from escalation.rota import Rota
from escalation.shifts import Layer, Shift, shifts
from tenants.models import Member


@dataclass(frozen=True)
class Calendar:
    """A schedule over a period."""

    rows: list[Row]
    final: list[Shift]
    people: People
    rota: Rota
    too_much: bool = False


def calendar(schedule: Schedule, period: Period, *, linked: bool = True) -> Calendar:
    """Return all rows; `linked`: bars lead to where they may be changed."""
    within, tenant_id = period.within, schedule.tenant_id
    found = oncall.load(tenant_id, [schedule.pk], within)[schedule.pk]
    fits = rota.Budget().takes(found, within)
    final = rota.final(found, within) if fits else []
    # Names are few, and a page needs those of its forms too.
    people = People.of({m.pk: m for m in Member.objects.filter(tenant_id=tenant_id)})
    reader = _Rows(schedule, period, people, found, final, linked)
    if not fits:
        return Calendar([], [], people, found, too_much=True)
    return Calendar(list(reader.rows()), final, people, found)


def layer_rows(period: Period, people: People, given: Rota) -> Iterator[Row]:
    """Yield a row for each layer, the one that wins first."""
    for layer in sorted(given.layers, key=lambda one: -one.level):
        url = reverse("admin:escalation_layer_change", args=[layer.key])
        own = shifts(layer, period.within, holidays=given.holidays, away=given.away)
        yield row(
            period,
            people,
            "layer",
            layer_name(layer),
            items_of(own),
            url=url if layer.key else "",
        )


def layer_name(layer: Layer) -> str:
    return layer.name or _("Layer of priority %(level)s") % {"level": layer.level}


@dataclass(frozen=True)
class _Rows:
    schedule: Schedule
    period: Period
    people: People
    rota: Rota
    final: list[Shift]
    linked: bool

    def rows(self) -> Iterator[Row]:
        yield from layer_rows(self.period, self.people, self.rota)
        for kind, title, items in (
            ("imported", _("Imported"), self.imported()),
            ("swaps", _("Swaps"), self.swaps()),
            ("overrides", _("Overrides"), self.overrides()),
            ("temporary", _("Temporary"), self.temporaries()),
            ("absent", _("Absent"), self.absences()),
        ):
            listed = list(items)
            if listed:
                yield row(self.period, self.people, kind, title, listed)
        yield self.last()

    def last(self) -> Row:
        gaps = rota.gaps_in(self.final, self.period.within)
        return row(
            self.period,
            self.people,
            "final",
            _("On call"),
            items_of(self.final),
            gaps=gaps,
        )

    def mine(self, **more: Any) -> dict[str, Any]:
        return {
            "tenant_id": self.schedule.tenant_id,
            "starts_at__lt": self.period.within.ends_at,
            "ends_at__gt": self.period.within.starts_at,
        } | more

    def url(self, model: str, pk: UUID) -> str:
        if not self.linked:
            return ""
        return reverse(f"admin:escalation_{model}_change", args=[pk])

    def imported(self) -> Iterator[Item]:
        rows = ImportedShift.objects.filter(
            **self.mine(calendar__schedule_id=self.schedule.pk)
        )
        for one in rows:
            yield Item(one.starts_at, one.ends_at, one.member_id, css="imported")

    def swaps(self) -> Iterator[Item]:
        for one in Swap.objects.filter(**self.mine(schedule_id=self.schedule.pk)):
            words = {
                "whose": self.people.name(one.beneficiary_id),
                "taker": self.people.name(one.benefactor_id),
            }
            yield Item(
                one.starts_at,
                one.ends_at,
                one.benefactor_id,
                _("%(taker)s for %(whose)s") % words
                if one.benefactor_id
                else _("who takes over from %(whose)s?") % words,
                self.url("swap", one.pk),
                "swap" if one.benefactor_id else "swap open",
            )

    def overrides(self) -> Iterator[Item]:
        for one in Override.objects.filter(**self.mine(schedule_id=self.schedule.pk)):
            yield Item(
                one.starts_at,
                one.ends_at,
                one.member_id or one.instead_id,
                override_words(self.people, one),
                self.url("override", one.pk),
                f"override {one.kind}",
            )

    def temporaries(self) -> Iterator[Item]:
        rows = TemporarySchedule.objects.filter(
            **self.mine(schedule_id=self.schedule.pk)
        )
        found = {one.pk: one for one in rows}
        for one in found.values():
            url = self.url("temporaryschedule", one.pk)
            label = one.note or _("temporary schedule")
            yield Item(one.starts_at, one.ends_at, None, label, url, "frame")
        for shift in TemporaryShift.objects.filter(
            **self.mine(temporary_id__in=list(found))
        ):
            url = self.url("temporaryschedule", shift.temporary_id)
            yield Item(shift.starts_at, shift.ends_at, shift.member_id, url=url)

    def absences(self) -> Iterator[Item]:
        """Yield when those who have turns here are away."""
        mine = {p for layer in self.rota.layers for turn in layer.turns for p in turn}
        mine |= {p for shift in self.final for p in shift.people}
        found = oncall.absences(self.schedule.tenant_id, self.period.within, mine)
        for person, spans in found.items():
            for span in joined(spans):
                yield Item(*span, person, css="away")


def override_words(people: People, one: Override) -> str:
    """Return what an override does, in a few words."""
    words = {
        "comes": people.name(one.member_id),
        "goes": people.name(one.instead_id),
    }
    return {
        rota.REPLACE: _("%(comes)s for %(goes)s"),
        rota.REMOVE: _("without %(goes)s"),
        rota.ADD: _("%(comes)s too"),
    }.get(one.kind, _("%(comes)s alone")) % words
