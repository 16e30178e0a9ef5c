"""Who had to be paged, by what and when, and was he? Reckoned from the world and the
ledger alone, and held against what the database says was done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from tests.timemachine import chains
from tests.timemachine.cover import Cover
from tests.timemachine.world import Act, Incident, Route, Step, Tenant, World

TOLERATED = timedelta(seconds=2)
# A page that belongs to another moment than this is not late but another one.
SAME = timedelta(hours=12)
NO_TIME, SHORTEST_ROUND = timedelta(), timedelta(seconds=60)
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


@dataclass(frozen=True)
class Stretch:
    """From when to when nobody took care of an incident; it begins with a wait."""

    opened: datetime
    begin: datetime
    end: datetime | None
    wait: timedelta


@dataclass(frozen=True)
class Turn:
    """A step that asks for the next of a list."""

    tenant: str
    team: str
    step: int
    at: datetime
    incident: Incident
    over: Stretch


@dataclass
class Reckoning:
    """What had to be, by the checker."""

    pages: list[Page] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    # At the very moment of an act: both is right.
    doubtful: set[Page] = field(default_factory=set)
    gaps: list[tuple[str, str, datetime]] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    # How often something odd had to be: repeated, pulled, lapsed, turns.
    counts: Counter[str] = field(default_factory=Counter)


class Checker:
    """One world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.covers = {
            (tenant.key, schedule.key): Cover(schedule, tenant.people)
            for tenant in world.tenants.values()
            for schedule in tenant.schedules.values()
        }

    def reckon(
        self, acts: Mapping[str, Sequence[Act]], told: Sequence[Said] = ()
    ) -> Reckoning:
        """Return what had to be; `acts` is the ledger: what was done to each incident,
        in order, beginning with its opening.

        `told`, what the product did, is asked for one thing only: in which order steps
        of one moment took their turns at a list.
        """
        found = Reckoning()
        for incident in self.world.incidents:
            self._incident(incident, acts.get(incident.key, ()), found)
        self._take_turns(found, told)
        return found

    def _incident(
        self, incident: Incident, acts: Sequence[Act], found: Reckoning
    ) -> None:
        route = self.world.tenants[incident.tenant].routes[incident.team]
        acts = ended_by_themselves(acts, route.ack, found)
        for begin, end in stretches(acts):
            first = not found_opening(acts) or begin == acts[0].at
            # The group's wait comes before the first run only.
            wait = timedelta(seconds=route.wait if first else 0)
            self._run(incident, route, Stretch(acts[0].at, begin, end, wait), found)

    def _run(
        self, incident: Incident, route: Route, over: Stretch, found: Reckoning
    ) -> None:
        """Go through the steps from the begin of a stretch to its end."""
        tenant = self.world.tenants[incident.tenant]
        now, delay, told = over.begin, over.wait, True
        round_, began, place = 1, None, 0
        not_before = now
        while place < len(route.steps):
            step, number = route.steps[place], place + 1
            place += 1
            if step.kind == "wait":
                delay += timedelta(seconds=step.wait)
                continue
            # Nobody has to be given time where nobody was told, except before all
            # begins again.
            waited = delay if told or step.kind == "repeat" else NO_TIME
            due = max(now + waited, not_before)
            at = pulled(tenant, incident, over.opened, now, due)
            if over.end is not None and at >= over.end:
                return
            found.counts["pulled"] += at < due
            at, waited_for = heard(tenant, incident, at), at
            if over.end is not None and at >= over.end:
                return
            found.counts["held"] += at > waited_for
            now, delay, told, not_before = at, NO_TIME, True, at
            began = began or at
            if step.kind != "repeat":
                told = self._done(tenant, incident, route, number, now, over, found)
            elif round_ <= step.times:
                found.counts["repeated"] += 1
                not_before = began + SHORTEST_ROUND
                round_, began, place = round_ + 1, None, 0

    def _done(
        self,
        tenant: Tenant,
        incident: Incident,
        route: Route,
        number: int,
        at: datetime,
        over: Stretch,
        found: Reckoning,
    ) -> bool:
        """Note what a step does; return whether it tells somebody."""
        step = route.steps[number - 1]
        if step.kind == "round_robin":
            turn = Turn(tenant.key, route.team, number, at, incident, over)
            found.turns.append(turn)
            return any(tenant.people[key].active for key in step.members)
        pages, reason, people = self._step(tenant, incident, step, at)
        found.said.append(Said(incident.key, at, number, reason, people))
        if reason == "nobody_on_call":
            found.gaps.append((incident.key, step.target, at))
        add_pages(pages, over, found)
        return not reason

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
        pages = pages_of(tenant, incident, members, at)
        on_call = tuple(sorted(members)) if step.kind == "oncall" else ()
        return pages, "" if pages else "no_address", on_call

    # --- round robin ---

    def _take_turns(self, found: Reckoning, told: Sequence[Said]) -> None:
        """Give each step that asks for the next of a list the one whose turn it is.
        All incidents share the list; steps of one moment may come in any order."""
        lists: dict[tuple[str, str, int], list[Turn]] = defaultdict(list)
        for turn in found.turns:
            lists[turn.tenant, turn.team, turn.step].append(turn)
        for (key, team, number), turns in lists.items():
            tenant = self.world.tenants[key]
            step = tenant.routes[team].steps[number - 1]
            members = [who for who in step.members if tenant.people[who].active]
            if not members:
                for turn in turns:
                    said = Said(turn.incident.key, turn.at, number, "nobody")
                    found.said.append(said)
                continue
            given = 0
            for at, together in groupby(sorted(turns, key=turn_order), turn_moment):
                mine = list(together)
                found.counts["turns"] += len(mine)
                chosen = [members[(given + n) % len(members)] for n in range(len(mine))]
                given += len(mine)
                for turn, who in zip(mine, in_order(mine, chosen, told), strict=True):
                    said = Said(turn.incident.key, at, number, "", (who,))
                    found.said.append(said)
                    pages = pages_of(tenant, turn.incident, [who], at)
                    add_pages(pages, turn.over, found)


