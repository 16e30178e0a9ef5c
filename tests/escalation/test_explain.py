"""Does an explanation say what decided, one scene for each outcome?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alertcenter import flow
from alertcenter.alerts import requiet
from alertcenter.alerts.models import (
    Alert,
    GroupAlert,
    InhibitRule,
    Route,
    RouteChannel,
    Rule,
    Silence,
    TimeInterval,
)
from escalation import actions, dispatcher, flushes
from escalation.explain import sentences, stored, words
from escalation.explain.trace import Trace
from escalation.models import Step, Turn
from notifications.channels.base import DeliveryError, Receipt
from notifications.claiming import claim
from notifications.models import Channel
from notifications.settling import Outcome, settle
from tenants.actors import Actor
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor("member", "1", "Bob")
UTC_ZONE = ZoneInfo("UTC")
ALWAYS = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]


def engine() -> None:
    """Let the engine do all it has to do now, but send nothing."""
    connection.close()
    with login_as("engine"):
        while flow.process_feed() or dispatcher.do_due_steps() or flushes.do_due():
            pass


def answered(error: DeliveryError | None = None) -> None:
    """Let the provider answer whatever is to be sent."""
    connection.close()
    with login_as("engine"):
        for lease in claim(20):
            receipt = None if error else Receipt("1.2", "ok: true")
            settle(lease, None, Outcome(12, receipt, error))


def explained(scene) -> Trace:
    with in_tenant(scene.id):
        return stored.of_group(scene.group())


def alert_explained(scene, **labels) -> Trace:
    with in_tenant(scene.id):
        found = Alert.objects.filter(labels__contains=labels).order_by("-starts_at")
        return stored.of_alert(found[0])


def said(trace: Trace) -> str:
    return words.say(trace.conclusion, UTC_ZONE)


def outcome(trace: Trace) -> tuple[str, str]:
    """Return the conclusion's code and that of the line it rests on."""
    assert trace.deciding is not None, trace.conclusion
    return trace.conclusion.code, trace.deciding.code


def silence(scene, *matchers: str, minutes: int = 60, **given) -> Silence:
    now = datetime.now(UTC)
    with in_tenant(scene.id):
        row = Silence.objects.create(
            tenant_id=scene.id,
            matchers=list(matchers),
            starts_at=now - timedelta(minutes=1),
            ends_at=now + timedelta(minutes=minutes),
            **{"created_by": "Ann", "comment": "New disks"} | given,
        )
        requiet.refresh(scene.id, [row.pk])
    return row


def change_route(scene, **values) -> None:
    with in_tenant(scene.id):
        Route.objects.filter(is_default=True).update(**values)


# --- somebody was told ---


