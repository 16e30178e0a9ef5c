"""Silences, inhibition and intervals: marked, held, judged again, never dropped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from alertcenter import flow
from alertcenter.alerts import requiet
from alertcenter.alerts.models import (
    Flush,
    Group,
    GroupAlert,
    InhibitRule,
    InhibitSource,
    Notice,
    Route,
    RouteChannel,
    Silence,
    TimeInterval,
)
from escalation import actions, dispatcher, flushes
from notifications.channels.base import Receipt
from notifications.claiming import claim
from notifications.models import Channel, Delivery
from notifications.settling import Outcome, settle
from tenants.actors import Actor
from tenants.rls import in_tenant
from tests.alerts.test_intake import at, fire
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor("member", "1", "Bob")


def over(minutes: int, **labels: str) -> dict:
    return fire(0, **labels) | {"endsAt": at(minutes)}


def engine() -> None:
    connection.close()
    with login_as("engine"):
        while flow.process_feed() or dispatcher.do_due_steps() or flushes.do_due():
            flow.redraw_grown()


def answered() -> None:
    """Let whatever is to be sent be taken."""
    connection.close()
    with login_as("engine"):
        for lease in claim(20):
            settle(lease, None, Outcome(12, Receipt("1.2", "ok: true"), None))


def silence(scene, *matchers: str, **given) -> Silence:
    now = timezone.now()
    values = {
        "starts_at": now - timedelta(minutes=1),
        "ends_at": now + timedelta(hours=1),
    } | given
    with in_tenant(scene.id):
        row = Silence.objects.create(
            tenant_id=scene.id, matchers=list(matchers), **values
        )
        requiet.refresh(scene.id, [row.pk])
    return row


def lift(scene, row: Silence) -> None:
    with in_tenant(scene.id):
        Silence.objects.filter(pk=row.pk).update(ends_at=Now())
        requiet.refresh(scene.id, [row.pk])


def marks(scene) -> list[tuple[int, int]]:
    with in_tenant(scene.id):
        rows = GroupAlert.objects.filter(left_at=None).order_by("id")
        return [(len(row.silenced_by), len(row.inhibited_by)) for row in rows]


def test_a_silenced_group_pages_nobody_and_pages_as_soon_as_it_is_lifted(scene, send):
    row = silence(scene, 'alertname="DiskFull"')
    send.prometheus(scene.id, fire(0))
    engine()
    assert scene.deliveries() == []
    assert marks(scene) == [(1, 0)]
    (step,) = scene.due()
    assert step.held == "silenced"
    assert scene.kinds() == ["opened", "silenced", "held"]
    assert scene.group().quiet_count == 1
    lift(scene, row)
    engine()
    assert len(scene.deliveries()) == 1
    assert scene.kinds()[3:] == ["heard", "paged"]


def test_a_silence_made_after_the_first_page_holds_the_second(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    silence(scene, 'alertname=~"Disk.*"')
    scene.pass_time(1_000)
    engine()
    assert len(scene.deliveries()) == 1
    assert [step.held for step in scene.due()] == ["silenced"]


def test_one_that_nobody_silenced_makes_the_group_heard(scene, send):
    silence(scene, 'instance="1"')
    send.prometheus(scene.id, fire(0, instance="1"))
    engine()
    assert scene.deliveries() == []
    send.prometheus(scene.id, fire(0, instance="2"))
    engine()
    assert len(scene.deliveries()) == 1
    assert marks(scene) == [(1, 0), (0, 0)]
    assert scene.group().quiet_count == 1


def test_a_silence_of_another_tenant_mutes_nothing_here(scene, send, globex):
    now = timezone.now()
    with in_tenant(globex.id):
        Silence.objects.create(
            tenant_id=globex.id,
            matchers=['alertname=~".+"'],
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=1),
        )
    send.prometheus(scene.id, fire(0))
    engine()
    assert len(scene.deliveries()) == 1


def inhibit(scene, **given) -> InhibitRule:
    values = {
        "source_matchers": ['severity="critical"'],
        "target_matchers": ['severity=~"warning|info"'],
        "equal": ["cluster"],
    } | given
    with in_tenant(scene.id):
        rule = InhibitRule.objects.create(tenant_id=scene.id, name="worse", **values)
        requiet.refresh_rules(scene.id, [rule.pk])
    return rule


def test_the_target_stays_quiet_until_the_last_of_its_sources_is_over(scene, send):
    inhibit(scene)
    sources = [{"severity": "critical", "cluster": "a", "instance": n} for n in "12"]
    send.prometheus(scene.id, *(fire(0, **labels) for labels in sources))
    engine()
    assert len(scene.deliveries()) == 1
    target = fire(0, severity="warning", cluster="a") | {"annotations": {}}
    target["labels"]["alertname"] = "Slow"
    send.prometheus(scene.id, target)
    engine()
    assert marks(scene)[-1] == (0, 2)
    assert [step.held for step in scene.due() if step.held] == ["inhibited"]
    send.prometheus(scene.id, over(5, **sources[0]))
    engine()
    assert marks(scene)[-1] == (0, 1)
    assert len(scene.deliveries()) == 1
    send.prometheus(scene.id, over(5, **sources[1]))
    engine()
    assert marks(scene) == [(0, 0)]
    assert scene.deliveries()[-1].message["title"] == "Slow"
    with in_tenant(scene.id):
        assert not InhibitSource.objects.exists()


def test_a_source_that_comes_after_its_target_quiets_it(scene, send):
    inhibit(scene)
    send.prometheus(scene.id, fire(0, severity="info", cluster="a"))
    engine()
    worse = fire(0, severity="critical", cluster="a")
    worse["labels"]["alertname"] = "Down"
    send.prometheus(scene.id, worse)
    engine()
    assert marks(scene) == [(0, 1), (0, 0)]


def test_missing_labels_are_equal_and_others_are_not(scene, send):
    inhibit(scene)
    send.prometheus(
        scene.id,
        fire(0, severity="critical"),
        fire(0, severity="warning"),
        fire(0, severity="warning", cluster="b"),
    )
    engine()
    assert sorted(marks(scene)) == [(0, 0), (0, 0), (0, 1)]


def test_no_alert_quiets_itself_nor_its_peers(scene, send):
    inhibit(scene, source_matchers=['team="db"'], target_matchers=['team="db"'])
    send.prometheus(
        scene.id, fire(0, team="db", instance="1"), fire(0, team="db", instance="2")
    )
    engine()
    assert marks(scene) == [(0, 0), (0, 0)]


def test_a_rule_that_is_switched_off_quiets_nobody_any_more(scene, send):
    rule = inhibit(scene)
    send.prometheus(scene.id, fire(0, severity="critical"), fire(0, severity="warning"))
    engine()
    with in_tenant(scene.id):
        requiet.switch_off(scene.id, [rule.pk], actor=BOB)
        rule.delete()
    assert marks(scene) == [(0, 0), (0, 0)]


ALWAYS = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]


def test_a_route_is_quiet_in_its_interval_and_heard_when_it_is_gone(scene, send):
    with in_tenant(scene.id):
        TimeInterval.objects.create(tenant_id=scene.id, name="always", times=ALWAYS)
        Route.objects.update(mute_intervals=["always"])
    send.prometheus(scene.id, fire(0))
    engine()
    assert scene.deliveries() == []
    assert [step.held for step in scene.due()] == ["interval"]
    with in_tenant(scene.id):
        TimeInterval.objects.all().delete()
    scene.pass_time(60)
    engine()
    assert len(scene.deliveries()) == 1


# --- the channels of a route ---


@pytest.fixture
def told(scene):
    """A webhook that the default route tells, besides its policy."""
    with in_tenant(scene.id):
        hook = Channel.objects.create(
            tenant_id=scene.id,
            kind="webhook",
            slug="hook",
            name="hook",
            settings={"url": "http://127.0.0.1:1/x"},
        )
        route = Route.objects.get()
        RouteChannel.objects.create(tenant_id=scene.id, route=route, channel=hook)
        Route.objects.update(group_interval_seconds=60, repeat_interval_seconds=300)
    return hook


def calls(scene) -> list[dict]:
    with in_tenant(scene.id):
        rows = Delivery.objects.filter(channel_kind="webhook").order_by("id")
        return [row.message["payload"] for row in rows]


def tick(scene, seconds: int = 60) -> None:
    """Let the timers be so much nearer, and the past be further off."""
    with in_tenant(scene.id), connection.cursor() as cursor:
        for statement in (
            "UPDATE flush SET due_at = due_at - %s * interval '1 second', "
            "anchor = anchor - %s * interval '1 second'",
            "UPDATE notice SET at = at - %s * interval '1 second', "
            "expires_at = expires_at - %s * interval '1 second'",
        ):
            cursor.execute(statement, [seconds, seconds])
    engine()


def test_a_webhook_is_told_first_of_new_ones_of_the_end_and_again(scene, told, send):
    send.prometheus(scene.id, fire(0, instance="1"))
    engine()
    (first,) = calls(scene)
    assert (first["notification_reason"], first["status"]) == ("first", "firing")
    assert first["groupKey"] == '{}:{alertname="DiskFull"}'
    assert first["version"] == "4"
    assert first["truncatedAlerts"] == 0
    assert [a["endsAt"] for a in first["alerts"]] == ["0001-01-01T00:00:00Z"]
    tick(scene)
    assert len(calls(scene)) == 1  # nothing new
    send.prometheus(scene.id, fire(0, instance="2"))
    engine()
    assert len(calls(scene)) == 1  # not before its interval
    tick(scene)
    assert calls(scene)[-1]["notification_reason"] == "new_alerts"
    assert len(calls(scene)[-1]["alerts"]) == 2
    tick(scene, 360)
    assert calls(scene)[-1]["notification_reason"] == "repeat"
    send.prometheus(scene.id, over(5, instance="1"), over(5, instance="2"))
    engine()
    tick(scene)
    last = calls(scene)[-1]
    assert (last["notification_reason"], last["status"]) == ("all_resolved", "resolved")
    assert {a["status"] for a in last["alerts"]} == {"resolved"}
    with in_tenant(scene.id):
        assert not Flush.objects.exists()
        assert Notice.objects.get().times == 4


def test_the_end_of_what_was_told_and_silenced_since_is_told(scene, told, send):
    send.prometheus(scene.id, fire(0))
    engine()
    silence(scene, 'alertname="DiskFull"')
    tick(scene, 600)
    assert len(calls(scene)) == 1  # no reminder of what is silenced
    send.prometheus(scene.id, over(5))
    engine()
    tick(scene)
    assert [c["status"] for c in calls(scene)] == ["firing", "resolved"]


def test_while_somebody_is_at_it_only_the_end_is_told(scene, told, send):
    send.prometheus(scene.id, fire(0, instance="1"))
    engine()
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    send.prometheus(scene.id, fire(0, instance="2"))
    engine()
    tick(scene, 600)
    assert len(calls(scene)) == 1
    with in_tenant(scene.id):
        actions.unacknowledge(scene.id, [scene.group().pk], actor=BOB)
    engine()
    tick(scene)
    assert calls(scene)[-1]["notification_reason"] == "new_alerts"


def test_what_comes_back_before_anybody_was_told_of_its_end_is_no_news(
    scene, told, send
):
    send.prometheus(scene.id, fire(0))
    engine()
    send.prometheus(scene.id, over(5))
    engine()
    send.prometheus(scene.id, fire(10))
    engine()
    with in_tenant(scene.id):
        assert Group.objects.count() == 2
    tick(scene)
    assert len(calls(scene)) == 1
    with in_tenant(scene.id):
        assert Flush.objects.get().group.state == "firing"


ENDS = [("update", "slack"), ("reply", "slack"), ("reply", "email")]


@pytest.mark.parametrize("how", ["silenced", "acknowledged", "both", "inhibited"])
def test_who_was_paged_is_told_of_the_end_though_it_fell_quiet_since(scene, send, how):
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    scene.pass_time(1_000)
    engine()
    answered()
    if how in ("silenced", "both"):
        silence(scene, 'alertname="DiskFull"')
    if how in ("acknowledged", "both"):
        with in_tenant(scene.id):
            actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    if how == "inhibited":
        with in_tenant(scene.id):
            InhibitRule.objects.create(
                tenant_id=scene.id,
                name="root",
                source_matchers=['alertname="Root"'],
                target_matchers=['alertname="DiskFull"'],
                equal=[],
            )
        send.prometheus(scene.id, fire(0, alertname="Root"))
    engine()
    answered()
    send.prometheus(scene.id, over(5))
    engine()
    with in_tenant(scene.id):
        rows = Delivery.objects.filter(message__kind="resolved").order_by("id")
        told = list(rows.values_list("kind", "channel_kind"))
    assert told == ENDS
