"""From an accepted event to a delivery: flow, runs, due steps, acts."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models.functions import Now

from alertcenter import flow
from alertcenter.alerts.models import Alert
from escalation import actions, carrying, dispatcher, runs
from escalation.models import Policy, Step
from notifications import delivery
from notifications.claiming import claim
from notifications.models import Delivery
from tenants.actors import Actor
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as
from tests.escalation.scene import make_scene

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor("member", "1", "Bob")


def engine() -> None:
    """Let the engine do all it has to do now."""
    connection.close()
    with login_as("engine"):
        while flow.process_feed() or dispatcher.do_due_steps():
            flow.redraw_grown()


def test_an_alert_becomes_a_group_a_run_and_one_page(scene, send):
    send.prometheus(scene.id, fire(0), fire(0, instance="2"))
    engine()
    (page,) = scene.deliveries()
    assert (page.channel.name, page.state) == ("#ops", "pending")
    assert page.message["title"] == "DiskFull"
    assert page.message["alert_count"] == 2
    assert page.correlation_id == "test"
    assert [r.state for r in scene.runs()] == ["active"]
    (second,) = scene.due()
    assert second.position == 2
    assert scene.kinds() == ["opened", "paged"]


def test_the_second_level_waits_for_its_time_and_then_pages_who_is_on_call(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    scene.pass_time(299)
    engine()
    assert len(scene.deliveries()) == 1
    scene.pass_time(1)
    engine()
    pages = scene.deliveries()
    assert [(p.channel_kind, p.address) for p in pages][1:] == [
        ("email", "bob@acme.example")
    ]
    assert pages[1].member.name == "Bob"
    # The channel that was told first learns who was told now.
    assert [d.kind for d in scene.deliveries("update")] == ["update"]
    (line,) = scene.deliveries("reply")
    assert line.channel.name == "#ops"
    assert line.message["note"]["kind"] == "told"
    assert line.message["note"]["data"]["who"] == "Bob"
    assert [r.state for r in scene.runs()] == ["finished"]


def test_an_acknowledgement_stops_the_run_in_its_own_transaction(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        (outcome,) = actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    assert (outcome.done, outcome.state) == (True, "acknowledged")
    assert scene.group().acked_by == "Bob"
    assert scene.due() == []
    assert [d.state for d in scene.deliveries()] == ["cancelled"]
    scene.pass_time(1000)
    engine()
    assert len(scene.deliveries()) == 1
    with in_tenant(scene.id):
        assert Audit.objects.get(action="group.acknowledged").actor_label == "Bob"
        again = actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    assert [(o.done, o.reason) for o in again] == [(False, "already")]


def test_withdrawing_it_begins_the_policy_anew(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    pk = scene.group().pk
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [pk], actor=BOB)
        actions.unacknowledge(scene.id, [pk], actor=BOB)
    engine()
    assert [d.state for d in scene.deliveries()] == ["cancelled", "pending"]
    assert [r.state for r in scene.runs()] == ["stopped", "active"]


def test_a_resolve_by_a_person_closes_alerts_and_group(scene, send):
    send.prometheus(scene.id, fire(0), fire(0, instance="2"))
    engine()
    with in_tenant(scene.id):
        actions.resolve(scene.id, [scene.group().pk], actor=BOB)
        closed = Alert.objects.values_list("state", "closed_by")
        assert list(closed) == [("resolved", "person")] * 2
    engine()
    assert scene.group().state == "resolved"
    assert scene.group().firing_count == 0
    assert scene.due() == []


def test_the_sources_resolve_stops_the_run(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    send.prometheus(scene.id, over(5))
    engine()
    assert scene.group().state == "resolved"
    assert [r.state for r in scene.runs()] == ["stopped"]
    assert scene.due() == []


def test_a_snooze_ends_and_the_policy_begins_anew(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        actions.snooze(scene.id, [scene.group().pk], actor=BOB, seconds=3600)
    assert scene.group().state == "snoozed"
    with in_tenant(scene.id):
        actions.wake_snoozed()
    assert scene.group().state == "snoozed"
    with in_tenant(scene.id):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE alert_group SET snooze_until = now()")
        actions.wake_snoozed()
    engine()
    assert scene.group().state == "firing"
    assert len(scene.deliveries()) == 2


@pytest.mark.parametrize("act", [actions.acknowledge, actions.resolve])
def test_what_may_have_arrived_is_not_said_again_once_somebody_has_it_in_hand(
    scene, send, act
):
    send.prometheus(scene.id, fire(0))
    engine()
    with login_as("engine"):
        assert len(claim(10)) == 1
        with in_tenant(scene.id):  # its sender dies, perhaps after sending
            Delivery.objects.update(lease_until=Now())
            act(scene.id, [scene.group().pk], actor=BOB)
        (heir,) = [lease for lease in claim(10) if lease.kind == "page"]
        assert heir.in_doubt
        delivery.work(heir)  # to no Slack: it would fail
    (page,) = scene.deliveries()
    assert (page.state, page.next_at) == ("ambiguous", None)
    assert page.error in ("acknowledged", "resolved")


def test_something_worse_than_was_acknowledged_pages_again(scene, send):
    send.prometheus(scene.id, fire(0, severity="warning"))
    engine()
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    send.prometheus(scene.id, fire(0, severity="warning", instance="2"))
    engine()
    assert scene.group().state == "acknowledged"
    send.prometheus(scene.id, fire(0, severity="critical"))
    engine()
    assert scene.group().state == "firing"
    assert [d.state for d in scene.deliveries()] == ["cancelled", "pending"]


def test_an_edited_policy_does_not_disturb_a_run_under_way(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        Step.objects.filter(policy_id=scene.policy_id, kind="oncall").delete()
        Policy.objects.filter(pk=scene.policy_id).update(name="Renamed")
    scene.pass_time(300)
    engine()
    assert len(scene.deliveries()) == 2


def test_escalating_now_brings_the_next_step_forward_once(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    group = scene.group()
    with in_tenant(scene.id):
        first = actions.escalate_now(
            scene.id, [group.pk], actor=BOB, versions={group.pk: group.version}
        )
    engine()
    with in_tenant(scene.id):
        second = actions.escalate_now(
            scene.id, [group.pk], actor=BOB, versions={group.pk: group.version}
        )
    assert ([o.reason for o in first], [o.reason for o in second]) == (
        ["done"],
        ["stale"],
    )
    assert len(scene.deliveries()) == 2


def test_a_step_that_cannot_be_done_delays_no_other(scene, send, monkeypatch):
    send.prometheus(scene.id, fire(0), {**fire(0), "labels": {"alertname": "Other"}})
    real = carrying.resolve
    calls = []

    def fail_first(books, item, now):
        calls.append(item)
        if len(calls) in (1, 2):
            raise RuntimeError("broken step")
        return real(books, item, now)

    monkeypatch.setattr(carrying, "resolve", fail_first)
    connection.close()
    with login_as("engine"):
        while flow.process_feed():
            pass
        dispatcher.do_due_steps()
    assert len(scene.deliveries()) == 1
    broken = [d for d in scene.due() if d.attempts]
    assert len(broken) == 1
    assert "broken step" in broken[0].error


def test_nobody_of_another_tenant_is_touched(scene, globex, send):
    send.prometheus(scene.id, fire(0))
    engine()
    pk = scene.group().pk
    with in_tenant(globex.id):
        outcomes = actions.acknowledge(globex.id, [pk], actor=BOB)
        assert [o.reason for o in outcomes] == ["not_found"]
        assert Delivery.objects.count() == 0
    assert scene.group().state == "firing"


def test_two_tenants_in_one_batch_each_get_their_own(scene, globex, send):
    globex.members["bob"] = globex.members["charlie"]
    other = make_scene(globex)
    send.prometheus(scene.id, fire(0))
    send.prometheus(other.id, fire(0))
    engine()
    assert len(scene.deliveries()) == 1
    assert len(other.deliveries()) == 1
    assert scene.group().number == other.group().number == 1


def test_an_alert_that_cannot_be_followed_is_parked_and_holds_up_no_other(
    scene, send, monkeypatch
):
    names = [f"A{number}" for number in range(8)]
    send.own(scene.id, *[{"labels": {"alertname": name}} for name in names])
    real = runs.start

    def refuse(tenant_id, starts):
        if any(start.group.title == "A5" for start in starts):
            raise RuntimeError("no way")
        return real(tenant_id, starts)

    monkeypatch.setattr(runs, "start", refuse)
    engine()
    assert len(scene.deliveries()) == 7
    monkeypatch.undo()
    connection.close()
    with login_as("engine"):
        flow.unpark()
    engine()
    assert len(scene.deliveries()) == 8
