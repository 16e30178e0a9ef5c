"""How does a seed become a year? Everything odd that may happen does, somewhere."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

from tests.timemachine import chains
from tests.timemachine.wall import changes, first, last
from tests.timemachine.world import (
    BEGIN,
    END,
    WEEK,
    Act,
    Contact,
    Hours,
    Imported,
    Incident,
    Layer,
    Override,
    OwnStep,
    Person,
    Quiet,
    Range,
    Route,
    Schedule,
    Silence,
    Step,
    Swap,
    Temporary,
    Tenant,
    World,
)

# Zone, country and region whose holidays are kept there.
PLACES = (
    ("Europe/London", "GB", "ENG"),
    ("America/New_York", "US", "NY"),
    ("Australia/Lord_Howe", "AU", "NSW"),
    ("Asia/Kolkata", "IN", ""),
    ("Pacific/Apia", "WS", ""),
    ("America/Sao_Paulo", "BR", "SP"),
    ("Europe/Paris", "FR", ""),
    ("Africa/Cairo", "EG", ""),  # clocks change at midnight
    ("Africa/Casablanca", "MA", ""),  # back for Ramadan, then forth
    ("America/Santiago", "CL", ""),  # clocks change at midnight
    ("Asia/Beirut", "LB", ""),  # clocks change at midnight
    ("Pacific/Chatham", "NZ", ""),
    ("America/St_Johns", "CA", "NL"),
    ("Europe/Berlin", "DE", "BY"),
    ("Asia/Kathmandu", "", ""),
)
TENANTS = ("acme", "globex", "initech")
PEOPLE = 14
SCHEDULES = 5
WORKDAYS, WEEKEND = WEEK[:5], WEEK[5:]
SEVERITIES = (2, 3, 4, 4, 5, 5)
TOGETHER = 32  # incidents that open at one moment, on the average

Recipe = Callable[[random.Random], dict[str, object]]

# Each gives a layer all but its people; those of one schedule are drawn from here.
RECIPES: tuple[Recipe, ...] = (
    lambda r: {"starts_on": date(2027, 11, 29), "handoff": time(9)},
    lambda r: {
        "starts_on": date(2027, 12, 20),
        "frequency": "daily",
        "handoff": time(2, 30),
    },
    lambda r: {
        "starts_on": date(2027, 12, 6),
        "frequency": "daily",
        "every": r.choice((1, 2, 3)),
        "weekdays": WORKDAYS,
        "handoff": time(r.choice((0, 1, 8)), 30),
    },
    lambda r: {
        "starts_on": date(2027, 12, 27),
        "frequency": "hourly",
        "every": r.choice((1, 5, 8, 12)),
        "handoff": time(r.choice((0, 6)), r.choice((0, 30))),
    },
    lambda r: {
        "starts_on": date(2027, r.choice((8, 10)), 31),
        "frequency": "monthly",
        "handoff": time(r.choice((0, 12))),
    },
    lambda r: {
        "starts_on": date(2027, 12, 1),
        "level": 1,
        "hours": (
            Hours(WORKDAYS, time(18), time(8)),
            Hours(WEEKEND, time(0), time(0)),
        ),
    },
    lambda r: {
        "starts_on": date(2027, 12, 25),
        "frequency": "daily",
        "lasts": r.choice((90, 480, 1380)),
        "handoff": time(r.choice((1, 2, 16)), r.choice((15, 30))),
        "level": 1,
    },
    lambda r: {
        "starts_on": date(2027, 12, 13),
        "holidays": "never",
        "handoff": time(17),
        "level": r.choice((0, 1)),
    },
    lambda r: {
        "starts_on": date(2027, 12, 13),
        "frequency": "daily",
        "holidays": "only",
        "handoff": time(0),
        "level": 2,
    },
    lambda r: {
        "starts_on": date(2027, 12, 6),
        "ends_on": date(2028, r.choice((3, 7, 10)), r.choice((26, 29))),
        "level": r.choice((0, 2)),
        "handoff": time(r.choice((1, 2)), 30),
    },
    lambda r: {
        "starts_on": date(2028, 2, 29),
        "frequency": "monthly",
        "every": r.choice((1, 3)),
        "handoff": time(0),
        "level": 1,
    },
    lambda r: {
        "starts_on": date(2027, 12, 4),
        "every": 2,
        "weekdays": WEEKEND,
        "handoff": time(r.choice((0, 2)), r.choice((0, 30))),
        "level": 1,
    },
    lambda r: {
        "starts_on": date(2027, 12, 31),
        "frequency": "daily",
        "handoff": time(0),
        "hours": (
            Hours(WEEK, time(1, 30), time(2, 45)),
            Hours(("sat", "sun", "wed"), time(22), time(1, 30)),
        ),
        "level": 2,
    },
    lambda r: {
        "starts_on": date(2027, 12, 30),
        "frequency": "hourly",
        "every": 24 * 3,
        "weekdays": ("mon", "tue", "thu", "sun"),
        "handoff": time(2),
        "lasts": 24 * 60 * 2,
    },
)


def make(seed: int, incidents: int) -> World:
    """Return the seed's world."""
    rng = random.Random(seed)
    places = list(PLACES)
    rng.shuffle(places)
    recipes = [r(rng) for r in RECIPES * 4]
    world = World(seed, {})
    for number, key in enumerate(TENANTS):
        own = places[number * SCHEDULES : (number + 1) * SCHEDULES]
        world.tenants[key] = _tenant(rng, key, own, recipes, number)
    world.incidents.extend(_incidents(rng, world, incidents))
    _silences(rng, world)
    return world


