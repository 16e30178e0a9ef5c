"""A dry run says what the engine would do, shows it by and by, and touches nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from alertcenter.alerts.models import Alert, Group, Transition
from alertcenter.dashboard.simulation import cards
from escalation import dry_run
from escalation.dry_run import Progress
from escalation.models import DryRun, DueStep, Run, StepTurn, Team
from escalation.steps.base import Supposed
from notifications.models import Delivery, SimulatedMessage
from tenants.actors import THE_ENGINE
from tenants.models import Audit
from tests.escalation.playing import Play

pytestmark = pytest.mark.django_db

MINUTE = 60


def begin(play: Play, policy: Any, **labels: str) -> DryRun:
    group = Supposed(5, labels)
    found = dry_run.begin(play.id, policy.pk, play.now, group, actor=THE_ENGINE)
    assert found
    return found


def two_levels(play: Play) -> Any:
    return play.policy(
        {"kind": "channel", "channel": play.channel()},
        {"kind": "wait", "wait_seconds": 5 * MINUTE},
        {"kind": "round_robin", "members": play.ids("bob", "vera")},
        {"kind": "wait", "wait_seconds": 10 * MINUTE},
        {"kind": "repeat", "times": 1},
    )


def told(run: DryRun) -> list[tuple[float, str]]:
    return [
        (target["after"], target["member"] or target["channel"])
        for event in run.events
        for target in event["told"]
    ]


def test_it_tells_whom_the_engine_tells_at_the_same_minutes(play):
    policy = two_levels(play)
    run = begin(play, policy)
    real: list[tuple[float, str]] = []
    play.begin(policy)
    for minute in range(31):
        pages = Delivery.objects.filter(kind="page").order_by("id")[len(real) :]
        real += [(minute * 60.0, str(p.member_id or p.channel_id)) for p in pages]
        play.wait(MINUTE)
    assert len(real) == 4
    assert told(run) == real


def test_nothing_real_is_made_and_nothing_moves(play):
    policy = two_levels(play)
    begin(play, policy)
    for model in (Group, Alert, Run, DueStep, Delivery, Transition, StepTurn):
        assert not model.objects.exists(), model


def test_a_minute_lasts_a_second(play):
    run = begin(play, two_levels(play))
    start = run.created_at
    moments = dry_run.messages(run).values_list("at", flat=True)
    assert [(at - start).total_seconds() for at in moments] == [0, 5, 15, 20]
    assert Progress(run, start + timedelta(seconds=5)).after == 5 * MINUTE
    assert not Progress(run, start + timedelta(seconds=29)).over
    assert Progress(run, start + timedelta(seconds=30)).over


def test_the_outbox_shows_only_what_has_come(play):
    run = begin(play, two_levels(play))
    before = cards.version(play.id)
    assert [card["id"] for card in cards.cards(play.id)] == [
        dry_run.messages(run)[0].pk
    ]
    later(play, 6)
    assert len(cards.cards(play.id)) == 2
    assert cards.version(play.id) != before


def later(play: Play, seconds: int) -> None:
    """Let so many seconds pass: what was written, and begun, is older by them."""
    with connection.cursor() as cursor:
        for table, column in (("simulated_message", "at"), ("dry_run", "created_at")):
            cursor.execute(
                f"UPDATE {table} SET {column} = {column} - %s * interval '1 second'",
                [seconds],
            )


def test_each_message_says_that_it_is_a_dry_run_and_has_no_buttons(play):
    play.acme.tenant.language = "de"
    play.acme.tenant.save()
    run = begin(play, two_levels(play), alertname="Disk <full>")
    assert dry_run.messages(run).count() == 4
    for card in dry_run.messages(run):
        payload = card.payload
        assert payload["subject"].startswith("[")
        assert "Disk" in payload["subject"]
        assert "actions" not in payload
        assert "blocks" not in payload
    assert {row.kind for row in dry_run.messages(run)} == {"slack", "email"}
    told = {row.payload["member"] for row in dry_run.messages(run)}
    assert told == {"", *play.ids("bob", "vera")}


def test_stopped_nothing_more_comes(play):
    run = begin(play, two_levels(play))
    later(play, 6)
    run.refresh_from_db()
    assert dry_run.stop(run, THE_ENGINE)
    assert dry_run.messages(run).count() == 2
    hour = play.now + timedelta(hours=1)
    assert 6 * MINUTE <= Progress(run, hour).after < 15 * MINUTE
    assert Progress(run, hour).over
    assert not dry_run.stop(run, THE_ENGINE)
    assert [row.action for row in Audit.objects.order_by("id")][-2:] == [
        "policy.dry_run_begun",
        "policy.dry_run_stopped",
    ]


def test_another_of_the_same_policy_ends_the_first(play):
    policy = two_levels(play)
    first = begin(play, policy)
    begin(play, policy)
    first.refresh_from_db()
    assert first.stopped_at
    assert dry_run.messages(first).count() == 1


def test_nobody_on_call_is_said_and_gone_past_at_once(play):
    team = Team.objects.create(tenant_id=play.id, name="Nobody's")
    policy = play.policy(
        {"kind": "team", "team": str(team.pk)},
        {"kind": "wait", "wait_seconds": 5 * MINUTE},
        {"kind": "channel", "channel": play.channel()},
    )
    run = begin(play, policy)
    assert [event["reason"] for event in run.events] == ["nobody", ""]
    assert [event["after"] for event in run.events] == [0.0, 0.0]


def test_days_are_cut_and_it_is_said(play):
    policy = play.policy(
        {"kind": "channel", "channel": play.channel()},
        {"kind": "wait", "wait_seconds": 3 * 24 * 3600},
        {"kind": "channel", "channel": play.channel()},
    )
    run = begin(play, policy)
    assert (run.ends, len(run.events)) == ("long", 1)
    assert SimulatedMessage.objects.count() == 1


def test_many_people_fill_no_outbox(play, monkeypatch):
    monkeypatch.setattr(dry_run, "MOST_MESSAGES", 3)
    policy = play.policy({"kind": "members", "members": play.ids(*"abcdef")})
    run = begin(play, policy)
    assert dry_run.messages(run).count() == 3
    assert len(run.events[0]["told"]) == 6
