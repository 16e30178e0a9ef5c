"""What do the last alerts' labels propose as services?"""

from __future__ import annotations

import pytest

from alertcenter.alerts import service_graph, services
from alertcenter.alerts.models import Service
from alertcenter.alerts.service_import import condition, create, free_slug, proposals
from tenants.actors import THE_ENGINE
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.conftest import make_alert
from tests.alerts.test_services import make

pytestmark = pytest.mark.django_db


def fill(cast, *all_labels, **values):
    for labels in all_labels:
        number = Counter.next()
        make_alert(cast, number, labels=labels, **values)


class Counter:
    """Numbers for alerts, so that none is met twice."""

    last = 0

    @classmethod
    def next(cls) -> int:
        cls.last += 1
        return cls.last


def test_values_are_counted_the_most_frequent_first(acme):
    with in_tenant(acme.id):
        fill(acme, *[{"service": "shop", "job": "node"}] * 2)
        fill(acme, {"service": "shop"}, state="resolved")
        fill(acme, {"job": "node"}, {"app": "My App"}, {"team": "db"})
        found = [(p.label, p.value, p.alerts, p.firing) for p in proposals(acme.id)]
    assert found == [
        ("service", "shop", 3, 2),
        ("app", "My App", 1, 1),
        ("job", "node", 1, 1),
    ]


def test_what_a_service_has_already_is_not_proposed_again(acme):
    with in_tenant(acme.id):
        make(acme, "shop")
        make(acme, "nodes", matchers=['job=~"node.*"'])
        fill(acme, {"service": "shop"}, {"job": "node-exporter"}, {"job": "other"})
        assert [p.value for p in proposals(acme.id)] == ["other"]


def test_what_is_picked_becomes_a_service_that_takes_those_alerts(acme):
    with in_tenant(acme.id):
        labels = [{"service": "shop"}, {"app": 'My "App" \\ 1'}, {"job": "left"}]
        fill(acme, *labels)
        picks = [("service", "shop"), ("app", 'My "App" \\ 1'), ("job", "invented")]
        made = create(acme.id, picks, actor=THE_ENGINE)
        assert sorted(row.slug for row in made) == ["my-app-1", "shop"]
        for row in made:
            row.full_clean()
        book = services.load(acme.id)
        names = [getattr(book.service_of(one), "slug", None) for one in labels]
        assert names == ["shop", "my-app-1", None]
        assert Service.objects.get(slug="shop").matchers == []
        assert Audit.objects.filter(action="service.create").count() == 2
        assert create(acme.id, picks, actor=THE_ENGINE) == []


def test_two_values_never_share_a_short_name(acme):
    with in_tenant(acme.id):
        make(acme, "my-app")
        fill(acme, {"app": "My App"}, {"app": "my app!"}, {"app": "…"})
        slugs = [p.slug for p in proposals(acme.id)]
    assert len(set(slugs) | {"my-app"}) == 4
    assert free_slug("x" * 100, {"x" * 63}) == "x" * 58 + "-2"


@pytest.mark.parametrize("value", ['a"b', "a\\", "a\nb", " a ", "ü", '"', "\\n"])
def test_any_value_is_written_as_a_condition_that_holds_for_it(acme, value):
    with in_tenant(acme.id):
        make(acme, "it", matchers=[condition("app", value)])
        book = services.load(acme.id)
    assert book.service_of({"app": value})
    assert book.service_of({"app": value + "x"}) is None


def test_an_import_beyond_the_limit_is_refused_as_a_whole(acme, monkeypatch):
    monkeypatch.setattr(service_graph, "MOST_SERVICES", 1)
    with in_tenant(acme.id):
        fill(acme, {"app": "a"}, {"app": "b"})
        with pytest.raises(service_graph.ServiceError):
            create(acme.id, [("app", "a"), ("app", "b")], actor=THE_ENGINE)
        assert Service.objects.count() == 0


def test_another_tenants_labels_propose_nothing(acme, globex):
    with in_tenant(globex.id):
        fill(globex, {"app": "theirs"})
    with in_tenant(acme.id):
        assert proposals(acme.id) == []