def _tenant(
    rng: random.Random,
    key: str,
    places: Sequence[tuple[str, str, str]],
    recipes: list[dict[str, object]],
    number: int,
) -> Tenant:
    people = {p.key: p for p in (_person(rng, key, n) for n in range(PEOPLE))}
    schedules: dict[str, Schedule] = {}
    for place in places:
        found = _schedule(rng, place, list(people), recipes, len(schedules))
        schedules[found.key] = found
    # The last tenant has no text messages: such contacts reach nobody there.
    channels = [("ops", "slack"), ("sms", "sms")][: 1 if number == 2 else 2]
    tenant = Tenant(key, people, schedules, {}, tuple(channels), _targets(rng))
    for route in _routes(rng, tenant):
        tenant.routes[route.team] = route
    return tenant


def _person(rng: random.Random, tenant: str, number: int) -> Person:
    key = f"{tenant}-{number}"
    zone, country, _region = rng.choice(PLACES)
    contacts = [Contact(f"{key}/mail", "email", f"{key}@pager.example")]
    if rng.random() < 0.6:
        phone = f"+4670{rng.randrange(10**6):06d}{number:02d}"
        contacts.append(Contact(f"{key}/sms", "sms", phone, rng.random() < 0.85))
    if rng.random() < 0.3:
        contacts.append(Contact(f"{key}/mail2", "email", f"{key}@home.example"))
    if rng.random() < 0.15:
        contacts = []
    steps: list[OwnStep] = []
    if contacts and rng.random() < 0.6:
        for important in (False, True):
            if important and rng.random() < 0.5:
                continue
            for position in range(rng.randint(1, 3)):
                if position or rng.random() < 0.2:
                    wait = rng.choice((30, 60, 300, 1800, 4 * 3600))
                    steps.append(OwnStep(important, "wait", wait=wait))
                steps.append(
                    OwnStep(important, "contact", contact=rng.choice(contacts).key)
                    if rng.random() < 0.6
                    else OwnStep(important, "by", by=rng.choice(("email", "sms")))
                )
    quiet: list[Quiet] = []
    if rng.random() < 0.5:
        quiet.append(Quiet(WEEK, time(22), time(7)))
        if rng.random() < 0.5:
            quiet.append(Quiet(WEEKEND, time(0), time(rng.choice((0, 2)), 30)))
    return Person(
        key,
        zone,
        # Two of each tenant cannot be reached at all unless they have contacts.
        mailbox="" if number % 7 == 3 else f"{key}@login.example",
        active=number % 13 != 5,
        contacts=tuple(contacts),
        steps=tuple(steps),
        quiet=tuple(quiet),
        quiet_zone=rng.choice(PLACES)[0] if rng.random() < 0.3 else "",
        important_from=rng.choice((5, 5, 4, 3)),
        quiet_below=rng.choice((5, 5, 4)),
        quiet_how=rng.choice(("hold", "mail")),
        country=country if rng.random() < 0.5 else "",
        absences=tuple(_stretches(rng, 4, zone, days=(1, 16))),
    )


