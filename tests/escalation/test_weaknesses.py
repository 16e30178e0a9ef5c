"""Which policies may end in nobody?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation import oncall, runs
from escalation.models import Override, Policy, Team
from escalation.weaknesses import of_policies
from notifications.models import Contact
from tenants.models import Member

pytestmark = pytest.mark.django_db


def codes(play, *steps, name="P"):
    policy = play.policy(*steps, name=name)
    ids = Policy.objects.values_list("pk", flat=True)
    found = of_policies(play.id, runs.snapshots(play.id, ids), play.now)
    return [(weak.step, weak.code) for weak in found[policy.pk]]


def bob(play):
    return {"kind": "member", "member": play.member("bob")}


def severe(otherwise):
    return {"kind": "if_severity", "severity": 5, "otherwise": otherwise}


def test_one_certain_step_is_enough(play):
    assert codes(play, severe("skip"), {"kind": "resolve"}, bob(play)) == []
    assert codes(play, {"kind": "skilled", "label": "x"}, bob(play), name="Q") == []


def test_a_policy_of_which_no_step_tells_anybody(play):
    assert codes(play, {"kind": "wait", "wait_seconds": 60}) == [(0, "no_step")]
    assert codes(play, {"kind": "resolve"}, bob(play), name="Q") == [(0, "no_step")]


@pytest.mark.parametrize("otherwise", ["skip", "stop", "wait"])
def test_a_step_behind_a_condition_is_not_certain(play, otherwise):
    assert codes(play, severe(otherwise), bob(play)) == [(2, "condition")]


def test_what_waits_for_an_hour_comes(play):
    assert codes(play, {"kind": "if_time", "otherwise": "wait"}, bob(play)) == []


def test_who_and_what_is_gone(play):
    channel = play.channel()
    channel.active = False
    channel.save()
    assert codes(play, {"kind": "channel", "channel": channel}) == [(1, "channel_gone")]
    Contact.objects.all().delete()
    bob_ = play.member("bob")
    Contact.objects.all().delete()
    bob_.user.email = ""
    bob_.user.save()
    step = {"kind": "member", "member": bob_}
    assert codes(play, step, name="Q") == [(1, "no_address")]
    Member.objects.filter(pk=bob_.pk).update(active=False)
    assert codes(play, step, name="R") == [(1, "nobody")]
    team = Team.objects.create(tenant_id=play.id, name="Empty")
    step = {"kind": "team", "team": str(team.pk)}
    assert codes(play, step, name="S") == [(1, "nobody")]


def test_schedules_with_gaps_and_without_anybody(play):
    start = (play.now - timedelta(days=1)).date()
    order = oncall.make(play.id, "Ops", [play.member("bob")], starts_on=start)
    step = {"kind": "oncall", "schedule": order}
    assert codes(play, step) == []
    Override.objects.create(
        tenant_id=play.id,
        schedule=order,
        kind="remove",
        instead=play.member("bob"),
        starts_at=play.now + timedelta(days=3),
        ends_at=play.now + timedelta(days=3, hours=1),
    )
    assert codes(play, step, name="Q") == [(1, "gap")]
    assert codes(play, step | {"nobody": "wait"}, name="R") == []
    empty = oncall.make(play.id, "Nobody", [], starts_on=start)
    never = {"kind": "oncall", "schedule": empty, "nobody": "wait"}
    assert codes(play, never, name="S") == [(1, "never")]


def test_another_policy_is_judged_with_it_and_a_circle_is_seen(play):
    last = play.policy(bob(play), name="Last")
    step = {"kind": "hand_over", "policy": str(last.pk)}
    assert codes(play, step) == []
    own = play.policy({"kind": "wait", "wait_seconds": 60}, name="Own")
    own.steps.update(kind="hand_over", params={"policy": str(own.pk)})
    found = of_policies(play.id, runs.snapshots(play.id, [own.pk]), play.now)
    assert [weak.code for weak in found[own.pk]] == ["circle"]


def test_whoever_is_on_call_ahead_needs_an_address(play):
    people = [play.member("bob"), play.member("carol")]
    start = (play.now - timedelta(days=1)).date()
    order = oncall.make(play.id, "Ops", people, starts_on=start)
    step = {"kind": "oncall", "schedule": order}
    assert codes(play, step) == []
    carol = people[1]
    Contact.objects.filter(member=carol).delete()
    carol.user.email = ""
    carol.user.save()
    assert codes(play, step, name="Q") == [(1, "no_address")]
    step["kind"] = "oncall_next"
    assert codes(play, step, name="R") == [(1, "no_address")]


def test_a_policy_is_judged_with_those_it_hands_over_to_alone(play):
    last = play.policy(bob(play), name="Last")
    first = play.policy({"kind": "hand_over", "policy": str(last.pk)}, name="First")
    found = of_policies(play.id, runs.snapshots(play.id, [first.pk]), play.now)
    assert found == {first.pk: []}
