"""What is said of every kind of step: ahead, while it runs, and afterwards?"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from alertcenter.alerts import routing
from alertcenter.alerts.models import Route
from escalation import oncall, runs
from escalation.explain import planned, stored, words
from escalation.explain.sentences import SENTENCES
from escalation.models import Team, TeamMember
from escalation.steps import registry
from escalation.steps.base import Supposed

pytestmark = pytest.mark.django_db
UTC = ZoneInfo("UTC")


def one_of_each(play):
    """One step of every kind, so that all but the waiting are passed."""
    play.ids("alice", "bob", "vera")
    order = oncall.make(
        play.id,
        "Ops",
        [play.member("alice"), play.member("bob")],
        starts_on=(play.now - timedelta(days=1)).date(),
    )
    team = Team.objects.create(tenant_id=play.id, name="DBA")
    TeamMember.objects.create(tenant_id=play.id, team=team, member=play.member("vera"))
    other = play.policy({"kind": "member", "member": play.member("vera")}, name="Last")
    people = play.ids("bob", "vera")
    return [
        {"kind": "raise", "severity": 5},
        {"kind": "if_severity", "severity": 5, "otherwise": "stop"},
        {"kind": "if_size", "count": 1},
        {"kind": "if_rate", "count": 5, "otherwise": "skip"},
        {"kind": "webhook", "channel": play.channel("tool", "webhook")},
        {"kind": "if_time", "begins": "00:00", "ends": "00:00"},
        {"kind": "if_hours", "member": play.member("bob")},
        {"kind": "channel", "channel": play.channel()},
        {"kind": "member", "member": play.member("bob")},
        {"kind": "members", "members": people},
        {"kind": "round_robin", "members": people},
        {"kind": "least_loaded", "members": people},
        {"kind": "skilled", "label": "tech"},
        {"kind": "team", "team": str(team.pk)},
        {"kind": "oncall", "schedule": order, "nobody": "wait"},
        {"kind": "oncall_next", "schedule": order},
        {"kind": "wait", "wait_seconds": 300},
        {
            "kind": "repair",
            "channel": play.channel("fixer", "webhook"),
            "settle_seconds": 60,
        },
        {"kind": "everyone", "members": people, "again_seconds": 120, "times": 2},
        {"kind": "repeat", "times": 1},
        {"kind": "hand_over", "policy": str(other.pk)},
        {"kind": "resolve"},
    ]


def test_the_plan_names_who_is_told_and_what_else_is_done_at_which_minute(play):
    steps = one_of_each(play)
    assert {step["kind"] for step in steps} == set(registry.kinds())
    policy = play.policy(*steps)
    begin = play.now
    found = planned.course(play.id, policy.pk, begin, Supposed(3, {"tech": "x"}))
    assert found is not None
    assert found.ends == "end"
    assert found.events[-1].policy == "Last"
    minutes = {
        (e.plan["kind"], e.round): round((e.at - begin).total_seconds() / 60)
        for e in found.events
        if e.turn == 0
    }
    assert minutes["oncall_next", 1] == 0
    assert minutes["repair", 1] == 5
    assert minutes["everyone", 1] == 6
    assert minutes["repeat", 1] == 10
    assert minutes["raise", 2] == 10
    assert found.tells


def test_every_step_reads_as_a_sentence(play):
    policy = play.policy(*one_of_each(play))
    snapshot = runs.snapshots(play.id, [policy.pk])[policy.pk]
    said = [registry.words(plan) for plan in snapshot["steps"]]
    assert all(text.endswith(".") and "?" not in text for text in said), said
    assert "Notify the next of Bob, Vera." in said
    assert "Hand over to policy Last." in said


def explained(play, *steps, severity=5, **labels):
    group = play.begin(play.policy(*steps), severity=severity, **labels)
    trace = stored.of_group(group)
    return [words.say(line, UTC) for line in trace.of("policy")], trace


@pytest.mark.parametrize(
    ("otherwise", "says"),
    [("skip", "the next was skipped"), ("stop", "the policy ended"), ("wait", "waits")],
)
def test_a_condition_that_did_not_hold_is_explained(play, otherwise, says):
    lines, trace = explained(
        play,
        {"kind": "if_severity", "severity": 5, "otherwise": otherwise},
        {"kind": "member", "member": play.member("bob")},
        severity=3,
    )
    assert any(says in line for line in lines), lines
    assert words.say(trace.conclusion, UTC)


def test_who_was_told_by_a_round_robin_is_named_and_not_the_list(play):
    people = play.ids("bob", "vera")
    lines, _trace = explained(play, {"kind": "round_robin", "members": people})
    assert any("told Bob at" in line for line in lines), lines


def test_a_list_of_which_nobody_is_left_is_said(play):
    lines, trace = explained(play, {"kind": "skilled", "label": "tech"})
    assert any("told nobody" in line for line in lines), lines
    assert trace.conclusion.verdict == "no"


def test_all_that_is_planned_has_a_sentence():
    codes = [*planned.NOBODY.values(), *planned.INSTEAD.values(), "would_repeat"]
    assert set(codes) <= set(SENTENCES)


def test_a_route_tells_the_course_of_its_policy(play):
    policy = play.policy(*one_of_each(play))
    Route.objects.create(
        tenant_id=play.id, name="rest", is_default=True, policy=policy, group_by=[]
    )
    (route,) = routing.walk(routing.load(play.id))
    lines = planned.of_route(play.id, route, play.now, 3, {"tech": "x"})
    said = [words.say(line, UTC) for line in lines]
    assert len(said) == planned.MOST_STEPS
    assert any("would raise" in s or "Raise the severity" in s for s in said), said
    assert not any("%(" in s or "would_" in s for s in said)
