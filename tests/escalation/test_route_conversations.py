"""Are people on a route's own channels told of every incident?"""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Route, RouteChannel
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.escalation.test_quiet import engine, fire, over, tick

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