def _stretches(
    rng: random.Random,
    most: int,
    zone: str,
    *,
    days: tuple[int, int] = (0, 3),
    apart: bool = False,
) -> list[Range]:
    """Return stretches of the year, some of which end or begin when clocks change."""
    found: list[Range] = []
    odd = list(changes(zone, BEGIN, END))
    for _number in range(rng.randint(1, most)):
        if odd and rng.random() < 0.4:
            begin = rng.choice(odd) + timedelta(minutes=rng.choice((-90, -30, 0, 30)))
        elif rng.random() < 0.5:
            day = date(2028, 1, 1) + timedelta(days=rng.randrange(366))
            begin = first(zone, datetime.combine(day, time(rng.choice((0, 2, 9)))))
        else:
            begin = BEGIN + timedelta(minutes=rng.randrange(367 * 24 * 60))
        length = timedelta(
            days=rng.randint(*days), minutes=rng.choice((30, 90, 480, 1440))
        )
        if not apart or all(begin + length <= b or begin >= e for b, e in found):
            found.append((begin, begin + length))
    return sorted(found)


def _schedule(
    rng: random.Random,
    place: tuple[str, str, str],
    people: list[str],
    recipes: list[dict[str, object]],
    number: int,
) -> Schedule:
    zone, country, region = place
    layers = []
    for position in range(rng.randint(2 if number else 1, 4)):
        turns = [
            tuple(rng.sample(people, rng.choice((1, 1, 1, 2))))
            for _ in range(rng.randint(1, 5))
        ]
        given = recipes.pop(0)
        recipes.append(given)
        layers.append(
            Layer(
                name=f"layer {position}",
                turns=tuple(turns),
                zone=rng.choice(PLACES)[0] if rng.random() < 0.25 else "",
                first_turn=rng.randrange(len(turns)),
                **given,  # type: ignore[arg-type]
            )
        )
    overrides = []
    for kind, most in (("only", 6), ("replace", 8), ("remove", 8), ("add", 6)):
        for begin, end in _stretches(rng, most, zone, apart=kind == "replace"):
            member, instead = rng.sample(people, 2)
            overrides.append(
                Override(
                    kind,
                    begin,
                    end,
                    "" if kind == "remove" else member,
                    instead if kind in ("replace", "remove") else "",
                )
            )
    swaps = []
    for begin, end in _stretches(rng, 9, zone, days=(1, 8), apart=True):
        one, other = rng.sample(people, 2)
        taken = other if rng.random() < 0.7 else ""
        swaps.append(Swap(one, taken, begin, end))
    temporaries = []
    for begin, end in _stretches(rng, 3, zone, days=(1, 4), apart=True):
        shifts = []
        for _number in range(rng.randint(1, 4)):
            start = begin + rng.random() * (end - begin)
            start = start.replace(second=0, microsecond=0)
            shifts.append(
                (
                    rng.choice(people),
                    max(start, begin),
                    start + timedelta(hours=rng.randint(1, 30)),
                )
            )
        temporaries.append(Temporary(begin, end, tuple(shifts)))
    imported = []
    for alone, most in ((False, 14), (True, 3)):
        if rng.random() < 0.6:
            imported += [
                Imported(
                    rng.choice(people),
                    begin,
                    end,
                    0 if alone else rng.choice((0, 0, 1, 2, 9)),
                    alone,
                )
                for begin, end in _stretches(rng, most, zone)
            ]
    return Schedule(
        key=zone,
        zone=zone,
        layers=tuple(layers),
        country=country,
        subdivision=region,
        stand_in=rng.random() < 0.7,
        overrides=tuple(overrides),
        swaps=tuple(swaps),
        temporaries=tuple(temporaries),
        imported=tuple(imported),
    )


