"""Can an operator see which place is in trouble, and have it tried at once?"""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from notifications.models import Channel, Destination
from tenants.models import Audit
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:notifications_destination_changelist")


@pytest.fixture
def ill(acme) -> Destination:
    with in_tenant(acme.id):
        channel = Channel.objects.create(
            tenant_id=acme.id, kind="slack", slug="ops", name="#ops"
        )
        return Destination.objects.create(
            tenant_id=acme.id,
            key=f"{channel.pk}:",
            channel=channel,
            failures=4,
            why="503 out of order",
            asked_until=Now(),
        )


def try_now(row: Destination) -> str:
    return reverse("admin:notifications_destination_try_now", args=[row.pk])


def test_a_place_in_trouble_says_why(ill, alice):
    page = alice.get(LIST).content.decode()
    assert "#ops" in page
    assert "503 out of order" in page
    assert "rests after failures" in page


def test_it_can_be_tried_at_once(ill, alice, acme):
    alice.post(try_now(ill))
    with in_tenant(acme.id):
        row = Destination.objects.get()
        assert (row.failures, row.why) == (0, "")
        assert Audit.objects.filter(action="destination.try").exists()


def test_who_may_only_look_cannot(ill, vera, acme):
    assert vera.get(LIST).status_code == 200
    vera.post(try_now(ill))
    with in_tenant(acme.id):
        assert Destination.objects.get().failures == 4
