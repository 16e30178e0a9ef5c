"""An alert that comes and goes: marked, told once, told when it is calm."""

from __future__ import annotations

import pytest
from django.db import connection

from alertcenter.alerts import flapping
from alertcenter.alerts.models import Alert, Group, GroupAlert, Transition
from escalation import actions, flaps
from notifications.models import Delivery
from tenants.flapping_limits import FlappingLimits, limits_of
from tenants.models import Tenant
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as
from tests.escalation.scene import Scene
from tests.escalation.test_line import BOB, engine

LIMITS = FlappingLimits(minutes=30, starts=6, ends=2)
database = pytest.mark.django_db(transaction=True)


def changes(scene: Scene, send, first: int, last: int) -> None:
    """Let the alert change its state, even numbers firing, and the engine follow."""
    for number in range(first, last + 1):
        event = over(number) if number % 2 else fire(number)
        send.prometheus(scene.id, event)
        engine()


def minutes_pass(scene: Scene, minutes: int) -> None:
    """Let all episodes have begun so much earlier."""
    with in_tenant(scene.id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE episode SET at = at - %s * interval '1 minute'", [minutes]
        )


def sweep(scene: Scene) -> None:
    connection.close()
    with login_as("engine"), in_tenant(scene.id):
        flaps.sweep()
    engine()


def groups(scene: Scene) -> list[Group]:
    with in_tenant(scene.id):
        return list(Group.objects.order_by("number"))


@pytest.mark.parametrize(
    ("count", "was", "said"),
    [
        (5, False, "steady"),
        (6, False, "starts"),
        (6, True, "flaps"),
        (3, True, "flaps"),
        (3, False, "steady"),
        (2, True, "calm"),
        (0, True, "calm"),
    ],
)
def test_it_takes_more_changes_to_start_than_to_go_on(count, was, said):
    assert flapping.judge(count, LIMITS, flapping=was) == said


def test_a_tenant_may_switch_it_off_and_what_flapped_is_calm_then():
    off = limits_of({"flapping": {"starts": 0}})
    assert flapping.judge(50, off, flapping=False) == "steady"
    assert flapping.judge(50, off, flapping=True) == "calm"


def test_limits_stay_within_their_bounds_whatever_the_settings_say():
    assert limits_of({}) == FlappingLimits(30, 6, 2)
    assert limits_of({"flapping": "x"}) == FlappingLimits(30, 6, 2)
    wild = {"flapping": {"minutes": 10**9, "starts": 1, "ends": 77}}
    assert limits_of(wild) == FlappingLimits(1440, 3, 2)


@database
def test_below_the_limit_each_episode_is_a_group_with_its_page(scene, send):
    changes(scene, send, 0, 4)
    assert [g.state for g in groups(scene)] == ["resolved", "resolved", "firing"]
    assert len(scene.deliveries()) == 3
    assert scene.group().flapping_since is None


@database
def test_once_it_flaps_the_group_stays_open_and_nobody_is_paged_anew(scene, send):
    changes(scene, send, 0, 5)
    group = scene.group()
    assert (group.number, group.state, group.firing_count) == (3, "firing", 0)
    assert group.flapping_since is not None
    assert "flapping" in scene.kinds()
    changes(scene, send, 6, 13)
    assert len(groups(scene)) == 3
    assert len(scene.deliveries()) == 3
    lines = [d.message["note"]["kind"] for d in scene.deliveries("reply")]
    # One word of the flapping, none of each return.
    assert lines == ["flapping"]


@database
def test_the_line_says_how_often_it_changed(scene, send):
    changes(scene, send, 0, 5)
    note = scene.deliveries("reply")[-1].message["note"]
    assert note["data"]["changes"] == 6
    assert note["data"]["minutes"] == 30


