"""Do two dispatchers ever give the same turn twice?"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from alertcenter.engine import all_tenants_do
from escalation import actions, dispatcher, runs
from escalation.models import Asked, DueStep
from notifications.models import Delivery
from tenants.actors import Actor
from tenants.rls import in_tenant
from tests.conftest import login_as
from tests.escalation.playing import PASS, Play

pytestmark = pytest.mark.django_db(transaction=True)
GROUPS, TOGETHER = 24, 3


def test_dispatchers_side_by_side_give_each_turn_once(acme):
    play = Play(acme)
    with in_tenant(acme.id):
        people = play.ids("alice", "bob", "vera")
        policy = play.policy({"kind": "round_robin", "members": people})
        starts = [runs.Start(play.group(), policy.pk) for _ in range(GROUPS)]
        runs.start(acme.id, starts)
    barrier = Barrier(TOGETHER)

    def dispatch(_number: int) -> int:
        try:
            barrier.wait(30)
            done = 0
            while claimed := dispatcher.do_due_steps(2):
                done += claimed
            return done
        finally:
            connection.close()

    connection.close()
    with login_as("engine"), ThreadPoolExecutor(TOGETHER) as pool:
        done = sum(pool.map(dispatch, range(TOGETHER)))
        while claimed := dispatcher.do_due_steps():  # what others held meanwhile
            done += claimed
    assert done == GROUPS
    with in_tenant(acme.id):
        assert not DueStep.objects.exclude(state="done").exists()
        told = Delivery.objects.filter(kind="page").values_list("member_id", flat=True)
        turns = Counter(str(pk) for pk in told)
    assert turns == dict.fromkeys(people, GROUPS // len(people))


def test_the_engines_login_may_do_all_that_steps_ask_for(acme):
    play = Play(acme)
    with in_tenant(acme.id):
        bob = {"kind": "member", "member": play.member("bob")}
        last = play.policy({"kind": "resolve"}, name="Last")
        policy = play.policy(
            {"kind": "raise", "severity": 5},
            {"kind": "if_time", "begins": "00:00", "ends": "00:00"},
            {"kind": "least_loaded", "members": play.ids("bob", "vera")},
            bob,
            {"kind": "everyone", "members": play.ids("vera"), "times": 1},
            {"kind": "hand_over", "policy": str(last.pk)},
            ack_timeout_seconds=60,
        )
        first, second = play.group(3), play.group(3)
        runs.start(acme.id, [runs.Start(one, policy.pk) for one in (first, second)])

    def engine() -> None:
        connection.close()
        with login_as("engine"):
            while dispatcher.do_due_steps():
                pass
            all_tenants_do(lambda _: actions.repage_forgotten())()

    def later(seconds: int) -> None:
        with in_tenant(acme.id), connection.cursor() as cursor:
            cursor.execute(PASS, {"s": seconds})

    engine()
    vera = Actor("member", str(acme.members["vera"].pk), "Vera")
    with in_tenant(acme.id):
        (outcome,) = actions.acknowledge(acme.id, [second.pk], actor=vera)
    assert outcome.state == "acknowledged"
    later(300)
    engine()
    with in_tenant(acme.id):
        first.refresh_from_db()
        second.refresh_from_db()
        assert Asked.objects.exclude(acked_at=None).count() == 1
    assert (first.state, first.severity) == ("resolved", 5)
    assert second.state == "firing", "its acknowledgement has ended"
