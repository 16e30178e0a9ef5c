"""Services in the admin: the form, the import, the graph."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from alertcenter.alerts import service_drawing, service_graph
from alertcenter.alerts.models import Group, Service, ServiceDependency
from alertcenter.alerts.service_drawing import HIGH, WIDE, draw
from alertcenter.alerts.service_graph import set_needs
from alertcenter.common.ids import uuid7
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.conftest import make_alert
from tests.alerts.test_services import chain, make
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:alerts_service_add"
LIST = "admin:alerts_service_changelist"


def change(row):
    return reverse("admin:alerts_service_change", args=[row.pk])


def form(name, *needs, ids=(), **values):
    """Return what the form posts; `ids` are of the rows that are there already."""
    given = {
        "name": name,
        "slug": name.lower(),
        "active": "on",
        "tier": "3",
        "position": "100",
        "dependencies-TOTAL_FORMS": str(len(needs)),
        "dependencies-INITIAL_FORMS": str(len(ids)),
    }
    for number, row in enumerate(needs):
        given[f"dependencies-{number}-needs"] = str(row.pk)
        if number < len(ids):
            given[f"dependencies-{number}-id"] = str(ids[number])
    return given | values


def errors(answer):
    assert answer.status_code == 200
    return " ".join(
        re.findall(r'class="errorlist[^"]*"[^>]*>(.*?)</ul>', answer.text, re.S)
    )


# --- the form ---


def test_a_service_is_made_with_what_it_needs_and_audited(acme, alice):
    with in_tenant(acme.id):
        db = make(acme, "db")
    values = {"team": "Payments", "matchers": 'team="pay"\nenv="prod"', "tier": "1"}
    answer = alice.post(reverse(ADD), form("Shop", db, **values))
    assert answer.status_code == 302, errors(answer)
    with in_tenant(acme.id):
        shop = Service.objects.get(slug="shop")
        assert (shop.team, shop.tier) == ("Payments", 1)
        assert shop.matchers == ['team="pay"', 'env="prod"']
        assert [edge.needs_id for edge in shop.dependencies.all()] == [db.pk]
        assert Audit.objects.filter(action="service.create").count() == 1
    page = alice.get(change(db)).text
    assert "1 service:" in page
    assert "Shop" in page


def test_a_circle_is_refused_in_the_form_with_the_way_round(acme, alice):
    with in_tenant(acme.id):
        shop, db = chain(acme, "shop", "db")
    answer = alice.post(change(db), form("Db", shop))
    assert "Db → Shop → Db" in errors(answer)
    answer = alice.post(change(db), form("Db", db))
    assert "cannot need itself" in errors(answer)
    with in_tenant(acme.id):
        other = make(acme, "other")
        assert ServiceDependency.objects.count() == 1
    answer = alice.post(change(db), form("Db", other, other))
    assert errors(answer)


def test_a_need_is_taken_back_in_the_form(acme, alice):
    with in_tenant(acme.id):
        shop, db = chain(acme, "shop", "db")
        (edge,) = ServiceDependency.objects.all()
    gone = form("Shop", db, ids=[edge.pk]) | {"dependencies-0-DELETE": "on"}
    gone["dependencies-0-service"] = str(shop.pk)
    answer = alice.post(change(shop), gone)
    assert answer.status_code == 302, errors(answer)
    with in_tenant(acme.id):
        assert not ServiceDependency.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "two words"},
        {"slug": "db"},
        {"runbook_url": "javascript:alert(1)"},
        {"matchers": 'team=~"(?!x)"'},
        {"tier": "7"},
    ],
)
def test_what_a_service_may_not_be_is_said_in_the_form(acme, alice, wrong):
    with in_tenant(acme.id):
        make(acme, "db")
    assert errors(alice.post(reverse(ADD), form("Shop") | wrong))


def test_one_more_than_there_may_be_is_refused_in_the_form(acme, alice, monkeypatch):
    monkeypatch.setattr(service_graph, "MOST_SERVICES", 1)
    with in_tenant(acme.id):
        db = make(acme, "db")
    assert "may have 1 services" in errors(alice.post(reverse(ADD), form("Shop")))
    assert alice.post(change(db), form("Db")).status_code == 302


def test_a_service_of_another_tenant_cannot_be_needed(acme, globex, alice):
    with in_tenant(globex.id):
        theirs = make(globex, "theirs")
    assert errors(alice.post(reverse(ADD), form("Shop", theirs)))


def test_open_groups_follow_what_is_saved_and_deleted(acme, alice):
    with in_tenant(acme.id):
        alert = make_alert(acme, 1, labels={"service": "shop"})
        group = make_group(acme.id, severity=4, priority=3)
        group.memberships.create(
            tenant_id=acme.id,
            alert=alert,
            episode_id=alert.episode_id or uuid7(),
            joined_at=timezone.now(),
        )
    alice.post(reverse(ADD), form("Shop", tier="1"))
    with in_tenant(acme.id):
        group.refresh_from_db()
        shop = Service.objects.get()
        assert (group.service_id, group.priority) == (shop.pk, 2)
    listed = alice.get(reverse(LIST)).text
    assert "sev-4" in listed
    groups = alice.get(reverse("admin:alerts_group_changelist"), {"service": shop.pk})
    assert f"#{group.number}" in groups.text
    page = alice.get(reverse("admin:alerts_group_change", args=[group.pk])).text
    assert "P2: severity error, the service is vital" in page
    answer = alice.post(
        reverse("admin:alerts_service_delete", args=[shop.pk]), {"post": "yes"}
    )
    assert answer.status_code == 302
    with in_tenant(acme.id):
        group.refresh_from_db()
        assert (group.service_id, group.priority) == (None, 3)


def test_only_who_may_configure_writes_and_everybody_looks(acme, bob, vera):
    with in_tenant(acme.id):
        shop = make(acme, "shop")
    for person in (bob, vera):
        assert person.get(reverse(LIST)).status_code == 200
        assert person.get(change(shop)).status_code == 200
        assert person.get(reverse("admin:alerts_service_graph")).status_code == 200
        assert person.get(reverse(ADD)).status_code == 403
        assert person.get(reverse("admin:alerts_service_import")).status_code == 403
        assert person.post(change(shop), form("Mine")).status_code == 403


# --- import ---


def test_ticked_values_become_services(acme, alice):
    with in_tenant(acme.id):
        for number, labels in enumerate(
            [{"job": "node"}, {"job": "node"}, {"app": 'a="b"'}], 1
        ):
            make_alert(acme, number, labels=labels)
    where = reverse("admin:alerts_service_import")
    page = alice.get(where).text
    assert "job=node" in page
    answer = alice.post(where, {"pick": ["job=node", 'app=a="b"', "job=no"]})
    assert answer.status_code == 302
    with in_tenant(acme.id):
        made = Service.objects.order_by("slug")
        assert [row.matchers for row in made] == [['app="a=\\"b\\""'], ['job="node"']]
    assert "propose nothing new" in alice.get(where).text


# --- the graph ---


def part(pattern, page):
    found = re.search(pattern, page, re.S)
    assert found
    return found[0]


def svg(page):
    return ET.fromstring(part(r"<svg class=.graph.*?</svg>", page))


def boxes(page):
    return {
        group.find("title").text: group.get("class").split()
        for group in svg(page).iter("g")
    }


def test_the_graph_draws_states_and_who_is_hit(acme, alice):
    with in_tenant(acme.id):
        shop, api, db = chain(acme, "shop", "api", "db")
        make(acme, "lonely")
        make_group(acme.id, service=db, severity=5)
        make_group(acme.id, service=api, state="acknowledged")
    where = reverse("admin:alerts_service_graph")
    page = alice.get(where).text
    assert boxes(page) == {
        "Shop": ["box", "well"],
        "Api": ["box", "taken"],
        "Db": ["box", "sev-5"],
    }
    assert page.count('class="edge') == 2
    assert "Lonely" in page
    assert "style=" not in page[page.index("<svg class=") :].split("</svg>")[0]
    impact = alice.get(where, {"service": db.pk}).text
    assert "chosen" in boxes(impact)["Db"]
    assert "hit" in boxes(impact)["Shop"]
    listed = part(r'id="impact">.*?</div>', impact)
    assert listed.index("Api") < listed.index("Shop")
    assert "2 steps away" in listed
    assert str(shop.pk) in listed


@pytest.mark.parametrize("query", ["x", "0199fe3c-7b1a-7c3e-9d5f-1f2e3d4c5b6a", ""])
def test_a_service_that_is_none_draws_the_plain_graph(acme, alice, query):
    with in_tenant(acme.id):
        chain(acme, "shop", "db")
    answer = alice.get(reverse("admin:alerts_service_graph"), {"service": query})
    assert answer.status_code == 200
    assert 'id="impact"' not in answer.text


@pytest.mark.parametrize("limit", ["MOST_DRAWN", "MOST_PLACES"])
def test_a_graph_too_large_for_a_picture_is_a_list(acme, alice, monkeypatch, limit):
    monkeypatch.setattr(service_drawing, limit, 2)
    with in_tenant(acme.id):
        chain(acme, "shop", "api", "db")
    page = alice.get(reverse("admin:alerts_service_graph")).text
    assert "<svg class" not in page
    assert "too many for a picture" in page
    assert all(name in page for name in ("Shop", "Api", "Db"))


def test_names_are_escaped_in_picture_and_list(acme, alice):
    with in_tenant(acme.id):
        evil = make(acme, "evil", name="<script>x</script>")
        set_needs(acme.id, evil.pk, [make(acme, "b").pk])
    page = alice.get(reverse("admin:alerts_service_graph")).text
    assert "<script>x" not in page
    assert "<script>x</script>" in boxes(page)


def corners(path):
    """Return the points at which the path's pieces end, and the middles of lines."""
    numbers = [int(n) for n in re.findall(r"-?\d+", path)]
    found = list(zip(numbers[::2], numbers[1::2], strict=True))
    lines = re.findall(r"(\d+) (\d+)L(\d+) (\d+)", path)
    return found + [((int(a) + int(c)) / 2, int(b)) for a, b, c, _ in lines]