def turn_order(turn: Turn) -> tuple[datetime, str]:
    return turn.at, turn.incident.key


def turn_moment(turn: Turn) -> datetime:
    return turn.at


def in_order(
    turns: Sequence[Turn], chosen: Sequence[str], told: Sequence[Said]
) -> Sequence[str]:
    """Return who is told by each of several steps of one moment: as the product did,
    if these were the very people whose turn it was."""
    if len(turns) < 2:
        return chosen
    done = {
        said.incident: said.on_call[0]
        for said in told
        if said.step == turns[0].step
        and said.on_call
        and abs(said.at - turns[0].at) <= TOLERATED
    }
    theirs = [done.get(turn.incident.key, "") for turn in turns]
    return theirs if Counter(theirs) == Counter(chosen) else chosen


def pages_of(
    tenant: Tenant, incident: Incident, members: Iterable[str], at: datetime
) -> set[Page]:
    return {
        Page(incident.key, member, kind, address, moment)
        for member in members
        for moment, kind, address in chains.calls(
            tenant, tenant.people[member], incident.severity, at
        )
    }


def add_pages(pages: Iterable[Page], over: Stretch, found: Reckoning) -> None:
    """Note pages; those still to come at the end of the stretch are not made."""
    for page in pages:
        if over.end is None or page.at < over.end + TOLERATED:
            found.pages.append(page)
        if over.end is not None and abs(page.at - over.end) <= TOLERATED:
            found.doubtful.add(page)


def pulled(
    tenant: Tenant, incident: Incident, opened: datetime, now: datetime, due: datetime
) -> datetime:
    """Return when a step comes: before its time if a service level would be missed,
    then when four fifths of the target's time are gone, if they are not yet."""
    at = due
    for seconds in tenant.targets.get(incident.severity, ()):
        mark = opened + timedelta(seconds=seconds) * 4 / 5
        if seconds and due > opened + timedelta(seconds=seconds) and mark > now:
            at = min(at, mark)
    return at


def heard(tenant: Tenant, incident: Incident, at: datetime) -> datetime:
    """Return when a step that comes at `at` is done: with the end of the silence."""
    while True:
        over = [
            one.ends
            for one in tenant.silences
            if one.team == incident.team and one.starts <= at < one.ends
        ]
        if not over:
            return at
        at = max(over)


def ended_by_themselves(
    acts: Sequence[Act], lasts: int, found: Reckoning
) -> Sequence[Act]:
    """Return the acts, and where an acknowledgement lasted as long as it may its end:
    as if somebody had taken it back."""
    if not lasts:
        return acts
    whole: list[Act] = []
    over: datetime | None = None
    for act in (*acts, None):
        if over is not None and (act is None or over < act.at):
            whole.append(Act("unacknowledge", over))
            found.counts["lapsed"] += 1
        if act is not None:
            whole.append(act)
            acked = act.kind == "acknowledge"
            over = act.at + timedelta(seconds=lasts) if acked else None
    return whole


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
