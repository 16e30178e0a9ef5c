"""Are people on a route's own channels told of every incident?"""

from __future__ import annotations

import pytest

from alertcenter.alerts import routing
from alertcenter.alerts.models import Flush, Route, RouteChannel
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.escalation.test_quiet import calls, engine, over, tick

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["slack", "email"])
def people(scene, request):
    """A route that only tells a channel of this kind."""
    settings = {"slack": {"channel": "#db"}, "email": {"to": ["db@example.com"]}}
    with in_tenant(scene.id):
        row = Channel.objects.create(
            tenant_id=scene.id,
            kind=request.param,
            slug="db",
            name="db",
            settings=settings[request.param],
        )
        route = Route.objects.get()
        RouteChannel.objects.create(tenant_id=scene.id, route=route, channel=row)
        Route.objects.update(
            policy=None, group_interval_seconds=60, repeat_interval_seconds=14_400
        )
    return row


def told(scene) -> list[int]:
    """Return the numbers of the groups that were told, page by page."""
    return [row.message["number"] for row in scene.deliveries()]


def test_the_second_incident_is_told_as_the_first_was(scene, people, send):
    send.prometheus(scene.id, fire(0))
    engine()
    assert told(scene) == [1]
    send.prometheus(scene.id, over(5))
    engine()
    tick(scene)
    send.prometheus(scene.id, fire(10))
    engine()
    tick(scene)
    assert told(scene) == [1, 2]


def test_what_comes_back_before_the_next_flush_is_told_too(scene, people, send):
    """Its conversation said that it is over."""
    send.prometheus(scene.id, fire(0))
    engine()
    send.prometheus(scene.id, over(5))
    engine()
    send.prometheus(scene.id, fire(10))
    engine()
    tick(scene)
    assert told(scene) == [1, 2]


@pytest.fixture
def hook(scene):
    with in_tenant(scene.id):
        row = Channel.objects.create(
            tenant_id=scene.id,
            kind="webhook",
            slug="hook",
            name="hook",
            settings={"url": "http://127.0.0.1:1/x"},
        )
        route = Route.objects.get()
        RouteChannel.objects.create(tenant_id=scene.id, route=route, channel=row)
        Route.objects.update(group_interval_seconds=60, repeat_interval_seconds=300)
    return row


@pytest.fixture
def at_once(monkeypatch):
    """Every look at the routes reads them anew."""
    monkeypatch.setattr(routing, "FRESH_SECONDS", 0.0)


@pytest.mark.parametrize("what", ["channel", "route"])
def test_a_pause_over_a_flush_loses_no_end(scene, hook, send, at_once, what):
    send.prometheus(scene.id, fire(0, instance="1"))
    engine()
    with in_tenant(scene.id):
        rows = (
            Channel.objects.filter(pk=hook.pk) if what == "channel" else Route.objects
        )
        rows.update(active=False)
    tick(scene, 600)
    with in_tenant(scene.id):
        rows.update(active=True)
    send.prometheus(scene.id, over(5, instance="1"))
    engine()
    tick(scene, 60)
    assert [call["status"] for call in calls(scene)] == ["firing", "resolved"]
    with in_tenant(scene.id):
        assert not Flush.objects.exists()


def test_the_timer_of_a_paused_channel_ends_with_its_group(scene, hook, send, at_once):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        Channel.objects.filter(pk=hook.pk).update(active=False)
    tick(scene, 600)
    send.prometheus(scene.id, over(5))
    engine()
    tick(scene, 2 * 24 * 3600)
    with in_tenant(scene.id):
        assert not Flush.objects.exists()


def test_a_deleted_route_leaves_no_timer(scene, hook, send, at_once):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        Route.objects.all().delete()
    tick(scene, 600)
    with in_tenant(scene.id):
        assert not Flush.objects.exists()
