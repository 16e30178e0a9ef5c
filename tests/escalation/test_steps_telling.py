"""Whom do the kinds of steps tell?"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from alertcenter.alerts import lifecycle
from escalation import actions, oncall, runs
from escalation.models import (
    Availability,
    Override,
    Run,
    Step,
    StepTurn,
    Team,
    TeamMember,
)
from tenants.actors import Actor
from tenants.models import Member

pytestmark = pytest.mark.django_db


def wait(seconds):
    return {"kind": "wait", "wait_seconds": seconds}


def test_several_members_are_told_at_once(play):
    play.begin(play.policy({"kind": "members", "members": play.ids("bob", "vera")}))
    assert play.told == ["bob", "vera"]
    assert play.states() == ["finished"]


def test_a_round_robin_gives_each_group_the_next_of_the_list(play):
    names = ("bob", "vera", "alice")
    policy = play.policy({"kind": "round_robin", "members": play.ids(*names)})
    for _ in range(4):
        play.begin(policy)
    assert play.told == ["bob", "vera", "alice", "bob"]


def test_groups_of_one_batch_get_different_turns(play):
    policy = play.policy({"kind": "round_robin", "members": play.ids("bob", "vera")})
    runs.start(play.id, [runs.Start(play.group(), policy.pk) for _ in range(4)])
    play.work()
    assert play.told == ["bob", "vera", "bob", "vera"]


def test_who_is_switched_off_is_passed_over_and_the_others_keep_their_turns(play):
    names = ("bob", "vera", "alice")
    policy = play.policy({"kind": "round_robin", "members": play.ids(*names)})
    play.begin(policy)
    Member.objects.filter(pk=play.member("vera").pk).update(active=False)
    play.begin(policy)
    play.begin(policy)
    assert play.told == ["bob", "alice", "bob"]


def test_a_list_that_was_edited_goes_on_after_who_was_last(play):
    policy = play.policy({"kind": "round_robin", "members": play.ids("bob", "vera")})
    play.begin(policy)
    step = Step.objects.get(policy=policy)
    step.params = {"members": play.ids("alice", "bob", "carl")}
    step.save()
    play.begin(policy)
    assert play.told == ["bob", "carl"]
    assert StepTurn.objects.get().member_id == play.member("carl").pk


def test_the_least_loaded_has_the_fewest_open_groups_then_the_fewest_pages(play):
    list_ = play.ids("bob", "vera", "alice")
    policy = play.policy({"kind": "least_loaded", "members": list_})
    busy = play.group()
    lifecycle.change_groups(
        [lifecycle.GroupChange(play.id, busy.pk, {"assignee_id": list_[0]})]
    )
    play.begin(policy)
    play.begin(policy)
    assert play.told == ["vera", "alice"]
    play.begin(policy)  # each has had one page; by the list it is Vera's turn
    assert play.told[2] == "vera"


def test_who_acknowledged_a_group_carries_it(play):
    first = play.ids("bob", "vera")[0]
    policy = play.policy({"kind": "least_loaded", "members": play.ids("bob", "vera")})
    for _ in range(3):  # more pages weigh less than one open group
        play.begin(
            play.policy({"kind": "member", "member": play.member("vera")}, name=f"x{_}")
        )
    actions.acknowledge(play.id, [play.group().pk], actor=Actor("member", first, "Bob"))
    play.begin(policy)
    assert play.told[-1] == "vera"


def test_those_are_told_who_can_what_the_label_asks_for(play):
    for name, skills in (("bob", ["Postgres"]), ("vera", ["redis", "kafka"])):
        Availability.objects.create(
            tenant_id=play.id, member=play.member(name), skills=skills
        )
    policy = play.policy(
        {"kind": "skilled", "label": "tech"},
        wait(600),
        {"kind": "member", "member": play.member("alice")},
    )
    play.begin(policy, tech="postgres")
    assert play.told == ["bob"]
    play.begin(policy, tech="kafka, postgres")
    assert play.told == ["bob", "bob", "vera"]


def test_where_nobody_can_the_next_step_comes_at_once(play):
    policy = play.policy(
        {"kind": "skilled", "label": "tech"},
        wait(600),
        {"kind": "member", "member": play.member("alice")},
    )
    group = play.begin(policy, tech="cobol")
    assert play.told == ["alice"]
    assert play.lines(group) == [("noted", "nobody"), ("paged", "")]


def test_a_team_is_told_in_its_order(play):
    team = Team.objects.create(tenant_id=play.id, name="DBA")
    for position, name in enumerate(("vera", "bob"), 1):
        TeamMember.objects.create(
            tenant_id=play.id, team=team, member=play.member(name), position=position
        )
    play.begin(play.policy({"kind": "team", "team": str(team.pk)}))
    assert play.told == ["vera", "bob"]
    play.begin(
        play.policy({"kind": "least_loaded", "team": str(team.pk)}, name="least")
    )
    assert play.told[2:] == ["vera"]


@pytest.fixture
def order(play):
    play.ids("alice", "bob")
    people = [play.member("alice"), play.member("bob")]
    begin = (play.now - timedelta(days=1)).date()
    return oncall.make(play.id, "Ops", people, starts_on=begin)


def test_who_is_on_call_and_who_is_next(play, order):
    play.begin(
        play.policy(
            {"kind": "oncall", "schedule": order},
            {"kind": "oncall_next", "schedule": order},
        )
    )
    assert play.told == ["alice", "bob"]


def test_with_nobody_on_call_the_next_step_comes_at_once(play):
    empty = oncall.make(play.id, "Nobody", [], starts_on=date(2026, 1, 1))
    policy = play.policy(
        {"kind": "oncall", "schedule": empty},
        wait(900),
        {"kind": "member", "member": play.member("bob")},
    )
    group = play.begin(policy)
    assert play.told == ["bob"]
    assert play.lines(group)[0] == ("noted", "nobody_on_call")


def test_or_it_waits_until_somebody_is(play, order):
    member = play.member("alice")
    policy = play.policy({"kind": "oncall", "schedule": order, "nobody": "wait"})
    Override.objects.create(
        tenant_id=play.id,
        schedule=order,
        kind="remove",
        instead=member,
        starts_at=play.now - timedelta(hours=1),
        ends_at=play.now + timedelta(minutes=5),
    )
    group = play.begin(policy)
    assert play.told == []
    assert play.due_in() == [300]
    play.wait(299)
    assert play.told == []
    Override.objects.all().delete()  # the clock stands still: now she is on call
    play.wait(1)
    assert play.told == ["alice"]
    assert play.lines(group) == [("noted", "nobody_on_call"), ("paged", "")]


def test_a_snapshot_of_a_former_version_goes_on_as_it_did(play, order):
    """It has neither params nor names, and waits although nobody was told."""
    policy = play.policy({"kind": "oncall", "schedule": order})
    group = play.begin(policy)
    run = Run.objects.get(group=group)
    ops = str(play.channel().pk)
    run.snapshot = {
        "policy": str(policy.pk),
        "name": "P",
        "steps": [
            {
                "kind": "channel",
                "target": ops,
                "who": "#ops",
                "wait": 0,
            },
            {"kind": "wait", "target": None, "who": "", "wait": 60},
            {"kind": "member", "target": str(order.pk), "who": "Gone", "wait": 0},
            {"kind": "wait", "target": None, "who": "", "wait": 60},
            {"kind": "oncall", "target": str(order.pk), "who": "Ops", "wait": 0},
        ],
    }
    run.state, run.ended_at = "active", None
    run.save()
    runs.add_due_steps(play.id, [(run.pk, group.pk, 0, 2, 0.0)])
    play.work()
    assert play.told == ["alice", "#ops"]
    play.wait(60)
    assert play.lines(group)[-1] == ("noted", "no_address")
    assert play.due_in() == [60]
    play.wait(60)
    assert play.told == ["alice", "#ops", "alice"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "members"}, "members"),
        ({"kind": "members", "members": ["x"]}, "members"),
        ({"kind": "team"}, "team"),
        ({"kind": "least_loaded"}, "members"),
        ({"kind": "if_time", "begins": "25:00"}, "begins"),
        ({"kind": "if_time", "days": []}, None),
        ({"kind": "if_time", "days": ["mo"]}, "days"),
        ({"kind": "if_time", "time_zone": "Mars/Base"}, "time_zone"),
        ({"kind": "if_severity", "severity": 9}, "severity"),
        ({"kind": "if_size", "count": 0}, "count"),
        ({"kind": "repeat", "times": 11}, "times"),
        ({"kind": "wait"}, "wait_seconds"),
        ({"kind": "wait", "wait_seconds": 31 * 86_400}, "wait_seconds"),
        ({"kind": "resolve", "colour": "red"}, "colour"),
        ({"kind": "repair", "hook": "reboot"}, "hook"),
        ({"kind": "oncall", "nobody": "pray"}, "nobody"),
        ({"kind": "dance"}, "kind"),
    ],
)
def test_what_a_kind_needs_is_asked_for_by_name(play, given, field):
    if field is None:
        play.policy(given)
        return
    with pytest.raises(ValidationError) as caught:
        play.policy(given)
    assert field in caught.value.message_dict
