"""Does the checker see what is wrong? A small world that it agrees with, then spoilt in
each way; and its rules, on days whose answers are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.timemachine import chains
from tests.timemachine.checker import Checker, Page, Reckoning, Said, compare, counted
from tests.timemachine.cover import Cover
from tests.timemachine.making import make
from tests.timemachine.wall import changes, first, last, whole_day
from tests.timemachine.world import (
    BEGIN,
    END,
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
    Route,
    Schedule,
    Silence,
    Step,
    Swap,
    Temporary,
    Tenant,
    World,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A Monday; London changes its clocks on 26 March and 29 October 2028.
NOON = datetime(2028, 6, 5, 12, tzinfo=UTC)


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2028, month, day, hour, minute, tzinfo=UTC)


def people(*absent: str, inactive: str = "") -> dict[str, Person]:
    away = ((NOON - DAY, NOON + DAY),)
    return {
        key: Person(
            key,
            "UTC",
            f"{key}@x",
            active=key != inactive,
            absences=away if key in absent else (),
        )
        for key in ("ann", "ben", "cem")
    }


def layer(*turns: str, **more: object) -> Layer:
    places = tuple(tuple(turn.split("+")) for turn in turns)
    given = {"starts_on": date(2028, 1, 3), "turns": places}
    return Layer("l", **{**given, **more})  # type: ignore[arg-type]


def cover(*layers: Layer, zone: str = "UTC", who=None, **more) -> Cover:
    schedule = Schedule("s", zone, layers, **more)
    return Cover(schedule, who or people())


def small() -> tuple[World, dict[str, list[Act]]]:
    """Return a world of one incident, and its ledger: acknowledged after an hour."""
    daily = layer("ann", "ben", frequency="daily", handoff=time(0))
    steps = (
        Step("oncall", "s"),
        Step("wait", wait=600),
        Step("oncall", "empty"),
        Step("wait", wait=600),
        Step("member", "cem"),
        Step("wait", wait=7200),
        Step("member", "ben"),
    )
    tenant = Tenant(
        "acme",
        people(),
        {
            "s": Schedule("s", "UTC", (daily,)),
            "empty": Schedule("empty", "UTC", ()),
        },
        {"t": Route("t", steps)},
        (),
    )
    incident = Incident("i0", "acme", "t", 4, NOON, ())
    acts = [Act("opened", NOON), Act("acknowledge", NOON + HOUR)]
    return World(1, {"acme": tenant}, [incident]), {"i0": acts}


def reckoned() -> Reckoning:
    world, acts = small()
    return Checker(world).reckon(acts)


def test_what_had_to_be_is_reckoned_from_the_world_and_the_acts():
    found = reckoned()
    ann, cem = "ann", "cem"  # day 154 after the first is an even one
    assert [(p.member, p.address, p.at) for p in found.pages] == [
        (ann, "ann@x", NOON),
        # Nobody was on call in between, and nobody is waited for.
        (cem, "cem@x", NOON + timedelta(minutes=10)),
    ]
    assert [(s.step, s.reason, s.on_call) for s in found.said] == [
        (1, "", (ann,)),
        (3, "nobody_on_call", ()),
        (5, "", ()),
    ]
    assert found.gaps == [("i0", "empty", NOON + timedelta(minutes=10))]
    assert compare(found, found.pages, found.said) == []


def test_an_acknowledgement_that_is_taken_back_begins_the_steps_anew():
    world, acts = small()
    again = NOON + 2 * HOUR
    acts["i0"] += [Act("unacknowledge", again), Act("resolve", again + HOUR)]
    found = Checker(world).reckon(acts)
    assert [p.at for p in found.pages if p.member == "ann"] == [NOON, again]


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda pages: pages[1:], "missing"),
        (lambda pages: [*pages, replace(pages[0], at=NOON + DAY)], "surplus"),
        (lambda pages: [*pages, pages[0]], "surplus"),
        (lambda pages: [moved(pages[0], -3), *pages[1:]], "early"),
        (lambda pages: [moved(pages[0], 3), *pages[1:]], "late"),
        (
            lambda pages: [
                replace(pages[0], member="ben", address="ben@x"),
                *pages[1:],
            ],
            "wrong person",
        ),
    ],
    ids=["missing", "surplus", "twice", "early", "late", "wrong person"],
)
def test_a_planted_disagreement_is_found_and_named(spoil, kind):
    found = reckoned()
    assert dict(counted(compare(found, spoil(found.pages), found.said))) == {kind: 1}


def moved(page: Page, seconds: int) -> Page:
    return replace(page, at=page.at + timedelta(seconds=seconds))


def test_a_second_early_or_late_is_none():
    found = reckoned()
    pages = [moved(found.pages[0], 1), moved(found.pages[1], -1)]
    assert compare(found, pages, found.said) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: said[:1] + said[2:],
        lambda said: [said[0], replace(said[1], reason=""), said[2]],
        lambda said: [replace(said[0], on_call=("ben",)), *said[1:]],
        lambda said: [replace(said[0], at=NOON + HOUR), *said[1:]],
    ],
    ids=["silent", "without its reason", "another on call", "later"],
)
def test_a_gap_or_a_step_that_the_timeline_does_not_tell_of_is_found(spoil):
    found = reckoned()
    said: list[Said] = spoil(found.said)
    assert counted(compare(found, found.pages, said))["unsaid"] == 1


# --- its rules ---


@pytest.mark.parametrize(
    ("zone", "wall", "begins", "ends"),
    [
        ("Europe/London", (3, 26, 1, 30), utc(3, 26, 1), utc(3, 26, 1)),
        ("Europe/London", (10, 29, 1, 30), utc(10, 29, 0, 30), utc(10, 29, 1, 30)),
        ("Australia/Lord_Howe", (10, 1, 2, 15), utc(9, 30, 15, 30), utc(9, 30, 15, 30)),
        ("Asia/Kolkata", (5, 5, 5, 30), utc(5, 5), utc(5, 5)),
    ],
)
def test_a_wall_time_begins_with_its_first_moment_and_ends_with_its_last(
    zone, wall, begins, ends
):
    month, day, hour, minute = wall
    written = datetime(2028, month, day, hour, minute)
    assert (first(zone, written), last(zone, written)) == (begins, ends)


def test_a_day_whose_clocks_change_at_midnight_is_whole():
    begin, end = whole_day("Africa/Cairo", date(2028, 10, 26))
    assert end - begin == 25 * HOUR
    assert len(changes("Africa/Cairo", BEGIN, END)) == 2


def test_turns_follow_the_wall_clock_over_a_change():
    found = cover(
        layer("ann", "ben", frequency="daily", handoff=time(1, 30)),
        zone="Europe/London",
    )
    # The first 01:30 of the doubled hour hands over, the second does not.
    sides = [utc(10, 29, 0, 29), utc(10, 29, 0, 30), utc(10, 29, 1, 30)]
    ben, ann = frozenset({"ben"}), frozenset({"ann"})
    assert [found.who(at) for at in sides] in ([ann, ben, ben], [ben, ann, ann])


def test_a_month_without_the_day_takes_its_last():
    found = cover(
        layer(
            "ann",
            "ben",
            frequency="monthly",
            starts_on=date(2028, 1, 31),
            handoff=time(),
        )
    )
    assert found.who(utc(2, 28, 23, 59)) == {"ann"}
    assert found.who(utc(2, 29)) == {"ben"}
    assert found.who(utc(3, 30, 23)) == {"ben"}
    assert found.who(utc(3, 31)) == {"ann"}


def test_hours_over_midnight_weekdays_and_the_length_of_a_shift_limit_a_layer():
    night = layer("ann", hours=(Hours(("mon",), time(22), time(6)),))
    assert cover(night).who(utc(6, 5, 23)) == cover(night).who(utc(6, 6, 5)) == {"ann"}
    assert cover(night).who(utc(6, 6, 6)) == cover(night).who(utc(6, 6, 23)) == set()
    monday = layer("ann", weekdays=("mon",))
    assert cover(monday).who(utc(6, 6, 8, 59)) == {"ann"}
    assert cover(monday).who(utc(6, 6, 9)) == set()
    short = layer("ann", frequency="daily", lasts=60)
    assert cover(short).who(utc(6, 6, 9, 59)) == {"ann"}
    assert cover(short).who(utc(6, 6, 10)) == set()


def test_listed_days_are_counted():
    found = cover(
        layer("ann", "ben", frequency="daily", weekdays=("mon", "tue"), handoff=time())
    )
    assert found.who(utc(1, 3)) == found.who(utc(1, 10)) == {"ann"}
    assert found.who(utc(1, 4)) == {"ben"}
    assert found.who(utc(1, 5)) == set()


def test_holidays_are_cut_out_or_all_that_is_covered():
    christmas, eve = utc(12, 25, 12), utc(12, 24, 12)
    never = cover(layer("ann", holidays="never"), country="GB", subdivision="ENG")
    only = cover(layer("ann", holidays="only"), country="GB", subdivision="ENG")
    assert [never.who(at) for at in (eve, christmas)] == [{"ann"}, set()]
    assert [only.who(at) for at in (eve, christmas)] == [set(), {"ann"}]


def test_the_next_stands_in_for_who_is_absent_if_wished_and_for_who_is_inactive():
    one = layer("ann", "ben+cem")
    assert cover(one).who(NOON) == {"ann"}
    assert cover(one, who=people("ann")).who(NOON) == {"ben", "cem"}
    assert cover(one, who=people("ann"), stand_in=False).who(NOON) == {"ann"}
    gone = people(inactive="ann")
    assert cover(one, who=gone, stand_in=False).who(NOON) == {"ben", "cem"}
    assert cover(one, who=people("ann", "ben", "cem")).who(NOON) == set()


def test_the_highest_level_that_has_somebody_counts():
    low, high = layer("ann"), layer("ben", level=1)
    assert cover(low, high).who(NOON) == {"ben"}
    away = people("ben")
    assert cover(low, high, who=away).who(NOON) == {"ann"}
    assert cover(low, layer("cem")).who(NOON) == {"ann", "cem"}


def test_swaps_then_overrides_then_temporary_schedules():
    one = layer("ann")
    around = (NOON - HOUR, NOON + HOUR)

    def by(*kinds: tuple[str, str, str], **more) -> frozenset[str]:
        overrides = tuple(Override(k, *around, m, i) for k, m, i in kinds)
        return cover(one, overrides=overrides, **more).who(NOON)

    swap = (Swap("ann", "cem", *around),)
    assert by(swaps=swap) == {"cem"}
    assert by(swaps=(Swap("ann", "", *around),)) == {"ann"}
    assert by(("replace", "ben", "cem"), swaps=swap) == {"ben"}
    assert by(("replace", "ben", "cem")) == {"ann"}
    assert by(("only", "ben", ""), ("only", "cem", "")) == {"ben", "cem"}
    assert by(("remove", "", "ann")) == set()
    assert by(("add", "ben", "")) == {"ann", "ben"}
    hole = Temporary(*around, (("ben", NOON, NOON + HOUR),))
    found = cover(
        one,
        swaps=swap,
        overrides=(Override("add", *around, "ann"),),
        temporaries=(hole,),
    )
    assert found.who(NOON - HOUR) == set()
    assert found.who(NOON) == {"ben"}


def test_shifts_of_a_calendar_count_as_layers_do_or_alone():
    around = (NOON - HOUR, NOON + HOUR)
    one = layer("ann", level=1)

    def by(*shifts: Imported, who=None) -> frozenset[str]:
        return cover(one, imported=shifts, who=who).who(NOON)

    assert by(Imported("ben", *around)) == {"ann"}
    assert by(Imported("ben", *around, level=1)) == {"ann", "ben"}
    assert by(Imported("ben", *around, level=2)) == {"ben"}
    # Absent or not: the calendar says so. Inactive ones are on call by nothing.
    assert by(Imported("ben", *around, level=2), who=people("ben")) == {"ben"}
    gone = people(inactive="ben")
    assert by(Imported("ben", *around, level=2), who=gone) == {"ann"}
    alone = Imported("ben", *around, overrides=True)
    assert by(alone, Imported("cem", *around, level=9)) == {"ben"}


def test_quiet_hours_hold_a_call_or_leave_a_mail():
    tenant = Tenant("acme", {}, {}, {}, (("sms", "sms"),))
    person = Person(
        "ann",
        "Europe/London",
        "",
        contacts=(Contact("m", "email", "ann@x"), Contact("p", "sms", "+1")),
        steps=(
            OwnStep(False, "by", by="sms"),
            OwnStep(False, "wait", wait=60),
            OwnStep(False, "contact", contact="m"),
        ),
        quiet=(Quiet(("sun",), time(22), time(7)),),
    )
    night, morning = utc(6, 4, 23), utc(6, 5, 6)
    held = {
        (morning, "sms", "+1"),
        (morning + timedelta(minutes=1), "email", "ann@x"),
    }
    assert chains.calls(tenant, person, 4, night) == held
    mailed = replace(person, quiet_how="mail")
    assert chains.calls(tenant, mailed, 4, night) == {(night, "email", "ann@x")}
    assert min(chains.calls(tenant, person, 5, night))[0] == night
    assert chains.calls(tenant, replace(person, active=False), 5, night) == set()
    without = replace(tenant, channels=())
    assert {call[1] for call in chains.calls(without, person, 5, night)} == {"email"}


def course(*steps: Step, ack: int = 0, more: int = 0, **of_tenant) -> Checker:
    """Return the checker of a world in which one incident (and `more` at the same
    moment) goes by these steps."""
    tenant = Tenant("acme", people(), {}, {"t": Route("t", steps, 0, ack)}, ())
    incidents = [Incident(f"i{n}", "acme", "t", 4, NOON, ()) for n in range(more + 1)]
    return Checker(World(1, {"acme": replace(tenant, **of_tenant)}, incidents))


def opened(*acts: tuple[str, int], more: int = 0) -> dict[str, list[Act]]:
    """Return a ledger: the opening, and acts so many minutes after it."""
    first = [Act("opened", NOON)]
    then = [Act(kind, NOON + timedelta(minutes=minutes)) for kind, minutes in acts]
    others = {f"i{n}": first for n in range(1, more + 1)}
    return {"i0": first + then} | others


def minutes(found: Reckoning) -> list[tuple[int, float]]:
    """Return which steps come how many minutes after the opening."""
    times = [(said.step, said.at - NOON) for said in found.said]
    return [(step, after.total_seconds() / 60) for step, after in sorted(times)]


ANN, BEN = Step("member", "ann"), Step("member", "ben")


def test_a_repeat_begins_again_after_a_minute_at_least_and_then_goes_on():
    wait = Step("wait", wait=300)
    found = course(ANN, wait, Step("repeat", times=2), BEN).reckon(opened())
    assert minutes(found) == [(1, 0), (1, 5), (1, 10), (4, 15)]
    at_once = course(ANN, Step("repeat", times=1), BEN).reckon(opened())
    assert minutes(at_once) == [(1, 0), (1, 1), (3, 1)]
    silent = course(ANN, wait, Step("repeat", times=1), people=people(inactive="ann"))
    assert minutes(silent.reckon(opened())) == [(1, 0), (1, 5)]


def test_an_acknowledgement_that_may_not_last_begins_the_steps_anew():
    steps = (ANN, Step("wait", wait=1200), BEN)
    acked = opened(("acknowledge", 10), ("resolve", 90))
    assert minutes(course(*steps).reckon(acked)) == [(1, 0)]
    found = course(*steps, ack=3600).reckon(acked)
    assert minutes(found) == [(1, 0), (1, 70)]
    assert minutes(course(*steps, ack=4800).reckon(acked)) == [(1, 0)]
    taken_back = opened(("acknowledge", 10), ("unacknowledge", 20), ("resolve", 30))
    assert minutes(course(*steps, ack=900).reckon(taken_back)) == [(1, 0), (1, 20)]


def test_a_target_that_would_be_missed_pulls_a_step_forward_once():
    steps = (ANN, Step("wait", wait=3600), BEN, Step("wait", wait=3600), ANN)
    targets = {4: (1500, 0)}
    found = course(*steps, targets=targets).reckon(opened())
    assert minutes(found) == [(1, 0), (3, 20), (5, 80)]
    met = course(*steps, targets={4: (3600, 0), 5: (60, 60)}).reckon(opened())
    assert minutes(met) == [(1, 0), (3, 60), (5, 120)]


def test_a_silence_holds_steps_until_it_ends():
    def quiet(begin: int, end: int) -> Silence:
        minute = timedelta(minutes=1)
        return Silence("t", NOON + begin * minute, NOON + end * minute)

    steps = (ANN, Step("wait", wait=600), BEN)
    found = course(*steps, silences=[quiet(5, 15), quiet(14, 20)]).reckon(opened())
    assert minutes(found) == [(1, 0), (3, 20)]
    first = course(*steps, silences=[quiet(-5, 30), quiet(40, 41)]).reckon(opened())
    assert minutes(first) == [(1, 30), (3, 41)]
    acked = opened(("acknowledge", 12))
    assert minutes(course(*steps, silences=[quiet(5, 15)]).reckon(acked)) == [(1, 0)]


def test_all_share_a_list_and_take_turns_at_it():
    step = Step("round_robin", members=("ann", "cem", "ben"))
    checker = course(step, more=2, people=people(inactive="cem"))
    found = checker.reckon(opened(more=2))
    assert [said.on_call for said in found.said] == [("ann",), ("ben",), ("ann",)]
    # Of one moment any order will do, but not any people.
    order = (("ben",), ("ann",), ("ann",))
    done = [replace(s, on_call=who) for s, who in zip(found.said, order, strict=True)]
    again = checker.reckon(opened(more=2), done)
    assert compare(again, again.pages, done) == []
    wrong = [replace(said, on_call=("ben",)) for said in found.said]
    again = checker.reckon(opened(more=2), wrong)
    assert counted(compare(again, again.pages, wrong))["unsaid"] == 2


# --- the world ---


def test_a_seed_makes_the_same_world_and_a_rich_one():
    one, other = make(7, 60), make(7, 60)
    assert one == other
    assert len(one.incidents) == 60
    schedules = [s for t in one.tenants.values() for s in t.schedules.values()]
    layers = [la for s in schedules for la in s.layers]
    assert len(schedules) >= 12
    assert len(one.zones()) >= 8
    assert {la.frequency for la in layers} == {"hourly", "daily", "weekly", "monthly"}
    assert {la.holidays for la in layers} == {"any", "never", "only"}
    assert {o.kind for s in schedules for o in s.overrides} == {
        "only", "replace", "remove", "add",
    }  # fmt: skip
    assert {bool(w.benefactor) for s in schedules for w in s.swaps} == {True, False}
    assert any(s.temporaries for s in schedules)
    assert {i.overrides for s in schedules for i in s.imported} == {True, False}
    routes = [r for t in one.tenants.values() for r in t.routes.values()]
    assert {step.kind for route in routes for step in route.steps} == {
        "channel", "member", "oncall", "wait", "round_robin", "repeat",
    }  # fmt: skip
    assert {bool(route.ack) for route in routes} == {True, False}
    assert all(tenant.targets for tenant in one.tenants.values())
