"""Do people see their routes as a tree, and is no tree made that cannot be walked?"""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from alertcenter.alerts import routing
from alertcenter.alerts.admin.route_form import RouteForm
from alertcenter.alerts.models import (
    Route,
    RouteChannel,
    Silence,
    Storm,
    TimeInterval,
)
from notifications.models import Channel
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.test_rights import route_data

ADD = reverse("admin:alerts_route_add")
LIST = reverse("admin:alerts_route_changelist")


def make_route(cast, name: str, parent: Route | None = None, **given: Any) -> Route:
    values = {"matchers": [f'team="{name}"']} | given
    with in_tenant(cast.id):
        return Route.objects.create(
            tenant=cast.tenant, name=name, parent=parent, **values
        )


def change(row: Route) -> str:
    return reverse("admin:alerts_route_change", args=[row.pk])


def stored(cast, name: str = "mine") -> Route:
    with in_tenant(cast.id):
        return Route.objects.select_related("parent").get(name=name)


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def names_in(response) -> list[str]:
    rows = response.context["cl"].result_list
    return [row.name for row in rows]


@pytest.fixture
def family(acme) -> dict[str, Route]:
    """A default route, db below it, replicas below db; and web, tried later."""
    root = make_route(acme, "root", is_default=True, matchers=[], group_wait_seconds=90)
    web = make_route(acme, "web", position=20, continue_matching=True)
    db = make_route(acme, "db", position=10, group_by=["cluster"])
    replicas = make_route(acme, "replicas", db, position=1, active=False)
    return {"root": root, "web": web, "db": db, "replicas": replicas}


# --- the list ---


def test_the_list_is_in_the_order_of_the_walk(alice, family):
    response = alice.get(LIST)
    assert names_in(response) == ["root", "db", "replicas", "web"]
    shown = response.content.decode()
    places = re.findall(r'<span class="rails">(.*?)</span><span>(\w+)', shown)
    depths = [(name, rails.count("<i")) for rails, name in places]
    assert depths == [("root", 0), ("db", 1), ("replicas", 2), ("web", 1)]
    assert "goes on" in shown


def test_what_a_route_inherits_is_grey(alice, family, acme):
    shown = alice.get(LIST).content.decode()
    row = shown[shown.index(">replicas ") :]
    assert 'class="inherited" title="from the route above">cluster<' in row
    assert 'class="inherited" title="from the route above">1m30s<' in row
    own = shown[shown.index(">db ") : shown.index(">replicas ")]
    assert 'field-groups">cluster</td>' in own


def test_a_search_says_where_each_route_stands(alice, family):
    response = alice.get(LIST + "?q=replicas")
    assert names_in(response) == ["replicas"]
    assert "db › " in response.content.decode()


def test_routes_that_lead_in_a_circle_are_listed_and_said_to_be_unreachable(
    alice, acme, family
):
    one = make_route(acme, "one", family["web"])
    two = make_route(acme, "two", one)
    with in_tenant(acme.id):
        Route.objects.filter(pk=one.pk).update(parent=two)
    response = alice.get(LIST)
    assert set(names_in(response)) >= {"one", "two"}
    assert response.content.decode().count("never reached") == 2
    assert alice.get(change(one)).status_code == 200


# --- the form ---


def test_a_route_goes_below_another(alice, acme, family):
    given = route_data() | {"parent": str(family["db"].pk)}
    assert alice.post(ADD, given).status_code == 302
    assert stored(acme).parent == family["db"]


@pytest.mark.parametrize(
    ("below", "said"),
    [("db", "cannot be below itself"), ("replicas", "is below this route already")],
)
def test_a_circle_is_refused_with_a_sentence(alice, acme, family, below, said):
    given = route_data() | {"name": "db", "parent": str(family[below].pk)}
    refused = errors(alice.post(change(family["db"]), given))
    assert said in refused["parent"][0]


def test_a_route_of_another_tenant_cannot_be_above(alice, acme, globex):
    theirs = make_route(globex, "theirs")
    refused = errors(alice.post(ADD, route_data() | {"parent": str(theirs.pk)}))
    assert "parent" in refused
    assert "theirs" not in alice.get(ADD).content.decode()