@given(st.integers(0, 30), st.data())
def test_every_arrow_leads_to_the_right_and_no_box_covers_another(size, data):
    ids = [uuid7() for _ in range(size)]
    names = {pk: f"s{n}" for n, pk in enumerate(ids)}
    needs = {
        pk: data.draw(st.sets(st.sampled_from(ids[n + 1 :]), max_size=4))
        for n, pk in enumerate(ids[:-1])
    }
    drawing = draw(names, needs)
    assert drawing is not None
    at = {box.id: box for box in drawing.boxes}
    for arrow in drawing.arrows:
        assert at[arrow.start].x + WIDE < at[arrow.end].x
        for x, y in corners(arrow.path):
            assert not any(
                box.x < x < box.x + WIDE and box.y < y < box.y + HIGH
                for box in drawing.boxes
            )
    places = {(box.x, box.y) for box in drawing.boxes}
    assert len(places) == len(drawing.boxes)
    for box in drawing.boxes:
        assert box.x + WIDE <= drawing.width
        assert box.y + HIGH <= drawing.height


def test_the_groups_of_a_service_are_read_by_index_only(acme):
    with in_tenant(acme.id):
        service = make(acme, "shop")
        rows = Group.objects.filter(tenant_id=acme.id, service=service, state="firing")
        assert service_graph.troubles(acme.id, [service.pk]) == {}
        make_group(acme.id, service=service, severity=3)
        make_group(acme.id, service=service, severity=4, state="snoozed")
        assert rows.count() == 1
        (found,) = service_graph.troubles(acme.id, [service.pk]).values()
    assert (found.severity, found.taken) == (4, False)
