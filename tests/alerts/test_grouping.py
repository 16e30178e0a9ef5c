"""Which groups do alerts open, join and leave?"""

from __future__ import annotations

import pytest

from alertcenter.alerts.grouping import regroup
from alertcenter.alerts.models import (
    Alert,
    Group,
    GroupAlert,
    Route,
    Rule,
    Transition,
)
from alertcenter.alerts.routing import RouteBook, explain, load, place
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def routed(acme):
    with in_tenant(acme.id):
        Route.objects.create(
            tenant_id=acme.id,
            name="db",
            position=1,
            matchers=['team="db"'],
            group_by=["alertname", "cluster"],
        )
        Route.objects.create(
            tenant_id=acme.id, name="rest", is_default=True, group_by=["alertname"]
        )
    return acme


def settle(tenant_id):
    """Regroup every alert, as the flow does after a change."""
    with in_tenant(tenant_id):
        ids = list(Alert.objects.values_list("pk", flat=True))
        return regroup(tenant_id, ids, routes=RouteBook())


def test_alerts_that_agree_in_the_grouping_labels_are_one_group(routed, send):
    send.prometheus(
        routed.id,
        *[fire(0, team="db", cluster="a", instance=str(n)) for n in range(20)],
        fire(0, team="db", cluster="b"),
        fire(0, team="web"),
    )
    changed = settle(routed.id)
    assert sorted(len(g.joined) for g in changed) == [1, 1, 20]
    with in_tenant(routed.id):
        assert sorted(Group.objects.values_list("number", flat=True)) == [1, 2, 3]
        big = Group.objects.get(firing_count=20)
        assert big.labels == {"alertname": "DiskFull", "cluster": "a"}
        assert big.route is not None
        assert big.route.name == "db"


def test_looking_twice_changes_nothing(routed, send):
    send.prometheus(routed.id, fire(0))
    assert settle(routed.id)[0].opened
    again = settle(routed.id)
    assert [(g.opened, g.resolved, g.joined) for g in again] == [(False, False, [])]
    with in_tenant(routed.id):
        assert Group.objects.count() == 1
        assert GroupAlert.objects.count() == 1


def test_a_group_resolves_with_its_last_alert_and_the_next_firing_opens_another(
    routed, send
):
    send.prometheus(routed.id, fire(0))
    settle(routed.id)
    send.prometheus(routed.id, over(5))
    assert [g.resolved for g in settle(routed.id)] == [True]
    send.prometheus(routed.id, fire(10))
    settle(routed.id)
    with in_tenant(routed.id):
        first, second = Group.objects.order_by("number")
        assert (first.state, second.state) == ("resolved", "firing")
        assert second.previous_id == first.pk
        assert second.key == first.key
        kinds = Transition.objects.filter(group_id=first.pk).order_by("id")
        assert [t.kind for t in kinds] == ["opened", "resolved"]


def test_an_alert_that_came_and_went_before_anybody_looked_opens_no_group(routed, send):
    send.prometheus(routed.id, fire(0), over(5))
    assert settle(routed.id) == []


def test_without_any_route_an_alert_is_still_a_group_of_its_own(acme, send):
    send.prometheus(acme.id, fire(0, n="1"), fire(0, n="2"))
    assert len(settle(acme.id)) == 2


def test_keyed_alerts_are_one_group_each_unless_they_carry_the_labels(routed, send):
    send.own(
        routed.id,
        {"title": "A", "key": "1"},
        {"title": "B", "key": "2"},
        {"title": "C", "key": "3", "labels": {"alertname": "X"}},
        {"title": "D", "key": "4", "labels": {"alertname": "X"}},
    )
    assert sorted(len(g.joined) for g in settle(routed.id)) == [1, 1, 2]


def test_a_worse_alert_raises_the_groups_severity_and_gives_it_its_title(routed, send):
    send.prometheus(routed.id, fire(0, severity="warning"))
    settle(routed.id)
    worse = fire(0, severity="critical") | {"annotations": {"summary": "On fire"}}
    send.prometheus(routed.id, worse)
    settle(routed.id)
    with in_tenant(routed.id):
        group = Group.objects.get()
        assert (group.severity, group.title, group.alert_count) == (5, "On fire", 2)


def test_the_tester_shows_each_condition_with_the_value_it_saw(routed):
    with in_tenant(routed.id):
        routes = load(routed.id)
    trials = explain(routes, {"team": "web"})
    assert [t.route.name for t in trials] == ["rest", "db"]
    assert trials[1].conditions == [('team="db"', "web", False)]
    assert [t.matched for t in trials] == [True, False]
    assert [t.taken for t in trials] == [True, False]
    (placement,) = place(routes, {"team": "web"}, "l/x")
    assert placement.route.name == "rest"


@pytest.mark.parametrize(
    "event",
    [
        {"title": "A", "severity": "critical", "labels": {"host": "a"}},
        {"title": "A", "key": "k", "severity": "P1"},
        {"title": "A", "labels": {"severity": "warning", "to": "raise"}},
        {"title": "A", "labels": {"severity": "warning", "to": "relabel"}},
    ],
)
def test_a_condition_on_severity_takes_what_screens_call_so(routed, send, event):
    with in_tenant(routed.id):
        Route.objects.create(
            tenant_id=routed.id,
            name="worst",
            position=0,
            matchers=['severity="critical"'],
        )
        for change in (
            {"matchers": ["to=raise"], "set_severity": 5},
            {"matchers": ["to=relabel"], "set_labels": {"severity": "critical"}},
        ):
            Rule.objects.create(tenant_id=routed.id, name=str(change), **change)
    send.own(routed.id, event)
    settle(routed.id)
    with in_tenant(routed.id):
        group = Group.objects.select_related("route").get()
        assert group.route is not None
        assert (group.route.name, group.severity) == ("worst", 5)
