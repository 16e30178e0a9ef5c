"""Acts on groups whose policy is at work: time-outs, restart, undo, double clicks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertcenter.alerts.models import Route
from escalation import actions
from escalation.models import DueStep, LastAct, Run, Step
from notifications.models import Delivery
from tenants.actors import Actor

pytestmark = pytest.mark.django_db


def by(play, name="vera"):
    return Actor("member", str(play.member(name).pk), name.title())


def levels(play, **more):
    return play.policy(
        {"kind": "member", "member": play.member("bob")},
        {"kind": "wait", "wait_seconds": 300},
        {"kind": "member", "member": play.member("alice")},
        **more,
    )


def on_route(play, group, policy):
    group.route = Route.objects.create(
        tenant_id=play.id, name="rest", is_default=True, policy=policy, group_by=[]
    )
    group.save()


def test_an_acknowledgement_that_lasts_too_long_pages_again(play):
    policy = levels(play, ack_timeout_seconds=600)
    group = play.begin(policy)
    on_route(play, group, policy)
    actions.acknowledge(play.id, [group.pk], actor=by(play))
    assert DueStep.objects.get(state="ack").group_id == group.pk
    play.wait(599)
    actions.repage_forgotten()
    assert len(play.told) == 1
    play.wait(1)
    actions.repage_forgotten()
    play.work()
    group.refresh_from_db()
    assert (group.state, len(play.told)) == ("firing", 2)
    assert ("unacknowledged", "ack_over") in play.lines(group)
    assert actions.repage_forgotten() == 0
    assert len(play.told) == 2


def test_what_was_resolved_meanwhile_is_not_paged_again(play):
    group = play.begin(levels(play, ack_timeout_seconds=600))
    actions.acknowledge(play.id, [group.pk], actor=by(play))
    actions.resolve(play.id, [group.pk], actor=by(play))
    play.wait(601)
    actions.repage_forgotten()
    assert not DueStep.objects.filter(state__in=["ack", "due"]).exists()
    assert len(play.told) == 1


def test_a_second_acknowledgement_lasts_its_own_time(play):
    group = play.begin(levels(play, ack_timeout_seconds=600))
    actions.acknowledge(play.id, [group.pk], actor=by(play))
    play.wait(500)
    actions.unacknowledge(play.id, [group.pk], actor=by(play))
    actions.acknowledge(play.id, [group.pk], actor=by(play))
    play.wait(500)
    actions.repage_forgotten()
    group.refresh_from_db()
    assert group.state == "acknowledged"


def test_a_restart_takes_the_present_policy(play):
    policy = levels(play)
    group = play.begin(policy)
    Step.objects.filter(policy=policy, position=1).update(member=play.member("vera"))
    on_route(play, group, policy)
    (outcome,) = actions.restart(play.id, [group.pk], actor=by(play))
    play.work()
    assert outcome.done
    assert play.told == ["bob", "vera"]
    assert sorted(play.states()) == ["active", "stopped"]
    actions.acknowledge(play.id, [group.pk], actor=by(play))
    (outcome,) = actions.restart(play.id, [group.pk], actor=by(play))
    assert (outcome.done, outcome.reason) == (False, "already")


def test_a_double_click_escalates_once(play):
    group = play.begin(levels(play))
    # The clock stands still in here: what was written seems to be written now.
    seen = play.now - timedelta(seconds=1)
    later = play.now + timedelta(seconds=1)
    first = actions.escalate_now(play.id, [group.pk], actor=by(play), as_of=later)
    play.work()
    second = actions.escalate_now(play.id, [group.pk], actor=by(play), as_of=seen)
    assert [o.reason for o in (*first, *second)] == ["done", "stale"]
    assert play.told == ["bob", "alice"]


def undone(play, group, name="vera"):
    (outcome,) = actions.undo(play.id, [group.pk], actor=by(play, name))
    group.refresh_from_db()
    return outcome.done, outcome.reason, group.state


@pytest.mark.parametrize("act", ["acknowledge", "snooze"])
def test_what_was_undone_goes_on_where_it_stood(play, act):
    group = play.begin(levels(play, ack_timeout_seconds=60))
    play.wait(100)
    page = Delivery.objects.get(kind="page")
    actions.DO[act](play.id, [group.pk], actor=by(play))
    page.refresh_from_db()
    assert (page.state, play.due_in()) == ("cancelled", [])
    assert undone(play, group) == (True, "done", "firing")
    page.refresh_from_db()
    assert (page.state, play.due_in()) == ("pending", [200])
    assert play.states() == ["active"]
    assert not DueStep.objects.filter(state="ack").exists()
    group.refresh_from_db()
    assert (group.acked_by, group.acked_at, group.snooze_until) == ("", None, None)
    assert undone(play, group)[:2] == (False, "too_late")


def test_a_withdrawal_that_was_undone_is_acknowledged_again(play):
    group = play.begin(levels(play))
    actions.acknowledge(play.id, [group.pk], actor=by(play, "bob"))
    LastAct.objects.all().delete()
    actions.unacknowledge(play.id, [group.pk], actor=by(play))
    assert undone(play, group) == (True, "done", "acknowledged")
    assert (group.acked_by, play.due_in()) == ("Bob", [])
    assert set(Run.objects.values_list("state", flat=True)) == {"stopped"}


def test_an_assignment_is_undone_and_nothing_else(play):
    group = play.begin(levels(play))
    member = play.member("bob")
    actions.assign(play.id, [group.pk], actor=by(play), member_id=member.pk)
    assert undone(play, group)[0]
    assert (group.assignee_id, play.due_in()) == (None, [300])


def test_only_who_did_it_may_undo_it_and_only_for_seconds(play):
    group = play.begin(levels(play))
    actions.acknowledge(play.id, [group.pk], actor=by(play))
    assert undone(play, group, "bob") == (False, "too_late", "acknowledged")
    LastAct.objects.update(at=play.now - timedelta(seconds=13))
    assert undone(play, group) == (False, "too_late", "acknowledged")
    LastAct.objects.update(at=play.now - timedelta(minutes=2))
    actions.repage_forgotten()
    assert not LastAct.objects.exists()
