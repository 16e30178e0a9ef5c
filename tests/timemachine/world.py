"""Which tenants, people, schedules, policies and incidents does the year have?

A plain description, made from a seed: `build` writes it into the database, and the
checker reads nothing else but it and the ledger of what was done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

BEGIN = datetime(2027, 12, 31, 6, tzinfo=UTC)
END = datetime(2029, 1, 1, 18, tzinfo=UTC)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Range = tuple[datetime, datetime]


@dataclass(frozen=True)
class Contact:
    """One address; a telephone is used only when it was proven."""

    key: str
    kind: str
    address: str
    proven: bool = True


@dataclass(frozen=True)
class OwnStep:
    """One step of a person's chain: `contact`'s key, a kind, or a wait."""

    important: bool
    kind: str
    contact: str = ""
    by: str = ""
    wait: int = 0


@dataclass(frozen=True)
class Quiet:
    """A time of the week at which a person wants quiet."""

    days: tuple[str, ...]
    begins: time
    ends: time


@dataclass(frozen=True)
class Person:
    """A member, and how he wants to be told."""

    key: str
    zone: str
    mailbox: str
    active: bool = True
    contacts: tuple[Contact, ...] = ()
    steps: tuple[OwnStep, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    quiet_zone: str = ""
    important_from: int = 5
    quiet_below: int = 5
    quiet_how: str = "hold"
    country: str = ""
    absences: tuple[Range, ...] = ()


@dataclass(frozen=True)
class Hours:
    """Weekly hours: begin on a listed day; an end not later is the next day's."""

    days: tuple[str, ...]
    begins: time
    ends: time


@dataclass(frozen=True)
class Layer:
    """A rotation; `turns` are keys of people who are on call together."""

    name: str
    starts_on: date
    turns: tuple[tuple[str, ...], ...]
    level: int = 0
    zone: str = ""
    frequency: str = "weekly"
    every: int = 1
    handoff: time = time(9)
    ends_on: date | None = None
    lasts: int | None = None
    weekdays: tuple[str, ...] = WEEK
    hours: tuple[Hours, ...] = ()
    holidays: str = "any"
    first_turn: int = 0


@dataclass(frozen=True)
class Override:
    """`only`, `replace`, `remove` or `add`, for a while."""

    kind: str
    starts: datetime
    ends: datetime
    member: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Swap:
    """Somebody's shifts in a range, and who takes them, if anybody."""

    beneficiary: str
    benefactor: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Temporary:
    """A range in which only its own shifts count."""

    starts: datetime
    ends: datetime
    shifts: tuple[tuple[str, datetime, datetime], ...]


@dataclass(frozen=True)
class Imported:
    """A shift that was read from a calendar; of one of overrides, or of a level."""

    member: str
    starts: datetime
    ends: datetime
    level: int = 0
    overrides: bool = False


@dataclass(frozen=True)
class Schedule:
    """Layers, shifts of calendars, and what changes them for a while."""

    key: str
    zone: str
    layers: tuple[Layer, ...]
    country: str = ""
    subdivision: str = ""
    stand_in: bool = True
    overrides: tuple[Override, ...] = ()
    swaps: tuple[Swap, ...] = ()
    temporaries: tuple[Temporary, ...] = ()
    imported: tuple[Imported, ...] = ()


@dataclass(frozen=True)
class Step:
    """`channel`, `member`, `oncall` (target: a key), `wait` (seconds), `round_robin`
    (the next of `members`) or `repeat` (so many `times`)."""

    kind: str
    target: str = ""
    wait: int = 0
    members: tuple[str, ...] = ()
    times: int = 0


@dataclass(frozen=True)
class Route:
    """Alerts with this label `team` go by these steps, after the group's wait; an
    acknowledgement lasts `ack` seconds (0: for ever)."""

    team: str
    steps: tuple[Step, ...]
    wait: int = 0
    ack: int = 0


@dataclass(frozen=True)
class Silence:
    """From when to when nobody is told of a team's alerts."""

    team: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Tenant:
    """One tenant; `channels` are (key, kind), `targets` by severity the seconds within
    which a group is to be acknowledged and resolved (0: no target)."""

    key: str
    people: dict[str, Person]
    schedules: dict[str, Schedule]
    routes: dict[str, Route]
    channels: tuple[tuple[str, str], ...]
    targets: dict[int, tuple[int, int]] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)

    def has_channel(self, kind: str) -> bool:
        return any(kind == one for _key, one in self.channels)


@dataclass(frozen=True)
class Act:
    """Something that is done to an incident: acknowledge, unacknowledge, resolve
    (by a person), ended (by its source) or expired (nothing was heard of it)."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class Incident:
    """One alert, and what is done about it, in order of time."""

    key: str
    tenant: str
    team: str
    severity: int
    opens: datetime
    acts: tuple[Act, ...]
    expires_in: int | None = None


@dataclass(frozen=True)
class World:
    """Everything, as the seed made it."""

    seed: int
    tenants: dict[str, Tenant]
    incidents: list[Incident] = field(default_factory=list)

    def zones(self) -> set[str]:
        """Return the zones in which anybody reckons."""
        found: set[str] = set()
        for tenant in self.tenants.values():
            for schedule in tenant.schedules.values():
                found |= {schedule.zone, *(layer.zone for layer in schedule.layers)}
            for person in tenant.people.values():
                found |= {person.zone, person.quiet_zone}
        return found - {""}
