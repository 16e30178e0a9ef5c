"""Where on a calendar's page does each shift, change and gap stand?

Everything lies on rows; a row has lanes, so that no two bars lie on each other. Places
are shares of the width, written for SVG ("12.500%"), whatever the language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from escalation.admin.calendar.period import Period
from escalation.clock_words import with_zone
from escalation.hours import Span
from escalation.shifts import Shift
from tenants.models import Member

LANE = 24
MOST_LANES = 12
COLOURS = 12
# The page is about so wide; a name that does not fit becomes initials, then nothing.
WIDTH, LETTER, PADDING = 920, 7.5, 10


class Item(NamedTuple):
    """Something from one moment to another, before it has a place."""

    starts_at: datetime
    ends_at: datetime
    person: UUID | None
    label: str = ""  # instead of the person's name
    url: str = ""
    css: str = ""


@dataclass(frozen=True)
class Bar:
    """An item in its place."""

    x: str
    width: str
    y: int
    label: str
    title: str
    css: str
    url: str
    person: str
    starts: int  # milliseconds since 1970, for the script
    ends: int


@dataclass(frozen=True)
class Row:
    """One line of the calendar."""

    kind: str
    title: str
    bars: Sequence[Bar]
    lanes: int
    url: str = ""
    note: str = ""
    gaps: Sequence[Bar] = ()
    hidden: int = 0  # bars for which there was no lane left

    @property
    def height(self) -> int:
        return max(self.lanes, 1) * LANE + 4


@dataclass(frozen=True)
class People:
    """Names, initials and colours, the same all over the page."""

    members: Mapping[UUID, Member]
    order: Sequence[UUID] = field(default=())

    @classmethod
    def of(cls, members: Mapping[UUID, Member]) -> People:
        """Colours go by age of the member, so that they stay from page to page."""
        return cls(members, sorted(members))

    def name(self, person: UUID | None) -> str:
        member = self.members.get(person) if person else None
        return member.name if member else "?"

    def initials(self, person: UUID | None) -> str:
        words = self.name(person).split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def css(self, person: UUID | None) -> str:
        if person is None or person not in self.members:
            return "someone"
        return f"person-{self.order.index(person) % COLOURS}"

    def names(self, people: Iterable[UUID]) -> str:
        return ", ".join(self.name(person) for person in people)


def items_of(shifts: Iterable[Shift]) -> list[Item]:
    """Return one item for each person of each shift."""
    return [
        Item(shift.starts_at, shift.ends_at, person)
        for shift in shifts
        for person in shift.people
    ]


def row(
    period: Period,
    people: People,
    kind: str,
    title: str,
    items: Iterable[Item],
    *,
    gaps: Iterable[Span] = (),
    url: str = "",
    note: str = "",
) -> Row:
    """Return a row with every item in the first lane that is free."""
    begin, end = period.within
    free: list[datetime] = []
    bars, hidden = [], 0
    for item in sorted(items, key=lambda one: (one.starts_at, one.ends_at)):
        if item.starts_at >= end or item.ends_at <= begin:
            continue
        lane = next((n for n, at in enumerate(free) if at <= item.starts_at), len(free))
        if lane == MOST_LANES:
            hidden += 1
            continue
        free[lane : lane + 1] = [item.ends_at]
        bars.append(_bar(period, people, item, lane))
    holes = [
        _bar(period, people, Item(*gap, None, _("nobody"), css="gap"), 0)
        for gap in gaps
    ]
    return Row(kind, title, bars, len(free), url, note, holes, hidden)


def _bar(period: Period, people: People, item: Item, lane: int) -> Bar:
    left, right = period.share(item.starts_at), period.share(item.ends_at)
    name = item.label or people.name(item.person)
    short = people.initials(item.person) if item.person else ""
    return Bar(
        x=percent(left),
        width=percent(right - left),
        y=lane * LANE + 2,
        label=fitting(right - left, name, short),
        title=f"{name}: {stretch(period, item)}",
        css=f"{people.css(item.person)} {item.css}".strip(),
        url=item.url,
        person=str(item.person or ""),
        starts=milliseconds(item.starts_at),
        ends=milliseconds(item.ends_at),
    )


def fitting(share: float, name: str, short: str) -> str:
    """Return the name, the initials or "", whichever fits."""
    for text in (name, short):
        if text and len(text) * LETTER + PADDING <= share * WIDTH:
            return text
    return name if share * WIDTH > 6 * LETTER + PADDING else ""


def stretch(period: Period, item: Item | Span) -> str:
    """Return from when until when, by the clock of the page."""
    begin, end = (
        with_zone(at.astimezone(period.zone)) for at in (item.starts_at, item.ends_at)
    )
    return f"{begin} – {end}"


def percent(share: float) -> str:
    """Return 0.125 as "12.500%"."""
    return f"{share * 100:.3f}%"


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
