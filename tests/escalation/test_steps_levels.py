"""What do service levels do to a policy at work?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from alertcenter.dashboard.queries import group_rows
from escalation import actions, sla
from escalation.explain import planned
from escalation.models import SlaTarget
from escalation.steps.base import Supposed
from tenants.actors import Actor

pytestmark = pytest.mark.django_db


def slow(play, name="P"):
    return play.policy(
        {"kind": "member", "member": play.member("bob")},
        {"kind": "wait", "wait_seconds": 3600},
        {"kind": "member", "member": play.member("alice")},
        {"kind": "wait", "wait_seconds": 3600},
        {"kind": "member", "member": play.member("vera")},
        name=name,
    )


def target(play, acknowledge=None, resolve=None, severity=5):
    SlaTarget.objects.create(
        tenant_id=play.id,
        severity=severity,
        acknowledge_seconds=acknowledge,
        resolve_seconds=resolve,
    )


def test_a_step_that_would_come_too_late_comes_while_the_target_can_be_met(play):
    target(play, acknowledge=1000)
    play.begin(slow(play))
    assert play.due_in() == [800]
    play.begin(slow(play, "other"), severity=4)
    assert play.due_in() == [800, 3600]


def test_a_step_that_comes_in_time_stays_where_it_is(play):
    target(play, acknowledge=3600, resolve=7200)
    play.begin(slow(play))
    assert play.due_in() == [3600]


def test_past_the_mark_nothing_more_is_pulled(play):
    target(play, acknowledge=100)
    group = play.begin(slow(play))
    group.opened_at = play.now - timedelta(seconds=80)  # as if so much time had passed
    group.save()
    play.wait(80)
    assert (play.told, play.due_in()) == (["bob", "alice"], [3600])


def test_the_plan_knows_it(play):
    target(play, acknowledge=1000, resolve=4200)
    policy = slow(play)
    found = planned.course(play.id, policy.pk, play.now, Supposed(5))
    assert found is not None
    after = [(e.at - play.now).total_seconds() for e in found.events]
    assert after == [0, 800, 3360]


def test_the_countdown_is_to_the_acknowledgement_then_to_the_end(play):
    target(play, acknowledge=600, resolve=7200)
    group = play.begin(slow(play))
    (row,) = group_rows(play.id, [group.pk])
    assert (row["sla"], row["sla_at"]) == (
        "acknowledge",
        (group.opened_at + timedelta(seconds=600)).isoformat(),
    )
    actions.acknowledge(play.id, [group.pk], actor=Actor("member", "1", "Bob"))
    (row,) = group_rows(play.id, [group.pk])
    assert row["sla"] == "resolve"
    actions.resolve(play.id, [group.pk], actor=Actor("member", "1", "Bob"))
    (row,) = group_rows(play.id, [group.pk])
    assert row["sla_at"] is None


def test_what_the_statement_and_the_plan_reckon_is_the_same(play):
    opened = play.now
    one = sla.Target(100, 1000)
    for due in (50, 100, 101, 999, 1001, 5000):
        expected = 80 if due > 100 else due
        moment = opened + timedelta(seconds=due)
        assert sla.pulled(one, opened, opened, moment) == opened + timedelta(
            seconds=expected
        )