def test_delivered_the_provider_accepted_it(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    trace = explained(scene)
    assert outcome(trace) == ("told", "sent")
    assert "#ops was told by Slack at" in said(trace)
    assert said(trace).endswith("Answer: ok: true")
    assert trace.outlook is not None
    assert trace.outlook.code == "next_step"
    assert trace.outlook.data["who"] == "Bob"  # on call in Ops by then


def test_the_steps_say_who_was_on_call_by_which_schedule(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    coming = [line for line in explained(scene).of("policy") if line.code == "step_due"]
    assert [line.data["who"] for line in coming] == ["Bob"]
    scene.pass_time(300)
    engine()
    answered()
    trace = explained(scene)
    told = [line for line in trace.of("policy") if line.code == "step_told_oncall"]
    assert [(t.data["who"], t.data["schedule"]) for t in told] == [("Bob", "Ops")]
    assert trace.conclusion.code == "told_more"
    assert trace.conclusion.data["others"] == ["Bob"]
    assert trace.outlook is not None
    assert trace.outlook.code == "next_finished"


def test_an_address_stays_unsaid(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    scene.pass_time(300)
    engine()
    answered(DeliveryError("550 <bob@acme.example> is unknown", permanent=True))
    trace = explained(scene)
    assert "is unknown" in str(trace)
    assert "bob@acme.example" not in str(trace)


def test_failed_for_good_with_the_providers_words(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered(DeliveryError("channel_not_found", permanent=True))
    trace = explained(scene)
    assert outcome(trace) == ("failed", "dead")
    assert "Nobody was reached: Slack to #ops was given up" in said(trace)
    assert "channel_not_found" in said(trace)


def test_a_provider_that_asks_to_wait_is_waited_for(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered(DeliveryError("ratelimited", permanent=False, retry_after=30))
    assert outcome(explained(scene)) == ("not_yet_accepted", "asked_to_wait")


def test_an_alert_that_joins_later_is_told_that_its_group_was_told_before(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    send.prometheus(scene.id, fire(0, instance="2"))
    engine()
    trace = alert_explained(scene, instance="2")
    assert outcome(trace) == ("told_before", "sent")


def test_a_routes_channels_say_what_they_were_told(scene, send):
    with in_tenant(scene.id):
        route = Route.objects.get(is_default=True)
        RouteChannel.objects.create(
            tenant_id=scene.id, route=route, channel=Channel.objects.get()
        )
    change_route(scene, policy=None)
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    trace = explained(scene)
    assert outcome(trace) == ("told", "sent")
    (notice, timer) = trace.of("notice")
    assert (notice.code, notice.data["who"]) == ("notice", "#ops")
    assert notice.data["reason"] == "first"
    assert timer.code == "flush_due"
    assert trace.outlook is not None
    assert trace.outlook.code == "waits_channels_again"


# --- nobody was, and nobody will be ---


def test_silenced_by_whom_and_until_when(scene, send):
    row = silence(scene, "alertname=DiskFull")
    send.prometheus(scene.id, fire(0), fire(0, instance="2"))
    engine()
    trace = explained(scene)
    assert outcome(trace) == ("nobody_silenced", "silenced")
    assert "because silence “New disks” by Ann matches until" in said(trace)
    assert trace.deciding is not None
    assert trace.deciding.link is not None
    assert trace.deciding.link.id == str(row.pk)
    assert [c.text for c in trace.deciding.conditions] == ['alertname="DiskFull"']
    held = [line for line in trace.of("policy") if line.code == "step_held"]
    assert [line.data["reason"] for line in held] == ["silenced"]


def test_one_silenced_alert_of_a_group_that_was_told(scene, send):
    silence(scene, "instance=2")
    send.prometheus(scene.id, fire(0), fire(0, instance="2"))
    engine()
    answered()
    assert explained(scene).conclusion.code == "told"
    some = [line for line in explained(scene).of("silence") if not line.aside]
    assert [(s.code, s.data["count"], s.data["total"]) for s in some] == [
        ("silenced_some", 1, 2)
    ]


def test_a_silence_that_is_over_explains_what_it_did(scene, send):
    row = silence(scene, "alertname=DiskFull")
    send.prometheus(scene.id, fire(0))
    engine()
    send.prometheus(scene.id, over(5))
    engine()
    with in_tenant(scene.id):
        Silence.objects.filter(pk=row.pk).update(ends_at=datetime.now(UTC))
    trace = explained(scene)
    assert outcome(trace) == ("nobody_silenced_then", "silenced_then")


def test_inhibited_by_which_rule_and_which_alert(scene, send):
    with in_tenant(scene.id):
        InhibitRule.objects.create(
            tenant_id=scene.id,
            name="Site down",
            source_matchers=["alertname=SiteDown"],
            target_matchers=["alertname=DiskFull"],
            equal=["site"],
        )
    send.prometheus(
        scene.id, fire(0, alertname="SiteDown", site="x"), fire(0, site="x")
    )
    engine()
    trace = alert_explained(scene, alertname="DiskFull")
    assert outcome(trace) == ("nobody_inhibited", "inhibited")
    assert "rule Site down keeps it quiet while “SiteDown” fires (equal: site=x)" in (
        said(trace)
    )
    other = alert_explained(scene, alertname="SiteDown")
    assert other.conclusion.code == "being_sent"


def test_a_rule_without_its_source_is_said_aside(scene, send):
    with in_tenant(scene.id):
        InhibitRule.objects.create(
            tenant_id=scene.id,
            name="Site down",
            source_matchers=["alertname=SiteDown"],
            target_matchers=["alertname=DiskFull"],
            equal=["site"],
        )
    send.prometheus(scene.id, fire(0, site="x"))
    engine()
    (line,) = explained(scene).of("inhibition")
    assert (line.code, line.aside) == ("inhibit_no_source", True)


def test_no_route_and_no_default(scene, send):
    with in_tenant(scene.id):
        Route.objects.all().delete()
    send.prometheus(scene.id, fire(0))
    engine()
    trace = explained(scene)
    assert outcome(trace) == ("nobody_no_route", "no_route")
    assert "no route takes it and there is no default route" in said(trace)


def test_a_route_that_tells_nobody(scene, send):
    change_route(scene, policy=None, tells_nobody=True)
    send.prometheus(scene.id, fire(0))
    engine()
    trace = explained(scene)
    assert outcome(trace) == ("nobody_route", "route_tells_nobody")
    assert said(trace) == "Nobody is told: route rest tells nobody."


def test_nobody_on_call(scene, send):
    with in_tenant(scene.id):
        Step.objects.exclude(kind="oncall").delete()
        Turn.objects.all().delete()
    send.prometheus(scene.id, fire(0))
    engine()
    trace = explained(scene)
    assert outcome(trace) == ("nobody_step_nobody_on_call", "step_nobody_on_call")
    assert "nobody was on call in Ops" in said(trace)


def test_acknowledged_before_anything_was_sent(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    trace = explained(scene)
    assert outcome(trace) == ("nobody_acknowledged", "acknowledged")
    assert "Bob acknowledged it at" in said(trace)
    (page,) = [line for line in trace.of("delivery") if not line.aside]
    assert (page.code, page.data["because"]) == ("cancelled", "acknowledged")
    (step,) = [one for one in trace.of("policy") if one.code == "step_cancelled"]
    assert step.data["by"] == "Bob"


def test_acknowledged_after_it_was_told(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    trace = explained(scene)
    assert trace.conclusion.code == "told"
    assert trace.outlook is not None
    assert trace.outlook.code == "next_acknowledged"
    assert trace.outlook.data["who"] == "Bob"


def test_snoozed_until_when(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        actions.snooze(scene.id, [scene.group().pk], actor=BOB, seconds=3600)
    trace = explained(scene)
    assert outcome(trace) == ("nobody_snoozed", "snoozed")
    assert "for 1 hr" in said(trace)


def test_an_interval_that_keeps_the_route_quiet(scene, send):
    with in_tenant(scene.id):
        TimeInterval.objects.create(tenant_id=scene.id, name="nights", times=ALWAYS)
    change_route(scene, mute_intervals=["nights"])
    send.prometheus(scene.id, fire(0))
    engine()
    trace = explained(scene)
    assert outcome(trace) == ("nobody_interval_mutes", "interval_mutes")
    assert said(trace) == "Nobody was notified: route rest is quiet in nights."


def test_an_interval_outside_of_which_the_route_is_heard(scene, send):
    with in_tenant(scene.id):
        TimeInterval.objects.create(
            tenant_id=scene.id, name="1999", times=[{"years": ["1999"]}]
        )
    change_route(scene, active_intervals=["1999"])
    send.prometheus(scene.id, fire(0))
    engine()
    assert outcome(explained(scene)) == ("nobody_interval_outside", "interval_outside")


def test_it_waits_for_more(scene, send):
    change_route(scene, group_wait_seconds=600)
    send.prometheus(scene.id, fire(0))
    engine()
    trace = explained(scene)
    assert outcome(trace) == ("waits_group_wait", "step_due")
    assert said(trace).startswith("Waits for more alerts until")
    assert trace.outlook is None


def test_it_was_over_before_anybody_was_told(scene, send):
    change_route(scene, group_wait_seconds=600)
    send.prometheus(scene.id, fire(0))
    engine()
    send.prometheus(scene.id, over(5))
    engine()
    assert outcome(explained(scene)) == ("nobody_resolved", "resolved_source")


def test_what_the_engine_has_not_seen_yet(scene, send):
    send.prometheus(scene.id, fire(0))
    assert alert_explained(scene).conclusion.code == "not_looked_at"


# --- what else a trace tells ---


def test_rules_are_judged_by_the_labels_it_has_now(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        for number, matcher in enumerate(["alertname=DiskFull", "team=web"]):
            Rule.objects.create(
                tenant_id=scene.id,
                name=f"r{number}",
                matchers=[matcher],
                set_labels={"team": "db"},
            )
    lines = explained(scene).of("rule")
    assert [line.code for line in lines] == [
        "rules_now",
        "rule_changes",
        "rule_no_match",
    ]
    assert [c.holds for c in lines[2].conditions] == [False]


def test_the_routes_are_told_with_each_condition(scene, send):
    with in_tenant(scene.id):
        Route.objects.create(
            tenant_id=scene.id, name="web", matchers=["team=web", "env=~p.*"]
        )
    send.prometheus(scene.id, fire(0, env="prod"))
    engine()
    routes = {line.data.get("route"): line for line in explained(scene).of("route")}
    assert routes["rest"].code == "route_takes_policy"
    assert [(c.seen, c.holds) for c in routes["web"].conditions] == [
        ("", False),
        ("prod", True),
    ]


def test_a_group_keeps_its_route_when_the_routes_change(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    answered()
    with in_tenant(scene.id):
        Route.objects.create(
            tenant_id=scene.id, name="disks", matchers=["alertname=DiskFull"]
        )
    trace = explained(scene)
    assert [x.data["route"] for x in trace.of("route") if x.code == "route_then"] == [
        "rest"
    ]
    assert trace.conclusion.code == "told"


def test_repeats_and_episodes_are_counted(scene, send):
    send.prometheus(scene.id, fire(0))
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        actions.resolve(scene.id, [scene.group().pk], actor=BOB)
    trace = alert_explained(scene)
    known, episode = trace.of("dedup")
    assert (known.code, known.data["count"]) == ("dedup_labels", 2)
    assert (episode.code, episode.data["who"]) == ("episode_closed_person", "Bob")


def test_every_code_has_a_sentence_that_its_data_fill(scene, send):
    """Sentences name what lines know; what is missing would be a hole."""
    silence(scene, "instance=2")
    send.prometheus(scene.id, fire(0), fire(0, instance="2"))
    engine()
    answered()
    with in_tenant(scene.id):
        actions.acknowledge(scene.id, [scene.group().pk], actor=BOB)
    trace = explained(scene)
    for line in (*trace.lines, trace.conclusion, trace.outlook):
        assert line is not None
        assert line.code in sentences.SENTENCES, line.code
        names = Named()
        _ = str(sentences.SENTENCES[line.code]) % names
        missing = names.asked - set(line.data) - {"at"}
        assert not missing, (line.code, missing)


class Named(dict):
    """Notes which names a sentence asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def __missing__(self, name: str) -> str:
        self.asked.add(name)
        return ""


def test_a_group_of_ten_thousand_asks_no_more_than_one_of_two(
    scene, send, django_assert_num_queries
):
    silence(scene, "instance=1")
    send.prometheus(scene.id, fire(0, instance="0"), fire(0, instance="1"))
    engine()
    group = scene.group()
    with in_tenant(scene.id), CaptureQueriesContext(connection) as asked:
        stored.of_group(group)
    with in_tenant(scene.id):
        swell(scene.id, group.pk, Alert.objects.order_by("id")[0].pk)
        assert GroupAlert.objects.count() == 10_000
    with in_tenant(scene.id), django_assert_num_queries(len(asked)):
        trace = stored.of_group(group)
    assert len(asked) < 40
    assert len(trace.lines) < 100


SWELL = """
WITH more AS (
  INSERT INTO alert (id, tenant_id, created_at, dedup_key, state, severity, title,
    labels, annotations, link, source, episode_id, state_at, starts_at, last_at, count,
    version, closed_by, fingerprint)
  SELECT gen_random_uuid(), tenant_id, now(), dedup_key || n, state, severity, title,
    labels, annotations, link, source, episode_id, state_at, starts_at, last_at, 1, 1,
    '', ''
  FROM alert, generate_series(1, 9998) n WHERE id = %s
  RETURNING id, tenant_id, episode_id)
INSERT INTO group_alert (tenant_id, group_id, alert_id, episode_id, joined_at)
SELECT tenant_id, %s, id, episode_id, now() FROM more
"""


def swell(tenant_id, group_id, alert_id) -> None:
    """Put 9,998 copies of an alert into the group."""
    with connection.cursor() as cursor:
        cursor.execute(SWELL, [alert_id, group_id])


def test_nothing_of_another_tenant_is_read(scene, globex, send):
    send.prometheus(scene.id, fire(0))
    engine()
    group = scene.group()
    with in_tenant(globex.id):
        trace = stored.of_group(group)
    assert not trace.of("delivery")
    assert not [line for line in trace.of("policy") if line.code.startswith("step")]
