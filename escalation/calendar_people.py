"""Whose shift is an event? Names in calendars, and the members who bear them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from escalation.ical_in import Event, names_in
from tenants.models import Member

MOST_UNKNOWN = 50
LONGEST_NAME = 100


class Found(NamedTuple):
    """A member's shift, as a calendar lists it."""

    member_id: UUID
    level: int
    starts_at: datetime
    ends_at: datetime
    uid: str


@dataclass(frozen=True)
class People:
    """The active members of a tenant by what a calendar may call them.

    A login and an e-mail address mean one member; a name that two members share means
    nobody, so that nobody is paged in another's place.
    """

    by_name: dict[str, UUID]

    def whose(self, names: Iterable[str]) -> tuple[list[UUID], list[str]]:
        """Return the members so named, and which names are nobody's. The first name
        is the whole text where several follow: it counts if it is somebody's."""
        given = list(names)
        if len(given) > 1:
            if (whole := self.by_name.get(given[0].casefold())) is not None:
                return [whole], []
            given = given[1:]
        known = [self.by_name.get(name.casefold()) for name in given]
        found = [one for one in known if one is not None]
        nobody = [name for name, one in zip(given, known, strict=True) if one is None]
        return list(dict.fromkeys(found)), nobody

    def signature(self) -> str:
        """Return what changes whenever a name means somebody else."""
        return "\n".join(f"{name}={pk}" for name, pk in sorted(self.by_name.items()))


def people_of(tenant_id: UUID) -> People:
    """Read the names of a tenant's members."""
    rows = Member.objects.filter(tenant_id=tenant_id, active=True).values_list(
        "pk", "name", "user__username", "user__email"
    )
    names: dict[str, set[UUID]] = {}
    sure: dict[str, UUID] = {}
    for pk, name, login, address in rows:
        names.setdefault(name.strip().casefold(), set()).add(pk)
        sure |= {text.casefold(): pk for text in (login, address) if text}
    plain = {name: next(iter(pks)) for name, pks in names.items() if len(pks) == 1}
    by_name = plain | sure
    by_name.pop("", None)
    return People(by_name)


def shifts_of(events: Iterable[Event], people: People) -> tuple[set[Found], list[str]]:
    """Return the shifts that events are, and the names in them that are nobody's.

    Where a summary names nobody, those who take part are meant (as PagerDuty writes).
    """
    shifts: set[Found] = set()
    unknown: dict[str, None] = {}
    for event in events:
        level, names = names_in(event.summary)
        members, nobody = people.whose(names)
        if not members:
            members, _strangers = people.whose(("", *event.attendees))
            nobody = [] if members else nobody
        unknown |= dict.fromkeys(name[:LONGEST_NAME] for name in nobody)
        shifts |= {
            Found(member, level, event.starts_at, event.ends_at, event.uid)
            for member in members
        }
    return shifts, list(unknown)[:MOST_UNKNOWN]