@database
def test_calm_and_over_resolves_the_group_and_says_both_in_one_line(scene, send):
    changes(scene, send, 0, 7)
    with in_tenant(scene.id):
        Delivery.objects.filter(kind="page").update(state="sent")
    sweep(scene)
    assert scene.group().state == "firing"  # eight changes within the half hour
    minutes_pass(scene, 31)
    sweep(scene)
    group = scene.group()
    assert (group.state, group.flapping_since) == ("resolved", None)
    note = scene.deliveries("reply")[-1].message["note"]
    assert (note["kind"], note["data"]["resolved"]) == ("calm", True)
    assert scene.kinds()[-2:] == ["calm", "resolved"]
    assert [r.state for r in scene.runs()] == ["stopped"] * 3
    with in_tenant(scene.id):
        assert not GroupAlert.objects.exclude(flapping_since=None).exists()
        assert Transition.objects.filter(kind="calm").count() == 1
    sweep(scene)
    assert scene.kinds()[-2:] == ["calm", "resolved"]


@database
def test_calm_while_it_fires_leaves_the_group_firing(scene, send):
    changes(scene, send, 0, 6)
    minutes_pass(scene, 31)
    sweep(scene)
    group = scene.group()
    assert (group.state, group.flapping_since, group.firing_count) == (
        "firing",
        None,
        1,
    )
    note = scene.deliveries("reply")[-1].message["note"]
    assert (note["kind"], note["data"]["resolved"]) == ("calm", False)
    changes(scene, send, 7, 7)
    assert scene.group().state == "resolved"


@database
def test_what_a_person_resolves_is_over_and_its_return_is_a_new_group(scene, send):
    changes(scene, send, 0, 6)
    with in_tenant(scene.id):
        actions.resolve(scene.id, [scene.group().pk], actor=BOB)
    assert scene.group().state == "resolved"
    send.prometheus(scene.id, fire(30))
    engine()
    fresh = scene.group()
    assert (fresh.number, fresh.state) == (4, "firing")
    assert fresh.flapping_since is not None  # said in its page, no line beside it
    page = scene.deliveries()[-1]
    assert page.message["number"] == 4
    assert page.message["flapping_since"]


@database
def test_an_acknowledged_group_stays_acknowledged_while_it_flaps(scene, send):
    changes(scene, send, 0, 6)
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    changes(scene, send, 7, 10)
    assert scene.group().state == "acknowledged"
    assert len(scene.deliveries()) == 3


@database
def test_a_steady_alert_beside_one_that_flaps_is_told_as_ever(scene, send):
    changes(scene, send, 0, 6)
    send.prometheus(scene.id, fire(7, instance="other"))
    engine()
    lines = [d.message["note"] for d in scene.deliveries("reply")]
    assert (lines[-1]["kind"], lines[-1]["data"]["count"]) == ("grouped", 1)
    changes(scene, send, 7, 7)
    assert scene.group().firing_count == 1


@database
def test_a_tenants_own_limits_hold(scene, send):
    with in_tenant(scene.id):
        Tenant.objects.filter(pk=scene.id).update(
            settings={"flapping": {"minutes": 10, "starts": 3, "ends": 1}}
        )
    changes(scene, send, 0, 3)
    assert len(groups(scene)) == 2
    assert scene.group().state == "firing"


@database
def test_new_alerts_cost_no_look_at_their_history(
    scene, send, django_assert_max_num_queries
):
    send.prometheus(scene.id, fire(0))
    with in_tenant(scene.id):
        versions = dict(Alert.objects.values_list("pk", "version"))
        with django_assert_max_num_queries(0):
            assert flapping.mark(scene.id, versions, []) == {}


@database
def test_a_step_that_falls_due_while_nothing_fires_waits_until_it_does(scene, send):
    changes(scene, send, 0, 5)
    scene.pass_time(1000)
    engine()
    assert len(scene.deliveries()) == 3
    assert [step.held for step in scene.due()] == ["flapping"]
    assert scene.kinds()[-1] == "held"
    changes(scene, send, 6, 6)
    assert len(scene.deliveries()) == 4  # nobody has taken it: the second level
    assert scene.due() == []
