"""What becomes of a run: conditions, repeats, remediation, hand-over, the end?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertcenter.alerts.models import Group
from escalation import actions, runs
from escalation.models import Absence, Asked, Availability, DueStep, Step
from escalation.steps.base import Situation, Supposed
from escalation.steps.books import Books
from escalation.steps.registry import kind_of
from tenants.actors import Actor

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def wait(seconds):
    return {"kind": "wait", "wait_seconds": seconds}


def bob(play):
    return {"kind": "member", "member": play.member("bob")}


def vera(play):
    return {"kind": "member", "member": play.member("vera")}


def by(play, name):
    return Actor("member", str(play.member(name).pk), name.title())


# --- conditions ---


def if_severity(otherwise):
    return {"kind": "if_severity", "severity": "error", "otherwise": otherwise}


def test_a_condition_that_holds_is_passed_without_a_word(play):
    group = play.begin(play.policy(if_severity("stop"), bob(play)), severity=4)
    assert (play.told, play.lines(group)) == (["bob"], [("paged", "")])


def test_otherwise_the_next_step_is_skipped_with_the_waits_before_it(play):
    policy = play.policy(if_severity("skip"), wait(60), bob(play), wait(30), vera(play))
    group = play.begin(policy, severity=3)
    assert play.due_in() == [30]
    play.wait(30)
    assert play.told == ["vera"]
    assert play.lines(group)[0] == ("noted", "if_skips")


def test_or_the_policy_ends(play):
    group = play.begin(play.policy(if_severity("stop"), bob(play)), severity=3)
    assert (play.told, play.states()) == ([], ["finished"])
    assert play.lines(group) == [("noted", "if_stops")]


def test_or_it_waits_and_looks_again_with_each_change_of_the_group(play):
    group = play.begin(play.policy(if_severity("wait"), bob(play)), severity=3)
    assert play.due_in() == [60]
    play.wait(60)
    assert play.told == []
    Group.objects.filter(pk=group.pk).update(severity=5)
    runs.release(play.id, [group.pk])
    play.work()
    assert play.told == ["bob"]
    assert play.lines(group) == [("noted", "if_waits"), ("paged", "")]


def test_size_and_rate_are_counted(play):
    policy = play.policy(
        {"kind": "if_size", "count": 2, "otherwise": "wait"},
        {"kind": "if_rate", "count": 1, "minutes": 5, "otherwise": "stop"},
        bob(play),
    )
    group = play.begin(policy)
    Group.objects.filter(pk=group.pk).update(firing_count=2)
    play.wait(60)
    assert (play.told, play.states()) == ([], ["finished"])


MONDAY = datetime(2026, 3, 23, tzinfo=UTC)  # Berlin's clocks change on the 29th
WINDOW = {
    "days": ["mon", "sun"],
    "begins": "22:00",
    "ends": "02:30",
    "time_zone": "Europe/Berlin",
    "otherwise": "wait",
}


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (MONDAY + 12 * HOUR, MONDAY + 21 * HOUR),
        (MONDAY + 21 * HOUR, None),
        (MONDAY + 25 * HOUR, None),  # after midnight of Monday's window
        (MONDAY + 26 * HOUR, MONDAY + timedelta(days=6) + 20 * HOUR),  # summer time
        (MONDAY + timedelta(days=6, hours=20), None),
    ],
)
def test_a_window_of_the_week_opens_by_the_clock_of_its_zone(play, at, opens):
    plan = {"kind": "if_time", "params": WINDOW}
    found = kind_of("if_time").resolve(
        Situation(Books(play.id, dry=True), plan, Supposed(5), at)
    )
    then = found.then
    assert getattr(then, "moment", None) == opens


def test_business_hours_leave_out_absences_and_holidays(play):
    member = play.member("bob")
    Availability.objects.create(
        tenant_id=play.id,
        member=member,
        hours=[{"days": ["mon", "tue", "wed"], "begins": "09:00", "ends": "17:00"}],
        holiday_country="DE",
        holiday_subdivision="BY",
    )
    monday = datetime(2026, 1, 5, tzinfo=UTC)  # the 6th is a holiday in Bavaria
    Absence.objects.create(
        tenant_id=play.id,
        member=member,
        starts_at=monday + 9 * HOUR,
        ends_at=monday + 12 * HOUR,
    )
    plan = {
        "kind": "if_hours",
        "params": {"member": str(member.pk), "otherwise": "wait"},
    }

    def opens(at):
        situation = Situation(Books(play.id, dry=True), plan, Supposed(5), at)
        return getattr(kind_of("if_hours").resolve(situation).then, "moment", None)

    assert opens(monday + 8 * HOUR) == monday + 12 * HOUR
    assert opens(monday + 13 * HOUR) is None
    assert opens(monday + 18 * HOUR) == monday + timedelta(days=2) + 9 * HOUR


def test_a_person_who_escalates_passes_a_condition_that_waits(play):
    group = play.begin(play.policy(if_severity("wait"), bob(play)), severity=3)
    actions.escalate_now(play.id, [group.pk], actor=by(play, "vera"))
    play.work()
    assert play.told == ["bob"]


def test_what_another_version_makes_due_too_early_is_put_back(play):
    play.begin(play.policy(if_severity("wait"), bob(play)), severity=3)
    DueStep.objects.filter(state="due").update(due_at=play.now)  # held is unknown to it
    play.work()
    assert play.due_in() == [60]
    assert DueStep.objects.get(state="due").turn == 1


# --- the course ---


def test_a_repeat_begins_again_so_many_times_and_no_sooner_than_its_waits(play):
    policy = play.policy(bob(play), wait(300), {"kind": "repeat", "times": 2})
    play.begin(policy)
    assert play.due_in() == [300]
    play.wait(300)
    assert (play.told, play.due_in()) == (["bob"] * 2, [300])
    play.wait(300)
    play.wait(300)
    assert (play.told, play.states()) == (["bob"] * 3, ["finished"])


def test_a_round_without_waits_takes_a_minute(play):
    play.begin(play.policy(bob(play), {"kind": "repeat", "times": 10}))
    assert (play.told, play.due_in()) == (["bob"], [60])
    for _ in range(10):
        play.wait(60)
    assert (len(play.told), play.states()) == (11, ["finished"])


def test_another_policy_takes_over_and_a_circle_ends(play):
    first = play.policy(bob(play), name="A")
    second = play.policy(
        vera(play), {"kind": "hand_over", "policy": str(first.pk)}, name="B"
    )
    play.begin(second)
    assert (play.told, play.states()) == (["vera", "bob"], ["finished"] * 2)
    Step.objects.create(
        tenant_id=play.id,
        policy=first,
        position=2,
        kind="hand_over",
        params={"policy": str(second.pk)},
    )
    group = play.begin(first)
    assert len(play.told) == 2 + 6
    assert set(play.states()) == {"finished"}
    assert play.lines(group)[-1] == ("noted", "handed_over")


def test_where_the_other_policy_is_gone_this_one_goes_on(play):
    other = play.policy(vera(play), name="B")
    mine = play.policy({"kind": "hand_over", "policy": str(other.pk)}, bob(play))
    other.delete()
    group = play.begin(mine)
    assert play.told == ["bob"]
    assert play.lines(group)[0] == ("noted", "policy_gone")


def test_the_severity_is_raised_and_stays_so(play):
    policy = play.policy({"kind": "raise", "severity": "critical"}, bob(play))
    group = play.begin(policy, severity=3)
    group.refresh_from_db()
    assert (group.severity, group.raised_to, group.priority) == (5, 5, 2)
    assert play.lines(group) == [("repeated_severity", "raised"), ("paged", "")]
    again = play.begin(policy, severity=5)
    assert play.lines(again) == [("paged", "")]


def test_a_group_is_resolved_by_its_policy(play):
    group = play.begin(play.policy(bob(play), wait(60), {"kind": "resolve"}))
    play.wait(60)
    group.refresh_from_db()
    assert group.state == "resolved"
    assert play.lines(group)[-1] == ("resolved", "policy")
    assert play.states() == ["finished"]


def repair(play):
    hook = play.channel("fixer", "webhook")
    return {"kind": "repair", "channel": hook, "settle_seconds": 120}


def test_a_remediation_is_given_its_time_and_then_a_person_is_told(play):
    play.begin(play.policy(repair(play), bob(play)))
    assert (play.told, play.due_in()) == (["#fixer"], [120])
    play.wait(119)
    assert play.told == ["#fixer"]
    play.wait(1)
    assert play.told == ["#fixer", "bob"]


def test_nobody_is_told_where_it_helped(play):
    group = play.begin(play.policy(repair(play), bob(play)))
    actions.resolve(play.id, [group.pk], actor=by(play, "vera"))
    play.wait(120)
    assert play.told == ["#fixer"]


# --- everyone ---


def everyone(play, times=3):
    return {
        "kind": "everyone",
        "members": play.ids("bob", "vera"),
        "again_seconds": 60,
        "times": times,
    }


def test_the_last_of_all_acknowledges_the_group(play):
    group = play.begin(play.policy(everyone(play), wait(60), repair(play)))
    assert play.told == ["bob", "vera"]
    (first,) = actions.acknowledge(play.id, [group.pk], actor=by(play, "bob"))
    assert (first.done, first.reason, first.state) == (True, "others", "firing")
    play.wait(60)
    assert play.told == ["bob", "vera", "vera"]
    (last,) = actions.acknowledge(play.id, [group.pk], actor=by(play, "vera"))
    assert (last.done, last.reason, last.state) == (True, "done", "acknowledged")
    play.wait(600)
    assert len(play.told) == 3
    assert play.lines(group)[1] == ("noted", "acknowledged_one")


def test_who_was_not_asked_cannot_acknowledge_for_the_others(play):
    group = play.begin(play.policy(everyone(play)))
    (outcome,) = actions.acknowledge(play.id, [group.pk], actor=by(play, "alice"))
    assert (outcome.done, outcome.reason) == (False, "others")
    (twice,) = actions.acknowledge(play.id, [group.pk], actor=by(play, "bob"))
    (twice,) = actions.acknowledge(play.id, [group.pk], actor=by(play, "bob"))
    assert (twice.done, twice.reason) == (False, "others")
    assert Asked.objects.filter(acked_at=None).count() == 1


def test_after_so_many_times_the_policy_goes_on(play):
    play.begin(play.policy(everyone(play, times=2), {"kind": "resolve"}))
    play.wait(60)
    assert len(play.told) == 4
    play.wait(60)
    assert (len(play.told), play.states()) == (4, ["finished"])


# --- whatever the policy, a run ends, and no step comes before its time ---

SIMPLE = st.sampled_from(
    [
        {"kind": "if_severity", "severity": 4, "otherwise": "skip"},
        {"kind": "if_severity", "severity": 4, "otherwise": "stop"},
        {"kind": "if_severity", "severity": 2, "otherwise": "wait"},
        {"kind": "raise", "severity": 4},
        {"kind": "raise", "severity": 5},
        {"kind": "skilled", "label": "tech"},
        {"kind": "channel"},
        {"kind": "member"},
        {"kind": "round_robin"},
        {"kind": "everyone"},
        {"kind": "repair"},
        {"kind": "repeat", "times": 1},
        {"kind": "repeat", "times": 3},
        {"kind": "wait", "wait_seconds": 7},
        {"kind": "wait", "wait_seconds": 90},
        {"kind": "resolve"},
    ]
)
FULL = {
    "channel": lambda play: {"channel": play.channel()},
    "member": lambda play: {"member": play.member("bob")},
    "round_robin": lambda play: {"members": play.ids("bob", "vera")},
    "everyone": lambda play: {
        "members": play.ids("bob"),
        "again_seconds": 60,
        "times": 2,
    },
    "repair": lambda play: {
        "channel": play.channel("fixer", "webhook"),
        "settle_seconds": 45,
    },
}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(SIMPLE, min_size=1, max_size=6), st.integers(1, 5))
def test_every_run_ends_and_no_step_comes_early(play, chosen, severity):
    steps = [one | FULL.get(one["kind"], lambda _: {})(play) for one in chosen]
    name = f"p{play.numbers}"
    group = play.begin(play.policy(*steps, name=name), severity=severity)
    for _ in range(200):
        coming = [s for s in play.due_in() if s > 0]
        if not coming:
            break
        if min(coming) > 1:
            assert play.wait(min(coming) - 1) == 0, "a step came early"
            play.wait(1)
        else:
            play.wait(min(coming))
    rounds = DueStep.objects.filter(group_id=group.pk).values_list("round", flat=True)
    assert max(rounds, default=1) <= 1 + max(
        (s["times"] for s in steps if s["kind"] == "repeat"), default=0
    )
    assert play.due_in() == []
    assert set(play.states()) <= {"finished", "stopped"}
