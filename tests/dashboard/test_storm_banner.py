"""What does a screen show of storms, and of what flaps?"""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from alertcenter.alerts.models import Group, Route, Storm
from alertcenter.dashboard import queries
from tenants.rls import in_tenant
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def storm(acme) -> Storm:
    """A storm with its own group and one that it holds."""
    with in_tenant(acme.id):
        route = Route.objects.create(
            tenant_id=acme.id, name="<db>", matchers=["a=b"], position=1
        )
        own = make_group(acme.id, title="Storm on the route <db>")
        held = make_group(acme.id, title="held")
        found = Storm.objects.create(
            tenant_id=acme.id, route=route, group_id=own.pk, alerts=3000, groups=2900
        )
        Group.objects.filter(pk__in=[own.pk, held.pk]).update(storm_id=found.pk)
    return found


def page(cast, name: str) -> str:
    client = Client()
    client.force_login(cast.user(name))
    return client.get(f"/t/{cast.tenant.slug}/").content.decode()


def test_the_page_has_a_banner_for_a_route_in_a_storm(acme, storm):
    shown = page(acme, "alice")
    assert "Storm on &lt;db&gt;: 3000 alerts" in shown
    assert f'data-id="{storm.group_id}"' in shown


def test_without_a_storm_and_after_it_there_is_none(acme, storm):
    with in_tenant(acme.id):
        Storm.objects.update(closed_at=timezone.now())
    assert str(storm.group_id) not in page(acme, "alice")


def test_another_tenant_sees_nothing_of_it(globex, storm):
    shown = page(globex, "charlie")
    assert str(storm.group_id) not in shown
    assert "&lt;db&gt;" not in shown


def test_rows_say_which_group_speaks_for_a_storm_and_which_it_holds(acme, storm):
    with in_tenant(acme.id):
        steady = make_group(acme.id)
        flapping = make_group(acme.id, flapping_since=timezone.now())
        rows = {row["id"]: row for row in queries.snapshot(acme.id).groups}
        held = Group.objects.get(title="held")
    assert rows[str(storm.group_id)]["storm"] == "own"
    assert rows[str(held.pk)]["storm"] == "held"
    assert rows[str(steady.pk)]["storm"] == ""
    assert rows[str(steady.pk)]["flapping_since"] is None
    assert rows[str(flapping.pk)]["flapping_since"]
