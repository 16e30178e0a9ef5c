"""Who had to be paged, by what and when, and was he? Reckoned from the world and the
ledger alone, and held against what the database says was done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.timemachine import chains
from tests.timemachine.cover import Cover
from tests.timemachine.world import Act, Incident, Step, Tenant, World

TOLERATED = timedelta(seconds=2)
# A page that belongs to another moment than this is not late but another one.
SAME = timedelta(hours=12)
HALTS = ("acknowledge", "resolve", "ended", "expired")


@dataclass(frozen=True, order=True)
class Page:
    """One message to one address: of which incident, to whom, by what, when."""

    incident: str
    member: str  # or the channel's key
    kind: str
    address: str
    at: datetime


@dataclass(frozen=True, order=True)
class Said:
    """A line of the timeline: a step that was done, and why nobody if nobody."""

    incident: str
    at: datetime
    step: int
    reason: str
    on_call: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disagreement:
    """Where the two differ: missing, surplus, early, late, wrong person, unsaid."""

    kind: str
    wanted: Page | Said | None
    found: Page | Said | None

    def __str__(self) -> str:
        return f"{self.kind}: wanted {self.wanted}, found {self.found}"


@dataclass
class Reckoning:
    """What had to be, by the checker."""

    pages: list[Page] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    # At the very moment of an act: both is right.
    doubtful: set[Page] = field(default_factory=set)
    gaps: list[tuple[str, str, datetime]] = field(default_factory=list)


class Checker:
    """One world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.covers = {
            (tenant.key, schedule.key): Cover(schedule, tenant.people)
            for tenant in world.tenants.values()
            for schedule in tenant.schedules.values()
        }

    def reckon(self, acts: Mapping[str, Sequence[Act]]) -> Reckoning:
        """Return what had to be; `acts` is the ledger: what was done to each incident,
        in order, beginning with its opening."""
        found = Reckoning()
        for incident in self.world.incidents:
            self._incident(incident, acts.get(incident.key, ()), found)
        return found

    def _incident(
        self, incident: Incident, acts: Sequence[Act], found: Reckoning
    ) -> None:
        tenant = self.world.tenants[incident.tenant]
        route = tenant.routes[incident.team]
        for begin, end in stretches(acts):
            first = not found_opening(acts) or begin == acts[0].at
            # The group's wait comes before the first run only.
            at = begin + timedelta(seconds=route.wait if first else 0)
            told = True
            for number, step in enumerate(route.steps, 1):
                if step.kind == "wait":
                    # Nobody has to be given time where nobody was told.
                    at += timedelta(seconds=step.wait if told else 0)
                    continue
                if end is not None and at >= end:
                    break
                pages, reason, people = self._step(tenant, incident, step, at)
                told = not reason
                found.said.append(Said(incident.key, at, number, reason, people))
                if reason == "nobody_on_call":
                    found.gaps.append((incident.key, step.target, at))
                for page in pages:
                    if end is None or page.at < end + TOLERATED:
                        found.pages.append(page)
                    if end is not None and abs(page.at - end) <= TOLERATED:
                        found.doubtful.add(page)

    def _step(
        self, tenant: Tenant, incident: Incident, step: Step, at: datetime
    ) -> tuple[set[Page], str, tuple[str, ...]]:
        """Return what a step makes, why nothing if nothing, and who is on call."""
        if step.kind == "channel":
            kind = dict(tenant.channels)[step.target]
            return {Page(incident.key, step.target, kind, "", at)}, "", ()
        members: Iterable[str] = [step.target]
        if step.kind == "oncall":
            members = self.covers[tenant.key, step.target].who(at)
            if not members:
                return set(), "nobody_on_call", ()
        pages = {
            Page(incident.key, member, kind, address, moment)
            for member in members
            for moment, kind, address in chains.calls(
                tenant, tenant.people[member], incident.severity, at
            )
        }
        on_call = tuple(sorted(members)) if step.kind == "oncall" else ()
        return pages, "" if pages else "no_address", on_call


def found_opening(acts: Sequence[Act]) -> bool:
    """Whether the ledger knows of the opening."""
    return bool(acts) and acts[0].kind == "opened"


def stretches(acts: Sequence[Act]) -> list[tuple[datetime, datetime | None]]:
    """Return from when to when nobody took care, and it was not over."""
    found: list[tuple[datetime, datetime | None]] = []
    begin: datetime | None = None
    for act in acts:
        if act.kind in ("opened", "unacknowledge") and begin is None:
            begin = act.at
        elif act.kind in HALTS and begin is not None:
            found.append((begin, act.at))
            begin = None
    if begin is not None:
        found.append((begin, None))
    return found


# --- comparing ---


def compare(
    wanted: Reckoning, pages: Sequence[Page], said: Sequence[Said]
) -> list[Disagreement]:
    """Return where what was done differs from what had to be."""
    found = _pages(wanted.pages, pages, wanted.doubtful)
    return found + _said(wanted.said, said)


def _pages(
    wanted: Sequence[Page], done: Sequence[Page], doubtful: set[Page]
) -> list[Disagreement]:
    missing, surplus = _match(
        wanted, done, lambda p: (p.incident, p.member, p.kind, p.address), TOLERATED
    )
    missing = [page for page in missing if page not in doubtful]
    found: list[Disagreement] = []
    # The same page at another time.
    for page in list(missing):
        others = [
            p for p in surplus if _same_place(p, page) and abs(p.at - page.at) < SAME
        ]
        if others:
            other = min(others, key=lambda p: abs(p.at - page.at))
            kind = "early" if other.at < page.at else "late"
            found.append(Disagreement(kind, page, other))
            missing.remove(page)
            surplus.remove(other)
    # Another person at the same time.
    for page in list(missing):
        others = [
            p
            for p in surplus
            if p.incident == page.incident
            and p.member != page.member
            and abs(p.at - page.at) <= TOLERATED
        ]
        if others:
            found.append(Disagreement("wrong person", page, others[0]))
            missing.remove(page)
            surplus.remove(others[0])
    found += [Disagreement("missing", page, None) for page in missing]
    found += [Disagreement("surplus", None, page) for page in surplus]
    return found


def _same_place(one: Page, other: Page) -> bool:
    return (one.incident, one.member, one.kind, one.address) == (
        other.incident,
        other.member,
        other.kind,
        other.address,
    )


def _said(wanted: Sequence[Said], done: Sequence[Said]) -> list[Disagreement]:
    missing, surplus = _match(
        wanted, done, lambda s: (s.incident, s.step, s.reason, s.on_call), TOLERATED
    )
    found = [Disagreement("unsaid", one, None) for one in missing]
    return found + [Disagreement("said for nothing", None, one) for one in surplus]


def _match(wanted, done, key: Callable, tolerated: timedelta):
    """Pair what is the same, in order of time; return what is left of both."""
    left = defaultdict(list)
    for one in sorted(done, key=lambda one: one.at):
        left[key(one)].append(one)
    missing = []
    for one in sorted(wanted, key=lambda one: one.at):
        near = [o for o in left[key(one)] if abs(o.at - one.at) <= tolerated]
        if near:
            left[key(one)].remove(min(near, key=lambda o: abs(o.at - one.at)))
        else:
            missing.append(one)
    return missing, [one for rest in left.values() for one in rest]


def counted(found: Iterable[Disagreement]) -> Counter[str]:
    """Return how many of each kind."""
    return Counter(one.kind for one in found)