def test_a_tree_is_at_most_thirty_levels_deep(alice, acme):
    above = None
    for number in range(routing.DEEPEST - 1):
        above = make_route(acme, f"level-{number}", above)
    assert above is not None
    with in_tenant(acme.id):
        reached = {route.id for route in routing.walk(routing.load(acme.id))}
    assert above.pk in reached
    refused = errors(alice.post(ADD, route_data() | {"parent": str(above.pk)}))
    assert "at most 30 levels" in refused["parent"][0]


def test_a_whole_branch_cannot_be_hung_too_deep(alice, acme):
    deep = None
    for number in range(20):
        deep = make_route(acme, f"level-{number}", deep)
    branch = top = make_route(acme, "top")
    for number in range(10):
        branch = make_route(acme, f"branch-{number}", branch)
    assert deep is not None
    given = route_data() | {"name": "top", "parent": str(deep.pk)}
    assert "parent" in errors(alice.post(change(top), given))


@pytest.mark.parametrize(
    ("choice", "lines", "kept"),
    [
        ("above", "cluster", None),
        ("labels", "cluster\nenv", ["cluster", "env"]),
        ("one", "", []),
        ("alone", "", ["..."]),
    ],
)
def test_each_way_of_grouping_is_kept(alice, acme, choice, lines, kept):
    given = route_data() | {"grouping": choice, "group_by": lines}
    assert alice.post(ADD, given).status_code == 302
    route = stored(acme)
    assert route.group_by == kept
    shown = alice.get(change(route)).content.decode()
    assert re.search(rf'value="{choice}"[^>]* checked', shown)


def test_grouping_by_labels_needs_a_label(alice, acme):
    given = route_data() | {"grouping": "labels", "group_by": ""}
    assert "group_by" in errors(alice.post(ADD, given))


def test_durations_are_written_as_people_write_them(alice, acme, family):
    given = route_data() | {
        "group_wait_seconds": "",
        "group_interval_seconds": "1h30m",
        "repeat_interval_seconds": "90",
    }
    assert alice.post(ADD, given).status_code == 302
    route = stored(acme)
    assert route.group_wait_seconds is None
    assert route.group_interval_seconds == 5400
    assert route.repeat_interval_seconds == 90
    shown = alice.get(change(route)).content.decode()
    assert 'value="1h30m"' in shown
    assert "as above: 1m30s" in shown  # the default route's


@pytest.mark.parametrize("text", ["soon", "5 fortnights", "-5", "400d", "0s"])
def test_what_is_no_duration_is_refused(alice, acme, text):
    given = route_data() | {"repeat_interval_seconds": text}
    assert "repeat_interval_seconds" in errors(alice.post(ADD, given))


def test_channels_are_told_and_no_longer(alice, acme, filled):
    channel, page = filled[Channel], change(filled[Route])
    given = route_data() | {"name": "acme route", "told": [str(channel.pk)]}
    assert alice.post(page, given).status_code == 302
    with in_tenant(acme.id):
        row = RouteChannel.objects.get()
        assert (row.tenant_id, row.route_id) == (acme.id, filled[Route].pk)
        assert "told" in Audit.objects.get(action="route.change").data["fields"]
    assert "acme ops" in alice.get(LIST).content.decode()
    assert alice.post(page, given | {"told": []}).status_code == 302
    with in_tenant(acme.id):
        assert not RouteChannel.objects.exists()


def test_a_channel_of_another_tenant_cannot_be_told(alice, acme, globex):
    with in_tenant(globex.id):
        theirs = Channel.objects.create(
            tenant=globex.tenant, kind="slack", slug="x", name="theirs", settings={}
        )
    assert "told" in errors(alice.post(ADD, route_data() | {"told": [str(theirs.pk)]}))
    assert "theirs" not in alice.get(ADD).content.decode()


def test_who_tells_nobody_has_no_channels(alice, acme, filled):
    given = route_data() | {"told": [str(filled[Channel].pk)], "tells_nobody": "on"}
    assert "tells_nobody" in errors(alice.post(ADD, given))


