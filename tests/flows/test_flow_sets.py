"""Does the flow stay fair and frugal when much waits?"""

from __future__ import annotations

import pytest
from django.db import connection

from alertcenter import flow
from alertcenter.alerts.grouping import GROWN
from alertcenter.alerts.models import Feed
from escalation import dispatcher
from notifications.models import Delivery
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as
from tests.escalation.scene import make_scene, scene

__all__ = ["scene"]

pytestmark = pytest.mark.django_db(transaction=True)


def storm(count: int, start: int = 0) -> list[dict[str, object]]:
    return [fire(0, instance=f"host-{n}") for n in range(start, start + count)]


def ended(instance: str) -> dict[str, object]:
    return over(5) | {"labels": {"alertname": "DiskFull", "instance": instance}}


def counts(scene) -> tuple[int, int, int]:
    group = scene.group()
    return group.firing_count, group.alert_count, group.severity


def work(limit: int = flow.BATCH) -> None:
    """Let the engine look at all that waits, but not redraw what grew."""
    connection.close()
    with login_as("engine"):
        while flow.process_feed(limit) or dispatcher.do_due_steps():
            pass


def waiting(tenant_id, **where):
    with in_tenant(tenant_id):
        return Feed.objects.filter(**where).count()


def test_a_storm_of_one_tenant_leaves_room_for_the_others(scene, globex, send):
    globex.members["bob"] = globex.members["charlie"]
    other = make_scene(globex)
    send.prometheus(scene.id, *storm(60))
    send.prometheus(other.id, fire(0))
    connection.close()
    with login_as("engine"):
        assert flow.process_feed(limit=20) == 21
    assert waiting(scene.id, shard__gte=0) == 40
    assert waiting(other.id, shard__gte=0) == 0
    assert other.group().firing_count == 1


def test_a_group_that_grows_in_many_batches_counts_every_member_once(scene, send):
    send.prometheus(scene.id, *storm(50))
    work(limit=7)
    send.prometheus(scene.id, *storm(10), ended("host-3"))
    work(limit=7)
    assert counts(scene) == (49, 50, 3)
    send.prometheus(scene.id, fire(10, instance="host-3"))
    send.prometheus(scene.id, fire(10, instance="worse", severity="critical"))
    work(limit=7)
    assert counts(scene) == (51, 51, 5)


def test_growth_of_many_batches_is_one_line_and_one_redraw(scene, send):
    send.prometheus(scene.id, *storm(2))
    work()
    for start in range(2, 42, 10):
        send.prometheus(scene.id, *storm(10, start))
        work()
    assert waiting(scene.id, shard=GROWN) == 4
    connection.close()
    with login_as("engine"):
        assert flow.redraw_grown() == 1
        assert flow.redraw_grown() == 0
    with in_tenant(scene.id):
        told = Delivery.objects.exclude(kind="page").order_by("kind")
        assert [d.kind for d in told] == ["reply", "update"]
        assert told[0].message["note"]["data"]["count"] == 40
        assert told[1].message["alert_count"] == 42
        assert told[0].correlation_id == "test"


def test_growth_of_a_group_that_is_over_is_told_no_more(scene, send):
    send.prometheus(scene.id, fire(0))
    work()
    with in_tenant(scene.id):
        Delivery.objects.update(state="sent")
    send.prometheus(scene.id, fire(0, instance="2"))
    work()
    send.prometheus(scene.id, over(5), ended("2"))
    work()
    connection.close()
    with login_as("engine"):
        flow.redraw_grown()
    with in_tenant(scene.id):
        notes = [
            d.message["note"]["kind"] for d in Delivery.objects.filter(kind="reply")
        ]
    assert notes == ["resolved"]


def test_what_waits_is_counted_by_why(scene, send):
    send.prometheus(scene.id, *storm(5))
    connection.close()
    with login_as("engine"):
        before = flow.measure_backlog()
        flow.park(scene.id, scene.acme.tenant.pk)
        assert (before.new, before.grown, before.parked) == (5, 0, 0)
        assert before.oldest_seconds > 0
        flow.process_feed()
        after = flow.measure_backlog()
        assert (after.new, after.grown, after.parked) == (0, 0, 1)
