"""A resolve is taken back within seconds: alerts, group, run and pages as before; and
not where something has been heard since."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from alertcenter import flow
from alertcenter.alerts import grouping, reopening
from alertcenter.alerts.models import Alert, Episode, Group, GroupAlert, Route
from alertcenter.dashboard import stories
from escalation import actions
from escalation.models import LastAct
from notifications.models import Delivery
from tenants.actors import THE_ENGINE, Actor
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.escalation.test_line import engine
from tests.stack import until

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor("member", "1", "Bob")


def ended(**labels: str):
    return over(60) | {"labels": {"alertname": "DiskFull"} | labels}


def resolve(scene, actor=BOB):
    with in_tenant(scene.id):
        (found,) = actions.resolve(scene.id, [scene.group().pk], actor=actor)
    assert found.done


def undo(scene, actor=BOB):
    with in_tenant(scene.id):
        group = Group.objects.order_by("number")[0]
        (found,) = actions.undo(scene.id, [group.pk], actor=actor)
    return found.done, found.reason


def states(scene):
    with in_tenant(scene.id):
        return list(Alert.objects.order_by("id").values_list("state", flat=True))


@pytest.fixture
def fired(scene, send):
    """Two alerts fire in one group; #ops was told, bob is due in five minutes."""
    send.prometheus(scene.id, fire(0), fire(0, instance="2"))
    engine()
    return scene


def test_all_is_as_before(fired):
    with in_tenant(fired.id):
        before = list(Alert.objects.order_by("id").values("state", "expires_at"))
    (due,) = fired.due()
    resolve(fired)
    engine()
    assert set(states(fired)) == {"resolved"}
    assert fired.due() == []
    assert [d.state for d in fired.deliveries()] == ["cancelled"]

    assert undo(fired) == (True, "done")
    engine()
    group = fired.group()
    assert (group.state, group.firing_count, group.resolved_at) == ("firing", 2, None)
    (again,) = fired.due()
    assert (again.pk, again.due_at) == (due.pk, due.due_at)
    assert [run.state for run in fired.runs()] == ["active"]
    assert [d.state for d in fired.deliveries()] == ["pending"]
    with in_tenant(fired.id):
        after = Alert.objects.order_by("id")
        assert list(after.values("state", "expires_at")) == before
        assert {(a.ends_at, a.closed_by) for a in after} == {(None, "")}
        for episode in Episode.objects.all():
            assert (episode.ends_at, episode.closed_by) == (None, "")
        assert not GroupAlert.objects.exclude(left_at=None).exists()
        assert Group.objects.count() == 1
        assert Episode.objects.count() == 2
        entries = stories.story(fired.id, group.number).entries
    assert entries[0].said == "the last act was taken back"


def test_the_policy_goes_on_and_a_later_end_resolves_it(fired, send):
    resolve(fired)
    undo(fired)
    engine()
    fired.pass_time(301)
    engine()
    assert [d.address for d in fired.deliveries() if d.member] == ["bob@acme.example"]
    send.prometheus(fired.id, ended(), ended(instance="2"))
    engine()
    assert fired.group().state == "resolved"


def test_an_acknowledged_group_is_acknowledged_again(fired):
    with in_tenant(fired.id):
        actions.acknowledge(fired.id, [fired.group().pk], actor=BOB)
    resolve(fired)
    assert undo(fired) == (True, "done")
    engine()
    assert (fired.group().state, fired.group().acked_by) == ("acknowledged", "Bob")
    assert fired.due() == []


def test_who_was_told_of_the_end_is_told_that_it_is_none(fired):
    sent(fired)
    resolve(fired)
    undo(fired)
    lines = [d.message["note"]["kind"] for d in fired.deliveries("reply")]
    assert lines == ["resolved", "reopened"]
    redraws = fired.deliveries("update")
    assert redraws[-1].message["state"] == "firing"


def sent(scene):
    """Let the pages have been sent."""
    with in_tenant(scene.id):
        pages = Delivery.objects.filter(kind="page")
        pages.update(state="sent", attempts=1, sent_at=Now())


def test_dashboard_and_api_undo_what_their_person_resolved(fired):
    client = Client()
    client.force_login(fired.acme.user("bob"))
    group = str(fired.group().pk)
    for path, name in (("/t/acme/act/", "do"), ("/t/acme/api/v1/acts", "act")):
        for act, state in (("resolve", "resolved"), ("undo", "firing")):
            wanted = {name: act, "groups": [group]}
            answer = client.post(path, wanted, content_type="application/json")
            assert answer.status_code == 200, answer.content
            (result,) = answer.json()["results"]
            assert (result["done"], result["state"]) == (True, state)
            assert fired.group().state == state


