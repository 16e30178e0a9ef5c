"""Do two dispatchers ever give the same turn twice?"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from escalation import dispatcher, runs
from escalation.models import DueStep
from notifications.models import Delivery
from tenants.rls import in_tenant
from tests.conftest import login_as
from tests.escalation.playing import Play

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