WAITS = (30, 300, 900, 3600, 6 * 3600, 2 * 86400)


ACKS = (0, 0, 300, 1800, 6 * 3600)


def _targets(rng: random.Random) -> dict[int, tuple[int, int]]:
    """Return service levels: none for some severities, one or both for others."""
    return {
        5: (rng.choice((300, 900)), rng.choice((0, 7200))),
        4: (rng.choice((0, 3600)), 86_400),
    }


def _turns(rng: random.Random, tenant: Tenant) -> tuple[str, ...]:
    """Return a list for a round robin: whoever is active in it can be reached, so that
    the moments of the steps do not depend on whose turn it is."""
    fitting = [
        person.key
        for person in tenant.people.values()
        if not person.active or chains.reachable(tenant, person)
    ]
    return tuple(rng.sample(fitting, rng.randint(2, 5)))


def _routes(rng: random.Random, tenant: Tenant) -> list[Route]:
    people, schedules = list(tenant.people), list(tenant.schedules)
    routes = []
    for number in range(7):
        steps: list[Step] = []
        for position in range(rng.randint(2, 5)):
            if position or rng.random() < 0.2:
                steps.append(Step("wait", wait=rng.choice(WAITS)))
                if rng.random() < 0.1:
                    steps.append(Step("wait", wait=rng.choice(WAITS[:3])))
            drawn = rng.random()
            if drawn < 0.6:
                steps.append(Step("oncall", rng.choice(schedules)))
            elif drawn < 0.75:
                steps.append(Step("round_robin", members=_turns(rng, tenant)))
            elif drawn < 0.9:
                steps.append(Step("member", rng.choice(people)))
            else:
                steps.append(Step("channel", "ops"))
        if number % 2:
            if rng.random() < 0.7:
                steps.append(Step("wait", wait=rng.choice(WAITS[:4])))
            steps.append(Step("repeat", times=rng.choice((1, 1, 2, 3))))
            if rng.random() < 0.3:
                steps.append(Step("member", rng.choice(people)))
        wait = 45 if number == 3 else 0
        routes.append(Route(f"team{number}", tuple(steps), wait, rng.choice(ACKS)))
    return routes


