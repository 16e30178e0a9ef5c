"""What does accepting events write, and what does it refuse?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection

from alertcenter.alerts import intake, lifecycle
from alertcenter.alerts.models import Alert, Episode, Feed, Rule, Transition
from tenants.actors import Actor
from tenants.rls import in_tenant
from tests.sending import only_alert

pytestmark = pytest.mark.django_db(transaction=True)

T0 = datetime(2026, 11, 20, 10, tzinfo=UTC)
BOB = Actor("member", "1", "Bob")


def at(minutes: int) -> str:
    return (T0 + timedelta(minutes=minutes)).isoformat()


def fire(minutes: int, **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": "DiskFull"} | labels,
        "startsAt": at(minutes),
        "endsAt": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
    }


def over(minutes: int) -> dict[str, Any]:
    return {
        "labels": {"alertname": "DiskFull"},
        "startsAt": at(0),
        "endsAt": at(minutes),
    }


def kinds(tenant_id) -> list[str]:
    with in_tenant(tenant_id):
        return list(Transition.objects.order_by("id").values_list("kind", flat=True))


def test_a_repeat_counts_and_changes_nothing_else(acme, send):
    send.prometheus(acme.id, fire(0))
    first = only_alert(acme.id)
    send.prometheus(acme.id, fire(0))
    again = only_alert(acme.id)
    assert (again.count, again.version, again.episode_id) == (2, 1, first.episode_id)
    assert again.last_at > first.last_at
    assert kinds(acme.id) == ["opened"]


def test_a_new_firing_after_a_resolve_is_a_new_episode_on_the_same_row(acme, send):
    send.prometheus(acme.id, fire(0))
    first = only_alert(acme.id)
    send.prometheus(acme.id, over(5))
    assert only_alert(acme.id).state == "resolved"
    send.prometheus(acme.id, fire(10))
    again = only_alert(acme.id)
    assert again.pk == first.pk
    assert again.state == "firing"
    assert again.episode_id != first.episode_id
    with in_tenant(acme.id):
        episodes = list(Episode.objects.order_by("number"))
        assert [e.ends_at is None for e in episodes] == [False, True]
        assert episodes[0].ends_at == T0 + timedelta(minutes=5)
    assert kinds(acme.id) == ["opened", "resolved", "opened"]


def test_any_order_of_the_same_events_ends_in_the_same_state(acme, send):
    events = [fire(0), over(5), fire(10), over(15)]
    ends = set()
    for number, order in enumerate(permutations(events)):
        mark = {"instance": str(number)}
        for event in order:
            send.prometheus(acme.id, event | {"labels": event["labels"] | mark})
        with in_tenant(acme.id):
            alert = Alert.objects.get(labels__instance=str(number))
            ends.add((alert.state, alert.state_at))
    assert ends == {("resolved", T0 + timedelta(minutes=15))}


def test_in_one_request_fire_resolve_fire_are_taken_in_turn(acme, send):
    send.prometheus(acme.id, fire(0), over(5), fire(10))
    assert only_alert(acme.id).state == "firing"
    assert kinds(acme.id) == ["opened", "resolved", "opened"]


def test_a_persons_resolve_is_not_undone_by_the_next_repeat(acme, send):
    send.prometheus(acme.id, fire(0))
    alert = only_alert(acme.id)
    with in_tenant(acme.id):
        assert lifecycle.resolve_alerts(acme.id, [alert.pk], actor=BOB) == [alert.pk]
    send.prometheus(acme.id, fire(0))
    assert only_alert(acme.id).state == "resolved"
    send.prometheus(acme.id, fire(30))
    assert only_alert(acme.id).state == "firing"


def test_a_trigger_without_a_time_reopens_what_a_person_resolved(acme, send):
    send.own(acme.id, {"title": "Backup failed", "key": "backup"})
    alert = only_alert(acme.id)
    with in_tenant(acme.id):
        lifecycle.resolve_alerts(acme.id, [alert.pk], actor=BOB)
    send.own(acme.id, {"title": "Backup failed", "key": "backup"})
    assert only_alert(acme.id).state == "firing"


def test_what_is_not_seen_by_its_end_expires_and_any_firing_reopens_it(acme, send):
    send.prometheus(acme.id, fire(0))
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute("UPDATE alert SET expires_at = now() - interval '1 second'")
    with in_tenant(acme.id):
        assert lifecycle.expire_alerts() == 1
    assert only_alert(acme.id).closed_by == "timeout"
    send.prometheus(acme.id, fire(0))
    assert only_alert(acme.id).state == "firing"
    assert kinds(acme.id) == ["opened", "expired", "opened"]


def test_a_worse_severity_under_one_key_is_a_transition(acme, send):
    send.own(acme.id, {"title": "Queue", "key": "q", "severity": "warning"})
    send.own(acme.id, {"title": "Queue", "key": "q", "severity": "critical"})
    assert only_alert(acme.id).severity == 5
    assert kinds(acme.id) == ["opened", "repeated_severity"]


def test_a_time_in_the_future_counts_as_now(acme, send):
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    send.own(acme.id, {"title": "Clock", "key": "c", "starts_at": ahead})
    send.own(acme.id, {"title": "Clock", "key": "c", "status": "resolved"})
    assert only_alert(acme.id).state == "resolved"


def test_every_change_leaves_a_row_for_the_flow_and_repeats_leave_none(acme, send):
    send.prometheus(acme.id, fire(0))
    send.prometheus(acme.id, fire(0), over(5))
    with in_tenant(acme.id):
        assert Feed.objects.count() == 2


def test_rules_drop_and_change_before_identity_is_decided(acme, send):
    with in_tenant(acme.id):
        Rule.objects.create(
            tenant_id=acme.id, name="drop", matchers=['env="dev"'], drop=True
        )
        Rule.objects.create(
            tenant_id=acme.id,
            name="raise",
            matchers=['team=~"db|disk"'],
            set_severity=5,
            set_labels={"owner": "dba", "team": ""},
        )
    result = send.prometheus(acme.id, fire(0, env="dev"), fire(0, team="db"))
    assert (result.kept, result.dropped) == (1, 1)
    alert = only_alert(acme.id)
    assert alert.severity == 5
    assert alert.labels == {"alertname": "DiskFull", "owner": "dba"}


def test_the_same_labels_in_two_tenants_are_two_alerts(acme, globex, send):
    send.prometheus(acme.id, fire(0))
    send.prometheus(globex.id, fire(0))
    assert only_alert(acme.id).pk != only_alert(globex.id).pk


def test_without_a_database_nothing_is_promised(acme, send, monkeypatch):
    def refuse(_purpose: str) -> None:
        import psycopg2

        raise psycopg2.OperationalError("no server")

    monkeypatch.setattr("alertcenter.alerts.writer.connect", refuse)
    with pytest.raises(intake.DatabaseAway):
        send.prometheus(acme.id, fire(0))


def test_a_row_the_database_refuses_fails_alone(acme, send, monkeypatch):
    from alertcenter.alerts import rows

    real = rows.as_text

    def spoil(tenant, key, event, correlation_id):
        text = real(tenant, key, event, correlation_id)
        if event.labels.get("poison"):
            return text.replace('"starts_at":"', '"starts_at":"not a time ')
        return text

    monkeypatch.setattr(rows, "as_text", spoil)
    events = [fire(0, n=str(n)) for n in range(5)]
    events[3]["labels"]["poison"] = "1"
    result = send.prometheus(acme.id, *events)
    assert result.kept == 4
    assert [e.index for e in result.errors] == [3]
    with in_tenant(acme.id):
        assert Alert.objects.count() == 4
