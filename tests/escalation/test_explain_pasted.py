"""Who would be told of an alert that is pasted, at a chosen time?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from alertcenter.alerts.models import (
    Alert,
    Group,
    InhibitRule,
    Route,
    Rule,
    TimeInterval,
)
from alertcenter.alerts.pasting import parse_event
from escalation import actions
from escalation.explain import pasted, words
from escalation.explain.trace import Trace
from escalation.models import Layer, Turn
from notifications.models import Delivery
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.escalation.test_explain import (
    BOB,
    UTC_ZONE,
    change_route,
    engine,
    outcome,
    silence,
)

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "alertname=DiskFull\nsite=x"
NIGHT = datetime(2030, 1, 7, 3, tzinfo=UTC)  # a Monday


def tried(scene, text: str = TEXT, at: datetime | None = None) -> Trace:
    with in_tenant(scene.id):
        trace = pasted.of_event(scene.id, parse_event(text), at)
        assert not Alert.objects.filter(labels__contains={"only": "pasted"}).exists()
        return trace


def plan(trace: Trace) -> list[tuple[str, str]]:
    return [
        (words.moment(line.at, UTC_ZONE).split(" ")[-1], line.data["who"])
        for line in trace.of("policy")
        if line.code.startswith("would_tell") and line.at
    ]


def test_the_policy_is_told_step_by_step_with_its_times(scene):
    trace = tried(scene, at=NIGHT)
    assert outcome(trace) == ("would_first", "would_tell")
    assert plan(trace) == [("03:00", "#ops"), ("03:05", "Bob")]
    assert trace.outlook is not None
    assert words.say(trace.outlook, ZoneInfo("Europe/Paris")).endswith("04:05.")


def test_who_is_on_call_is_asked_for_that_moment(scene):
    with in_tenant(scene.id):
        Layer.objects.update(starts_on=date(2026, 1, 1), handoff=time(3, 2), every=1)
        Turn.objects.create(
            tenant_id=scene.id,
            layer=Layer.objects.get(),
            member=scene.acme.members["alice"],
            position=2,
        )
    before, after = NIGHT - timedelta(minutes=4), NIGHT
    assert plan(tried(scene, at=before))[1][1] != plan(tried(scene, at=after))[1][1]


def test_nothing_is_stored_and_nobody_told(scene, send):
    tried(scene, "only=pasted")
    engine()
    with in_tenant(scene.id):
        assert not Group.objects.exists()
        assert not Delivery.objects.exists()


def test_a_rule_drops_it(scene):
    with in_tenant(scene.id):
        Rule.objects.create(
            tenant_id=scene.id, name="noise", matchers=["site=x"], drop=True
        )
    trace = tried(scene)
    assert outcome(trace) == ("would_drop", "rule_drops")
    assert not trace.of("route")


def test_a_rule_changes_what_the_routes_see(scene):
    with in_tenant(scene.id):
        Rule.objects.create(
            tenant_id=scene.id,
            name="owner",
            matchers=["site=x"],
            set_labels={"team": "db"},
        )
        Route.objects.create(
            tenant_id=scene.id, name="db", matchers=["team=db"], tells_nobody=True
        )
    trace = tried(scene)
    assert outcome(trace) == ("would_route_nobody", "route_tells_nobody")
    assert words.say(trace.conclusion, UTC_ZONE) == (
        "Nobody would be told: route db tells nobody."
    )


def test_no_route(scene):
    with in_tenant(scene.id):
        Route.objects.all().delete()
    assert outcome(tried(scene)) == ("would_no_route", "no_route")


def test_a_silence_counts_while_it_is_in_force(scene):
    silence(scene, "site=x", minutes=60)
    soon = datetime.now(UTC) + timedelta(minutes=30)
    later = datetime.now(UTC) + timedelta(minutes=90)
    assert outcome(tried(scene)) == ("would_silence", "silence_matches")
    assert outcome(tried(scene, at=soon)) == ("would_silence", "silence_matches")
    assert tried(scene, at=later).conclusion.code == "would_first"
    assert tried(scene, "site=y").conclusion.code == "would_first"


def test_a_silence_that_recurs_is_asked_for_that_moment(scene):
    silence(
        scene,
        "site=x",
        minutes=30 * 24 * 60,
        recurrence="FREQ=DAILY;BYHOUR=3;BYMINUTE=0",
        time_zone="UTC",
        duration_seconds=3600,
    )
    tomorrow = datetime.now(UTC).replace(minute=30) + timedelta(days=2)
    inside, outside = tomorrow.replace(hour=3), tomorrow.replace(hour=5)
    trace = tried(scene, at=inside)
    assert outcome(trace) == ("would_silence", "silence_matches")
    assert " 04:00" in words.say(trace.conclusion, UTC_ZONE)
    assert tried(scene, at=outside).conclusion.code == "would_first"


def test_what_fires_now_inhibits_now(scene, send):
    with in_tenant(scene.id):
        InhibitRule.objects.create(
            tenant_id=scene.id,
            name="Site down",
            source_matchers=["alertname=SiteDown"],
            target_matchers=["alertname=DiskFull"],
            equal=["site"],
        )
    send.prometheus(scene.id, fire(0, alertname="SiteDown", site="x"))
    engine()
    trace = tried(scene)
    assert outcome(trace) == ("would_inhibit", "inhibited")
    assert trace.conclusion.data["source"] == "SiteDown"
    assert tried(scene, "alertname=DiskFull\nsite=y").conclusion.code == "would_first"


def test_what_fired_at_another_moment_is_not_known(scene):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    (line,) = tried(scene, at=yesterday).of("inhibition")
    assert line.code == "inhibition_unknown"


def test_an_interval_is_asked_for_that_moment(scene):
    with in_tenant(scene.id):
        TimeInterval.objects.create(
            tenant_id=scene.id,
            name="nights",
            times=[{"times": [{"start_time": "00:00", "end_time": "06:00"}]}],
        )
    change_route(scene, mute_intervals=["nights"])
    trace = tried(scene, at=NIGHT)
    assert outcome(trace) == ("would_interval_mutes", "interval_mutes")
    noon = NIGHT + timedelta(hours=9)
    assert tried(scene, at=noon).conclusion.code == "would_first"


def test_it_joins_a_group_that_somebody_has_taken(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    assert outcome(tried(scene)) == ("would_group_told", "group_told")
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    trace = tried(scene)
    assert outcome(trace) == ("would_group_taken", "group_taken")
    assert "#1, which is acknowledged" in words.say(trace.conclusion, UTC_ZONE)
    (known,) = tried(scene, "alertname=DiskFull").of("dedup")
    assert known.code == "same_alert_firing"


def test_an_event_that_is_over_tells_nobody(scene):
    text = '{"title": "Disk", "labels": {"a": "b"}, "status": "resolved"}'
    assert outcome(tried(scene, text)) == ("would_be_over", "event_resolved")