def _silences(rng: random.Random, world: World) -> None:
    """Silence teams about the time at which something happens to them."""
    wanted = min(120, 4 + len(world.incidents) // 6, len(world.incidents))
    for number, incident in enumerate(rng.sample(world.incidents, wanted)):
        # Never at the moment of anything else.
        begin = incident.opens + timedelta(
            seconds=rng.choice((-600, -30, 20, 200, 3600)),
            microseconds=500_000 + 7 * number,
        )
        lasts = timedelta(seconds=rng.choice((120, 900, 7200, 43_200, 2 * 86_400)))
        if begin > BEGIN:
            world.tenants[incident.tenant].silences.append(
                Silence(incident.team, begin, begin + lasts)
            )


# --- incidents ---


def _incidents(rng: random.Random, world: World, wanted: int) -> list[Incident]:
    odd = odd_moments(rng, world)
    teams = [(t.key, r) for t in world.tenants.values() for r in t.routes.values()]
    # Many at one moment make many steps at one moment, and a long year quick.
    most = min(2 * TOGETHER, max(4, wanted // 50))
    made: list[Incident] = []
    while len(made) < wanted:
        at, pace = _moment(rng, odd), rng.randrange(1_000_000)
        size = min(rng.randint(1, most), wanted - len(made))
        for tenant, route in rng.choices(teams, k=size):
            key = f"i{len(made)}"
            made.append(_incident(rng, key, tenant, route, at, random.Random(pace)))
    return sorted(made, key=lambda one: (one.opens, one.key))


def _moment(rng: random.Random, odd: list[datetime]) -> datetime:
    """Return when incidents open: often when it matters to the second."""
    if rng.random() < 0.4:
        seconds = rng.randrange(int((END - BEGIN).total_seconds()) - 12 * 3600)
        return BEGIN + timedelta(seconds=seconds)
    moment = rng.choice(odd)
    drawn = rng.random()
    if drawn < 0.35:
        moment += timedelta(seconds=rng.choice((-1, 0, 0, 1)))
    elif drawn < 0.6:  # a later step falls on it
        moment -= timedelta(seconds=rng.choice(WAITS) + rng.choice((-1, 0, 0, 1)))
    else:
        moment += timedelta(seconds=rng.randint(-7200, 7200))
    return min(max(moment, BEGIN + timedelta(minutes=1)), END - timedelta(hours=6))


def odd_moments(rng: random.Random, world: World) -> list[datetime]:
    """Return when something changes: clocks, days, shifts, holidays."""
    found: list[datetime] = []
    for tenant in world.tenants.values():
        for schedule in tenant.schedules.values():
            zones = {schedule.zone, *(la.zone for la in schedule.layers if la.zone)}
            for zone in sorted(zones):
                found += list(changes(zone, BEGIN, END)) * 6
                for day in (date(2028, 1, 1), date(2028, 2, 29), date(2028, 12, 31)):
                    midnight = datetime.combine(day, time())
                    found += [first(zone, midnight), last(zone, midnight)] * 2
                    found.append(last(zone, midnight + timedelta(days=1)))
            for layer in schedule.layers:
                zone = layer.zone or schedule.zone
                times = [layer.handoff, time()]
                times += [t for h in layer.hours for t in (h.begins, h.ends)]
                for _number in range(25):
                    day = date(2028, 1, 1) + timedelta(days=rng.randrange(366))
                    found.append(
                        rng.choice((first, last))(
                            zone, datetime.combine(day, rng.choice(times))
                        )
                    )
            for changed in (
                schedule.overrides,
                schedule.swaps,
                schedule.temporaries,
                schedule.imported,
            ):
                for one in changed:
                    found += [one.starts, one.ends]
            for temporary in schedule.temporaries:
                found += [moment for shift in temporary.shifts for moment in shift[1:]]
        for person in tenant.people.values():
            found += [moment for absence in person.absences for moment in absence]
    return [moment for moment in found if BEGIN < moment < END - timedelta(hours=6)]


def _incident(
    rng: random.Random,
    key: str,
    tenant: str,
    route: Route,
    opens: datetime,
    together: random.Random,
) -> Incident:
    """Return one incident; those who care for what opened `together` look at the same
    times, and do this or that, or nothing."""
    rounds = 1 + sum(step.times for step in route.steps)
    length = route.wait + rounds * (60 + sum(step.wait for step in route.steps))
    looks = _looks(together, opens)
    acts: list[Act] = []
    if rng.random() < 0.6:
        wanted = rng.choice((1, 1, 1, 2, 2, 3, 4))
        for number, at in enumerate(sorted(rng.sample(looks, wanted))):
            acts.append(Act("unacknowledge" if number % 2 else "acknowledge", at))
    drawn = rng.random()
    if drawn < 0.15:
        # Never at the second at which something is due.
        expires = rng.choice((300, 3600, 86_400, length + 3600)) // 30 * 30 + 7
        moment = opens + timedelta(seconds=expires)
        acts = [act for act in acts if act.at < moment]
        acts.append(Act("expired", moment))
        return Incident(
            key, tenant, route.team, rng.choice(SEVERITIES), opens, tuple(acts), expires
        )
    after = [at for at in looks if not acts or at > acts[-1].at]
    # Time for all that is to come, or not quite.
    end = opens + timedelta(days=8, microseconds=77) + timedelta(seconds=length)
    if after and rng.random() < 0.6:
        end = rng.choice(after)
    acts.append(Act("resolve" if drawn < 0.8 else "ended", end))
    return Incident(key, tenant, route.team, rng.choice(SEVERITIES), opens, tuple(acts))


def _looks(rng: random.Random, opens: datetime) -> list[datetime]:
    """Return moments not at a whole second, at which steps are due."""
    found = [
        opens
        + timedelta(seconds=rng.randrange(10, most), microseconds=250_000 + number)
        for number, most in enumerate(
            (60, 600, 1200, 3600, 8000, 30_000, 10**5, 3 * 10**5)
        )
    ]
    return sorted(found)