def test_after_the_seconds_it_is_too_late(fired):
    resolve(fired)
    with in_tenant(fired.id):
        LastAct.objects.update(at=F("at") - timedelta(seconds=13))
    assert undo(fired) == (False, "too_late")
    assert set(states(fired)) == {"resolved"}


def test_nobody_undoes_what_another_or_the_source_ended(fired, send):
    resolve(fired)
    assert undo(fired, Actor("member", "2", "Vera")) == (False, "too_late")
    assert undo(fired, THE_ENGINE) == (False, "too_late")
    assert undo(fired) == (True, "done")
    with in_tenant(fired.id):
        actions.acknowledge(fired.id, [fired.group().pk], actor=BOB)
    send.prometheus(fired.id, ended(), ended(instance="2"))
    engine()
    assert fired.group().state == "resolved"
    assert undo(fired) == (False, "too_late")


def test_what_its_source_ended_meanwhile_stays_over(fired, send):
    resolve(fired)
    send.prometheus(fired.id, ended())
    engine()
    assert undo(fired) == (True, "done")
    engine()
    assert sorted(states(fired)) == ["firing", "resolved"]
    assert fired.group().firing_count == 1
    resolve(fired)
    send.prometheus(fired.id, ended(instance="2"))
    assert undo(fired) == (False, "too_late")
    assert fired.group().state == "resolved"


def test_a_new_group_in_its_place_keeps_the_place(fired, send):
    resolve(fired)
    send.prometheus(fired.id, fire(60))
    engine()
    with in_tenant(fired.id):
        assert Group.objects.count() == 2
    assert undo(fired) == (False, "too_late")
    with in_tenant(fired.id):
        assert Group.objects.exclude(state="resolved").count() == 1


def test_an_alert_that_left_another_group_since_is_not_opened_again(scene, send):
    with in_tenant(scene.id):
        rest = Route.objects.get()
        for position in (1, 2):
            Route.objects.create(
                tenant_id=scene.id,
                name=f"R{position}",
                parent=None if rest.is_default else rest,
                position=position,
                matchers=[],
                group_by=["alertname"],
                group_wait_seconds=0,
                continue_matching=True,
                policy=rest.policy,
            )
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        assert Group.objects.count() == 2
        one, other = Group.objects.order_by("number")
        actions.resolve(scene.id, [one.pk], actor=BOB)
    engine()
    with in_tenant(scene.id):
        other.refresh_from_db()
        assert other.state == "resolved"
        (found,) = actions.undo(scene.id, [one.pk], actor=BOB)
    assert (found.done, found.reason) == (False, "too_late")
    assert states(scene) == ["resolved"]


def test_several_at_once_are_undone_together(fired, send):
    send.own(fired.id, {"labels": {"alertname": "Other"}})
    engine()
    with in_tenant(fired.id):
        ids = list(Group.objects.values_list("pk", flat=True))
        assert len(ids) == 2
        assert all(o.done for o in actions.resolve(fired.id, ids, actor=BOB))
        assert all(o.done for o in actions.undo(fired.id, ids, actor=BOB))
    engine()
    assert set(states(fired)) == {"firing"}


def test_too_many_alerts_are_resolved_for_good(fired, monkeypatch):
    monkeypatch.setattr(reopening, "MOST_ALERTS", 1)
    resolve(fired)
    assert undo(fired) == (False, "too_late")


def test_an_undone_resolve_leaves_nothing_to_undo(fired):
    resolve(fired)
    assert undo(fired) == (True, "done")
    assert undo(fired) == (False, "too_late")


WAITS = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
)


def waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return bool(cursor.fetchone()[0])


def test_an_undo_while_the_flow_takes_up_its_alert_waits_and_both_end(
    fired, send, monkeypatch
):
    """The undo holds the alert and waits for the flow, which lets it join a group."""
    resolve(fired)
    send.prometheus(fired.id, fire(60))
    real, said = grouping.regroup, []

    def take_back() -> None:
        try:
            said.append(undo(fired))
        finally:
            connection.close()

    thread = threading.Thread(target=take_back)

    def regroup(*given, **more):
        if thread.ident is None:
            thread.start()
            until(waits, 10)
        return real(*given, **more)

    monkeypatch.setattr(flow, "regroup", regroup)
    engine()
    thread.join(10)
    assert said == [(False, "too_late")]
    with in_tenant(fired.id):
        assert Group.objects.exclude(state="resolved").count() == 1
        assert Group.objects.count() == 2
