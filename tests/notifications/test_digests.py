"""Digests where some places, or some rows, are not as they should be."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from notifications import digests
from notifications.models import Delivery, Destination
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


def crowd(ops: Outbox, address: str) -> None:
    """Let twenty pages wait for a place that rests."""
    with in_tenant(ops.tenant_id):
        key = ops.entry("x", a_message(), address=address).destination
        Destination.objects.create(tenant_id=ops.tenant_id, key=key, failures=3)
    for number in range(20):
        ops.put(f"{address}-{number}", a_message(number=number), address=address)
    ops.change(
        f"created_at = now() - interval '{digests.PATIENCE_SECONDS + 1} seconds'"
    )


def merged(ops: Outbox) -> set[str]:
    with in_tenant(ops.tenant_id):
        rows = Delivery.objects.filter(state="merged")
        return set(rows.values_list("address", flat=True))


def test_places_whose_pages_were_tried_before_hide_no_others(ops, monkeypatch):
    monkeypatch.setattr(digests, "MOST_PLACES", 2)
    for address in ("A", "B", "C"):
        crowd(ops, address)
    ops.change("attempts = 1 WHERE address <> 'C'")
    digests.sweep()
    assert merged(ops) == {"C"}


def test_a_row_that_nobody_can_read_hides_no_other_place(ops):
    for address in ("A", "B", "C"):
        crowd(ops, address)
    ops.change(
        "message = message || jsonb_build_object('nonsense', 1) WHERE address <> 'C'"
    )
    digests.sweep()
    assert merged(ops) == {"C"}


def test_what_is_put_off_is_in_no_digest(ops):
    crowd(ops, "A")
    ops.change("put_off = true, next_at = now() + interval '1 hour'")
    assert digests.sweep() == 0
    with in_tenant(ops.tenant_id):
        Delivery.objects.update(next_at=Now())
    assert digests.sweep() == 0