def test_intervals_are_picked_by_name_and_a_lost_name_can_be_unticked(alice, acme):
    with in_tenant(acme.id):
        TimeInterval.objects.create(tenant=acme.tenant, name="nights", times=[])
    given = route_data() | {"mute_intervals": ["nights"]}
    assert alice.post(ADD, given).status_code == 302
    route = stored(acme)
    assert route.mute_intervals == ["nights"]
    assert "quiet: nights" in alice.get(LIST).content.decode()
    with in_tenant(acme.id):
        TimeInterval.objects.all().delete()
    assert "nights (is gone)" in alice.get(change(route)).content.decode()
    unknown = route_data() | {"active_intervals": ["never heard of"]}
    assert "active_intervals" in errors(alice.post(ADD, unknown))


def test_a_viewer_reads_what_the_form_would_say(vera, acme, family):
    shown = vera.get(change(family["db"])).content.decode()
    assert "by these labels" in shown
    assert "_save" not in shown


# --- which route? ---


def test_the_tester_greys_what_the_walk_did_not_try(alice, acme, family):
    page = reverse("admin:alerts_route_tester")
    response = alice.post(page, {"text": "team=db"})
    trials = response.context["verdict"].trials
    assert [(t.route.name, t.tried, t.taken) for t in trials] == [
        ("root", True, False),
        ("db", True, True),
        ("web", False, False),
    ]
    shown = response.content.decode()
    assert shown.count("untried") == 1
    assert "takes it" in shown
    assert "not tried" in shown


# --- two at once, and going ---


@pytest.mark.django_db(transaction=True)
def test_two_who_move_routes_below_each_other_make_no_circle(
    acme, family, login, monkeypatch
):
    """The second one waits, and sees what the first one did."""
    moves = [("db", family["web"].pk), ("web", family["db"].pk)]
    clients = [login(acme.members["alice"].user) for _ in moves]
    usual, both = RouteForm.clean, threading.Barrier(2)

    def together(form):
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return usual(form)

    monkeypatch.setattr(RouteForm, "clean", together)

    def move(client, name, above) -> None:
        data = route_data() | {"name": name, "parent": str(above)}
        client.post(change(family[name]), data)
        connection.close()

    threads = [
        threading.Thread(target=move, args=(client, *given))
        for client, given in zip(clients, moves, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    with in_tenant(acme.id):
        found = {route.name for route in routing.walk(routing.load(acme.id))}
    assert found == {"root", "db", "web"}


def going(row: Route) -> str:
    return reverse("admin:alerts_route_delete", args=[row.pk])


def test_a_route_goes_with_its_old_storms_and_its_silences(acme, alice, family):
    child, now = family["replicas"], timezone.now()
    with in_tenant(acme.id):
        Storm.objects.create(
            tenant=acme.tenant, route=child, ended_at=now, closed_at=now
        )
        Silence.objects.create(
            tenant=acme.tenant,
            matchers=['a="b"'],
            route=child,
            starts_at=now,
            ends_at=now + timedelta(hours=1),
        )
    assert alice.post(going(family["db"]), {"post": "yes"}).status_code == 302
    with in_tenant(acme.id):
        assert set(Route.objects.values_list("name", flat=True)) == {"root", "web"}
        acts = set(Audit.objects.values_list("action", flat=True))
    assert {"silence.expire", "route.delete"} <= acts


def test_a_route_in_a_storm_stays_and_says_why(acme, alice, family):
    with in_tenant(acme.id):
        Storm.objects.create(tenant=acme.tenant, route=family["replicas"])
    answer = alice.post(going(family["db"]), {"post": "yes"})
    assert "replicas is in a storm" in answer.content.decode()
    with in_tenant(acme.id):
        assert Route.objects.filter(name="db").exists()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("matchers", 'a="\0"'),
        ("group_by", "a\0b"),
        ("labels", "a=b\0"),
        ("matchers", "\n".join(f'a="{number}"' for number in range(101))),
    ],
)
def test_what_cannot_be_stored_or_is_too_much_is_refused_in_its_field(
    alice, acme, field, text
):
    given = route_data() | {"grouping": "labels", field: text}
    answer = alice.post(reverse("admin:alerts_route_add"), given)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]


def test_a_policy_that_is_no_id_is_refused_in_its_field(alice, acme):
    given = route_data() | {"policy": "1e5"}
    answer = alice.post(reverse("admin:alerts_route_add"), given)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["policy"]
