"""Which service does a group trouble, and how urgent is it, as alerts come and go?"""

from __future__ import annotations

from typing import Any

import pytest

from alertcenter.alerts import weighing
from alertcenter.alerts.grouping import regroup
from alertcenter.alerts.models import Alert, Feed, Group, Route, Service
from alertcenter.alerts.priority import LARGE
from alertcenter.alerts.routing import RouteBook
from alertcenter.alerts.service_graph import set_needs
from alertcenter.alerts.services import ServiceBook
from tenants.rls import in_tenant
from tests.alerts.test_intake import at, fire
from tests.alerts.test_services import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_services(monkeypatch):
    """No test knows the services of another."""
    monkeypatch.setattr(weighing, "_services", ServiceBook())


@pytest.fixture
def routed(acme):
    with in_tenant(acme.id):
        Route.objects.create(
            tenant_id=acme.id, name="rest", is_default=True, group_by=["team"]
        )
    return acme


def over(minutes: int, **labels: str) -> dict[str, Any]:
    return fire(0, **labels) | {"endsAt": at(minutes)}


def settle(cast):
    with in_tenant(cast.id):
        ids = list(Alert.objects.values_list("pk", flat=True))
        regroup(cast.id, ids, routes=RouteBook())


def group_of(cast, **labels) -> Group:
    with in_tenant(cast.id):
        rows = Group.objects.select_related("service").filter(labels=labels)
        return rows.latest("number")


def seen(cast, **labels):
    group = group_of(cast, **labels)
    return group.service.slug if group.service else None, group.priority


def codes(group):
    return [reason["code"] for reason in group.priority_reason]


def test_without_services_severity_alone_says_how_urgent_a_group_is(routed, send):
    send.prometheus(routed.id, fire(0, team="a", severity="critical"))
    send.prometheus(routed.id, fire(0, team="b", severity="info"))
    settle(routed)
    assert seen(routed, team="a") == (None, 2)
    assert seen(routed, team="b") == (None, 5)
    assert codes(group_of(routed, team="a")) == ["severity"]


def test_a_new_group_names_its_service_and_counts_its_importance(routed, send):
    with in_tenant(routed.id):
        make(routed, "checkout", tier=1)
    send.prometheus(
        routed.id, fire(0, team="a", severity="critical", service="checkout")
    )
    settle(routed)
    assert seen(routed, team="a") == ("checkout", 1)
    assert codes(group_of(routed, team="a")) == ["severity", "tier"]


def test_something_more_important_takes_the_name_and_leaving_gives_none_back(
    routed, send
):
    with in_tenant(routed.id):
        make(routed, "batch", tier=4)
        make(routed, "shop", tier=2, position=50)
        make(routed, "api", tier=2, position=60)
    send.prometheus(routed.id, fire(0, team="a", service="batch"))
    settle(routed)
    assert seen(routed, team="a")[0] == "batch"
    send.prometheus(routed.id, fire(1, team="a", service="api"))
    settle(routed)
    assert seen(routed, team="a")[0] == "api"
    send.prometheus(routed.id, fire(2, team="a", service="shop"))
    send.prometheus(routed.id, fire(2, team="a", service="unknown"))
    settle(routed)
    assert seen(routed, team="a")[0] == "shop"
    send.prometheus(routed.id, over(5, team="a", service="shop"))
    settle(routed)
    assert seen(routed, team="a")[0] == "shop"


def test_the_order_in_which_alerts_come_does_not_matter(routed, send):
    with in_tenant(routed.id):
        make(routed, "batch", tier=4)
        make(routed, "shop", tier=1)
    for team, order in (("a", ("batch", "shop")), ("b", ("shop", "batch"))):
        for service in order:
            send.prometheus(routed.id, fire(0, team=team, service=service))
            settle(routed)
    assert seen(routed, team="a") == seen(routed, team="b")


def test_a_group_that_grows_large_and_small_again_changes_its_priority(routed, send):
    many = range(LARGE)
    send.prometheus(
        routed.id, *[fire(0, team="a", severity="error", n=str(n)) for n in many]
    )
    settle(routed)
    assert seen(routed, team="a") == (None, 2)
    assert codes(group_of(routed, team="a")) == ["severity", "size"]
    send.prometheus(routed.id, over(5, team="a", severity="error", n="0"))
    settle(routed)
    assert seen(routed, team="a") == (None, 3)


def test_services_in_trouble_that_need_it_make_it_more_urgent(routed, send):
    with in_tenant(routed.id):
        shop, api, db = (make(routed, slug) for slug in ("shop", "api", "db"))
        set_needs(routed.id, shop.pk, [api.pk])
        set_needs(routed.id, api.pk, [db.pk])
    send.prometheus(routed.id, fire(0, team="quiet", severity="error", service="db"))
    settle(routed)
    assert seen(routed, team="quiet") == ("db", 3)
    send.prometheus(routed.id, fire(1, team="front", severity="error", service="shop"))
    settle(routed)
    send.prometheus(routed.id, fire(2, team="back", severity="error", service="db"))
    settle(routed)
    assert seen(routed, team="back") == ("db", 2)
    assert group_of(routed, team="back").priority_reason[-1] == {
        "code": "dependents",
        "value": 1,
        "by": -1,
    }


def test_what_a_resolved_group_was_stays_on_record(routed, send):
    with in_tenant(routed.id):
        make(routed, "shop", tier=1)
    send.prometheus(routed.id, fire(0, team="a", severity="error", service="shop"))
    settle(routed)
    send.prometheus(routed.id, over(5, team="a", severity="error", service="shop"))
    settle(routed)
    assert group_of(routed, team="a").state == "resolved"
    assert seen(routed, team="a") == ("shop", 2)


# --- after services were edited ---


def test_open_groups_follow_an_edited_service_and_screens_hear_of_it(routed, send):
    send.prometheus(routed.id, fire(0, team="a", severity="error", service="shop"))
    settle(routed)
    with in_tenant(routed.id):
        Feed.objects.all().delete()
        make(routed, "shop", tier=1)
        before = Group.objects.get().version
        assert weighing.reweigh(routed.id) == 1
        group = Group.objects.get()
        assert list(Feed.objects.values_list("group_id", flat=True)) == [group.pk]
        assert group.version == before + 1
        assert weighing.reweigh(routed.id) == 0
    assert seen(routed, team="a") == ("shop", 2)
    with in_tenant(routed.id):
        Service.objects.update(active=False)
        assert weighing.reweigh(routed.id) == 1
    assert seen(routed, team="a") == (None, 3)


def test_a_deleted_service_leaves_its_groups(routed, send):
    with in_tenant(routed.id):
        make(routed, "shop")
    send.prometheus(routed.id, fire(0, team="a", service="shop"))
    settle(routed)
    with in_tenant(routed.id):
        Service.objects.get().delete()
    assert seen(routed, team="a")[0] is None
    with in_tenant(routed.id):
        assert Group.objects.count() == 1
