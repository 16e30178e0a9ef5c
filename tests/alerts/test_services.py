"""Which service does an alert trouble, and what may a service need?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from alertcenter.alerts import service_graph, services
from alertcenter.alerts.models import Service, ServiceDependency
from alertcenter.alerts.service_graph import ServiceError, set_needs
from alertcenter.common.ids import uuid7
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db


def make(cast, slug, **values):
    values.setdefault("name", slug.title())
    return Service.objects.create(tenant_id=cast.id, slug=slug, **values)


def chosen(cast, **labels):
    found = services.load(cast.id).service_of(labels)
    return found.slug if found else None


# --- whose alert is it? ---


def test_without_conditions_the_label_service_decides(acme):
    with in_tenant(acme.id):
        make(acme, "checkout")
        assert chosen(acme, service="checkout") == "checkout"
        assert chosen(acme, service="Checkout") is None
        assert chosen(acme, job="checkout") is None


def test_all_conditions_must_hold_and_replace_the_label(acme):
    with in_tenant(acme.id):
        make(acme, "db", matchers=['team="db"', 'env=~"prod|stage"'])
        assert chosen(acme, team="db", env="prod") == "db"
        assert chosen(acme, team="db", env="test") is None
        assert chosen(acme, service="db") is None


def test_of_several_the_first_by_position_has_the_alert(acme):
    with in_tenant(acme.id):
        make(acme, "a", position=20, matchers=['team="db"'])
        make(acme, "z", position=10, matchers=['team=~"d.*"'])
        assert chosen(acme, team="db") == "z"
        Service.objects.filter(slug="z").update(active=False)
        assert chosen(acme, team="db") == "a"


def test_a_service_that_cannot_be_read_takes_nothing_and_harms_no_other(acme):
    with in_tenant(acme.id):
        make(acme, "broken", position=1, matchers=['a=~"(?=x)"'])
        make(acme, "whole", position=2, matchers=['a="x"'])
        assert chosen(acme, a="x") == "whole"


def test_the_book_is_read_again_after_two_seconds_at_most(acme, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    book = services.ServiceBook()
    with in_tenant(acme.id):
        assert not book.book(acme.id)
        make(acme, "new")
        assert not book.book(acme.id)
        now[0] += 2
        assert book.book(acme.id).service_of({"service": "new"})


def test_another_tenants_services_take_nothing(acme, globex):
    with in_tenant(globex.id):
        make(globex, "checkout")
    with in_tenant(acme.id):
        assert chosen(acme, service="checkout") is None


# --- what a row may hold ---


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "two words"),
        ("slug", "-dash"),
        ("slug", "a\n"),
        ("runbook_url", "javascript:alert(1)"),
        ("runbook_url", "ftp://files.example/runbook"),
        ("runbook_url", "https://"),
        ("runbook_url", "http://x.example/ onclick=x"),
        ("dashboard_url", "//example.com/x"),
        ("matchers", ['team=~"(?!db)"']),
        ("tier", 5),
    ],
)
def test_what_a_service_may_not_be_is_refused(acme, field, value):
    with in_tenant(acme.id):
        row = Service(
            tenant_id=acme.id, slug="a", name="A", runbook_url="http://wiki/a"
        )
        row.full_clean()
        setattr(row, field, value)
        with pytest.raises(ValidationError) as refused:
            row.full_clean()
    assert field in refused.value.message_dict


def test_a_team_goes_before_a_members_name(acme):
    alice = acme.members["alice"]
    assert Service(team="Payments", owner=alice).said_owner == "Payments"
    assert Service(owner=alice).said_owner == "Alice"
    assert Service().said_owner == ""


# --- what it needs ---


def chain(cast, *slugs):
    """Make services each of which needs the next."""
    rows = [make(cast, slug) for slug in slugs]
    for above, below in pairwise(rows):
        set_needs(cast.id, above.pk, [below.pk])
    return rows


def test_a_circle_is_refused_with_the_way_round_and_nothing_is_written(acme):
    with in_tenant(acme.id):
        shop, _, db = chain(acme, "shop", "api", "db")
        with pytest.raises(ServiceError) as refused:
            set_needs(acme.id, db.pk, [shop.pk])
        assert refused.value.code == "cycle"
        assert "Db → Shop → Api → Db" in str(refused.value)
        assert ServiceDependency.objects.count() == 2


def test_a_service_cannot_need_itself_even_past_our_code(acme):
    with in_tenant(acme.id):
        shop = make(acme, "shop")
        with pytest.raises(ServiceError) as refused:
            set_needs(acme.id, shop.pk, [shop.pk])
        assert refused.value.code == "itself"
        with pytest.raises(DatabaseError), transaction.atomic():
            ServiceDependency.objects.create(
                tenant_id=acme.id, service=shop, needs=shop
            )


def test_what_it_needs_is_replaced_as_a_whole(acme):
    with in_tenant(acme.id):
        shop, api, db = (make(acme, slug) for slug in ("shop", "api", "db"))
        assert set_needs(acme.id, shop.pk, [api.pk])
        assert set_needs(acme.id, shop.pk, [db.pk])
        assert not set_needs(acme.id, shop.pk, [db.pk])
        assert service_graph.load(acme.id).needs[shop.pk] == {db.pk}


def test_more_than_twenty_needs_and_two_thousand_services_are_refused(
    acme, monkeypatch
):
    with in_tenant(acme.id):
        shop = make(acme, "shop")
        others = [make(acme, f"s{n}") for n in range(21)]
        with pytest.raises(ServiceError, match="20"):
            set_needs(acme.id, shop.pk, [row.pk for row in others])
        assert set_needs(acme.id, shop.pk, [row.pk for row in others[:20]])
        monkeypatch.setattr(service_graph, "MOST_SERVICES", 23)
        service_graph.make_room(acme.id)
        with pytest.raises(ServiceError, match="23"):
            service_graph.make_room(acme.id, 2)


def test_what_is_needed_must_be_there_and_ours(acme, globex):
    with in_tenant(globex.id):
        theirs = make(globex, "theirs")
    with in_tenant(acme.id):
        shop = make(acme, "shop")
        for pk in (theirs.pk, uuid7()):
            with pytest.raises(ServiceError) as refused:
                set_needs(acme.id, shop.pk, [pk])
            assert refused.value.code == "unknown"


def test_impact_is_transitive_nearest_first_and_bounded(acme, monkeypatch):
    with in_tenant(acme.id):
        shop, api, db, disk = chain(acme, "shop", "api", "db", "disk")
        set_needs(acme.id, shop.pk, [api.pk, disk.pk])
        graph = service_graph.load(acme.id)
        assert graph.impact(disk.pk) in (
            [(db.pk, 1), (shop.pk, 1), (api.pk, 2)],
            [(shop.pk, 1), (db.pk, 1), (api.pk, 2)],
        )
        book = services.load(acme.id)
        assert set(book.dependents(db.pk)) == {api.pk, shop.pk}
    assert len(services.reach(graph.needed_by, disk.pk, 2)) == 2


def test_a_deep_and_wide_graph_is_walked_once():
    ids = [uuid7() for _ in range(1_000)]
    edges = {
        pk: ids[n + 1 : n + 21] for n, pk in enumerate(ids)
    }  # 20 ways each: counting ways would never end
    assert service_graph.way(edges, ids[0], ids[-1])[-1] == ids[-1]
    assert len(services.reach(edges, ids[0], 5_000)) == 999


@pytest.mark.django_db(transaction=True)
def test_deleting_a_service_takes_its_dependencies_along(acme):
    with in_tenant(acme.id):
        _, api, _ = chain(acme, "shop", "api", "db")
        api.delete()
        assert ServiceDependency.objects.count() == 0
