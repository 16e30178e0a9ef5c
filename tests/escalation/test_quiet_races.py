"""What two transactions do to each other: nothing is lost, nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts import quiet
from alertcenter.common import failpoints
from escalation import actions, flushes
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.conftest import login_as
from tests.escalation.scene import Scene
from tests.escalation.test_quiet import (
    BOB,
    calls,
    engine,
    inhibit,
    lift,
    marks,
    over,
    silence,
    tick,
)
from tests.escalation.test_quiet import told as told  # a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(act: Callable[[], object]) -> None:
    """Do it on another connection, to its end."""

    def work() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def at_point(
    monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]
) -> None:
    """Do it once, elsewhere, when the engine passes this point."""
    waiting = [act]

    def hit(passed: str) -> None:
        if passed == name and waiting:
            elsewhere(waiting.pop())

    monkeypatch.setattr(failpoints, "hit", hit)


def test_who_leaves_while_a_flush_is_on_its_way_is_told_by_the_next(
    scene: Scene, told, send, monkeypatch
):
    send.prometheus(scene.id, fire(0, instance="1"))
    engine()
    send.prometheus(scene.id, fire(0, instance="2"))
    engine()
    with in_tenant(scene.id), connection.cursor() as cursor:
        cursor.execute("UPDATE flush SET due_at = now() - interval '1 second'")
    send.prometheus(scene.id, over(5, instance="1"), over(5, instance="2"))
    at_point(monkeypatch, "flow.after_take", flushes.do_due)
    connection.close()
    with login_as("engine"):
        flow.process_feed()
    tick(scene)
    assert [call["notification_reason"] for call in calls(scene)] == [
        "first",
        "new_alerts",
        "all_resolved",
    ]
    assert [alert["status"] for alert in calls(scene)[-1]["alerts"]] == ["resolved"] * 2


def test_an_acknowledgement_and_the_flow_do_not_wait_for_each_other(
    scene: Scene, send, monkeypatch
):
    """The flow has a held step to release, and its group to bring up to date."""
    row = silence(scene, 'alertname="DiskFull"')
    send.prometheus(scene.id, fire(0, instance="1"))
    engine()
    lift(scene, row)
    send.prometheus(scene.id, fire(0, instance="2"))
    usual, problems = flow.follow_safely, []

    def acknowledge() -> None:
        try:
            with in_tenant(scene.id):
                actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
        except Exception as problem:  # noqa: BLE001 - a thread tells by a list
            problems.append(problem)
        finally:
            connection.close()

    person = threading.Thread(target=acknowledge)

    def slow(*given):
        person.start()
        person.join(0.5)
        return usual(*given)

    monkeypatch.setattr(flow, "follow_safely", slow)
    connection.close()
    with login_as("engine"):
        flow.process_feed()
        person.join(10)
    assert problems == []
    assert scene.group().state == "acknowledged"
    assert scene.deliveries() == []


def test_an_act_on_several_groups_waits_for_the_flow_that_quiets_one_of_them(
    scene: Scene, send, monkeypatch
):
    inhibit(scene)
    send.prometheus(scene.id, fire(0, severity="warning", cluster="a"))
    engine()
    low = scene.group().pk
    worse = fire(0, severity="critical", cluster="b")
    worse["labels"]["alertname"] = "Down"
    send.prometheus(scene.id, worse)
    engine()
    high = scene.group().pk
    worse["labels"] |= {"cluster": "a"}
    send.prometheus(scene.id, worse)
    usual, problems = quiet.mark_changed, []

    def acknowledge() -> None:
        try:
            with in_tenant(scene.id):
                actions.acknowledge(scene.id, [low, high], actor=BOB)
        except Exception as problem:  # noqa: BLE001 - a thread tells by a list
            problems.append(problem)
        finally:
            connection.close()

    person = threading.Thread(target=acknowledge)

    def slow(*given):
        person.start()
        person.join(0.5)
        return usual(*given)

    monkeypatch.setattr(quiet, "mark_changed", slow)
    connection.close()
    with login_as("engine"):
        flow.process_feed()
        person.join(10)
    assert problems == []
    assert marks(scene) == [(0, 1), (0, 0), (0, 0)]
